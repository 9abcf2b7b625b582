"""Micro-personas: parts of a persona, found within it as personas are found within everything.

Everyone is who holds the persona, everything is what they did in it, no persona is the persona
itself. So all tests are conditional on it: a part must come back on both halves of its fitted
people, its types must recur in the same people of half `test` more than when the persona's types
are dealt anew over its people, and it must tell who holds it from equally active other holders.
What is in no part stays with the persona itself. None is a legal answer, and the common one.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gnn.communities import Leiden
from gnn.found import Found, PersonaConfig, Report, holders
from gnn.personas import discover
from gnn.proposals import ProposalConfig
from gnn.recurrence import Recurrence
from gnn.tensors import Episodes, Intents, Ints, Manner

NONE = -1
WITHIN = ProposalConfig(resolutions=(), parts=(2, 3))
"""Parts alone: communities need the company of all of somebody's episodes."""
LEAST_TRIED = 4_000
"""All personas together are worth as much time as everything; each at least so many episodes."""


@dataclass(frozen=True)
class Micro:
    """Parts of personas.

    Attributes:
        labels: (n,) the part of each episode, -1 none: the persona itself, or no persona.
        persona: (m,) which persona each is a part of.
        held: (users, m) who holds it; all of them hold the persona.
        tests, stability: (m,)
    """

    labels: Ints
    persona: Ints
    held: NDArray[np.bool_]
    tests: tuple[Recurrence, ...]
    stability: tuple[float, ...]


def parts(
    episodes: Episodes,
    found: Found,
    held: NDArray[np.bool_],
    settings: tuple[PersonaConfig, Leiden],
) -> Micro:
    """The parts of every persona.

    Shapes: held (users, k).
    """
    config, leiden = settings
    count = max(found.rule.personas, 1)
    within_one = replace(
        config,
        proposals=WITHIN,
        overlooked=replace(config.overlooked, most_groups=0),
        recurrence=replace(
            config.recurrence,
            permutations=config.recurrence.permutations // 2,
            most_cells=config.recurrence.most_cells // count,
        ),
        most_tried=max(config.most_tried // count, LEAST_TRIED),
        most_fitted=max(config.most_fitted // count, LEAST_TRIED),
    )
    persona_of, labels = found.soft.argmax(1) - 1, np.full(len(episodes), NONE, np.int64)
    persona: list[int] = []
    holding, tests, stability = [np.zeros((len(held), 0), bool)], [], []
    for number in range(found.rule.personas):
        rows = np.flatnonzero((persona_of == number) & held[episodes.user, number])
        inside = within(episodes, rows)
        one = discover(inside, within_one, leiden, Report())
        part = one.soft.argmax(1) - 1
        labels[rows] = np.where(part >= 0, part + len(persona), NONE)
        theirs = np.zeros((len(held), one.rule.personas), bool)
        theirs[np.unique(episodes.user[rows])] = holders(inside, one.soft, config)
        holding.append(theirs)
        persona += [number] * one.rule.personas
        tests += one.tests
        stability += one.stability
    return Micro(
        labels,
        np.array(persona, np.int64),
        np.concatenate(holding, 1),
        tuple(tests),
        tuple(stability),
    )


def within(episodes: Episodes, rows: Ints) -> Episodes:
    """Some episodes as if there were no others; types and bins keep their numbers."""
    users, user = np.unique(episodes.user[rows], return_inverse=True)
    place = np.full(len(episodes), -1, np.int64)
    place[rows] = np.arange(len(rows))
    episode = place[episodes.intents.episode]
    there = np.flatnonzero(episode >= 0)
    intents = episodes.intents
    return replace(
        episodes,
        intents=Intents(intents.ids.take(there), episode[there], intents.started_at_ms[there]),
        user=user.reshape(-1).astype(np.int64),
        occasion=np.unique(episodes.occasion[rows], return_inverse=True)[1].reshape(-1),
        type=episodes.type[rows],
        manners=tuple(Manner(m.name, m.bins, m.values[rows]) for m in episodes.manners),
        user_ids=tuple(np.array(episodes.user_ids, dtype=object)[users].tolist()),
        fit=episodes.fit[users],
    )
