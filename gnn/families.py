"""Which personas are one family: about the same topics, more than chance, on both halves.

What personas are *about* decides, not who holds them: everybody may hold several personas, and that
two go together in the same people is said by claims of overlap. A family's personas want the same
things in other ways (when, where, at which price). Two personas are alike when their shares of
topics depart from everyone's in the same direction, more than when the topics of one are dealt
anew; a group is one in which every two are alike. The half that fitted the rule and the half that
did not, by a rule of its own, group independently: only who is together on both is one family.
Alone is a legal answer.

Source: Rao 1995, Questiio 19:23-63 (profiles compared by roots of shares); Benjamini and Hochberg
1995 (false discovery rate); Defays 1977, doi:10.1093/comjnl/20.4.364 (complete linkage).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Floats, Ints

ALONE = -1
_NEVER = 3.0
"""Farther than any cosine: no group holds two such."""


@dataclass(frozen=True)
class FamilyConfig:
    """When personas are about the same.

    Attributes:
        most_q: false discovery rate over all pairs of personas.
        dealt: how often topics are dealt anew.
        most_cells: fewer times where that would be more products than this.
        least_likeness: cosine; with thousands of topics a tenth of it is beyond chance.
        least_episodes: topics with fewer episodes in a half show nothing.
    """

    most_q: float = 0.01
    dealt: int = 10_000
    most_cells: int = 2_000_000_000
    least_likeness: float = 0.5
    least_episodes: int = 20


@dataclass(frozen=True)
class Families:
    """Which personas belong together.

    Attributes:
        family: (k,) of each persona, numbered by its first; -1 alone.
        likeness: of each family, the cosine of the two least alike on the half where they are less.
    """

    family: Ints
    likeness: tuple[float, ...]


def families(
    halves: tuple[tuple[Ints, Ints], ...], personas: int, config: FamilyConfig, seed: int
) -> Families:
    """Group personas by what each half of the people does in them.

    Args:
        halves: per half, persona (0 none) and topic of each episode.
    """
    if personas < 2:
        return Families(np.full(personas, ALONE, np.int64), ())
    alike = [_likeness(*half, personas, config) for half in halves]
    groups = [_groups(*one, config, seed + n) for n, one in enumerate(alike)]
    pairs = np.unique(np.stack(groups), axis=1, return_inverse=True)[1].reshape(-1)
    several = np.bincount(pairs, minlength=1)[pairs] > 1
    family = np.full(personas, ALONE, np.int64)
    worst: list[float] = []
    for persona in range(personas):
        if several[persona] and family[persona] == ALONE:
            mine = np.flatnonzero(pairs == pairs[persona])
            family[mine] = len(worst)
            worst.append(float(min(cosine[np.ix_(mine, mine)].min() for cosine, _ in alike)))
    return Families(family, tuple(worst))


def _likeness(
    persona: Ints, topic: Ints, personas: int, config: FamilyConfig
) -> tuple[Floats, Floats]:
    """Cosines of personas, and how each departs from everyone. -> (k, k), (k, topics)"""
    topics = int(topic.max(initial=-1)) + 1
    table = np.bincount(persona * topics + topic, minlength=(personas + 1) * topics)
    table = table.reshape(personas + 1, topics)
    table = table[:, table.sum(0) >= config.least_episodes]
    usual = np.sqrt(table.sum(0) / max(table.sum(), 1))
    own = table[1:]
    apart = np.sqrt(own / np.maximum(own.sum(1, keepdims=True), 1)) - usual
    apart = apart / np.maximum(np.sqrt((apart**2).sum(1, keepdims=True)), 1e-12)
    return apart @ apart.T, apart


def _groups(cosine: Floats, apart: Floats, config: FamilyConfig, seed: int) -> Ints:
    """Groups in which every two are alike more than chance. -> (k,)"""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = np.where(_beyond_chance(cosine, apart, config, seed), 1 - cosine, _NEVER)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(np.maximum(distance, 0), checks=False), "complete")
    return np.asarray(fcluster(tree, (2 + _NEVER) / 2, "distance"), np.int64)


def _beyond_chance(
    cosine: Floats, apart: Floats, config: FamilyConfig, seed: int
) -> NDArray[np.bool_]:
    """Which pairs are alike more than when the topics of one are dealt anew. -> (k, k)"""
    from scipy.stats import false_discovery_control

    count, topics = apart.shape
    times = int(np.clip(config.most_cells // max(count * count * topics, 1), 200, config.dealt))
    rng, above = np.random.default_rng(seed), np.zeros((count, count))
    for _ in range(times):
        above += apart[:, rng.permutation(topics)] @ apart.T >= cosine
    # Either of two may be the one that is dealt.
    p = (1 + np.maximum(above, above.T)) / (1 + times)
    upper = np.triu_indices(count, 1)
    found = np.zeros((count, count), bool)
    found[upper] = false_discovery_control(p[upper], method="bh") < config.most_q
    return np.asarray((found | found.T) & (cosine >= config.least_likeness))
