"""The levels beside the persona: families above, micro-personas below; found, named, and as rows.

Invariant: counts add up. A family's intents are those of its personas, its people are whoever holds
one of them, each once; an intent is in at most one micro-persona, of its own persona, and what is
in none stays with the persona itself. All else (claims, holdings, scores) is about personas.

An id stays from run to run by the intents that both runs knew, as those of personas do (`descent`).
A new one is made of the run's number too, so it is never given to another; what has gone and comes
back has a new one.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gnn.communities import Leiden
from gnn.descent import NOBODY, UNKNOWN, common, keeps
from gnn.families import Families, families
from gnn.found import Found, PersonaConfig, holders, sample
from gnn.memberships import explained, fit, merged
from gnn.micro import Micro, parts
from gnn.signatures import names_of, signature, topic_labels
from gnn.tensors import Episodes, Ints
from kg.lake.tables import schema_of
from kg.personas.statistics import wilson

FAMILY, MICRO = "family", "micro-persona"
_PREFIX = {FAMILY: "f_", MICRO: "m_"}
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Levels:
    """What stands above and below the personas."""

    families: Families
    micro: Micro


@dataclass(frozen=True)
class Tree:
    """The levels with their names, and as rows of the lake.

    Attributes:
        family_of: persona id -> family id, or None.
        micro_ids: of the micro-personas, by their numbers.
        rows, micro_holdings: of the tables of these names.
    """

    family_of: dict[str, str | None]
    micro_ids: list[str]
    rows: pa.Table
    micro_holdings: pa.Table


def find(episodes: Episodes, found: Found, config: PersonaConfig, leiden: Leiden) -> Levels:
    """The families and micro-personas of what was found."""
    held = holders(episodes, found.soft, config)
    halves = _halves(episodes, found, config)
    together = families(halves, found.rule.personas, config.families, config.seed)
    return Levels(together, parts(episodes, found, held, (config, leiden)))


def _halves(
    episodes: Episodes, found: Found, config: PersonaConfig
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Persona (0 none) and topic of the episodes of each half, by a rule fitted on that half."""
    fitted = episodes.fit[episodes.user]
    topic = episodes.type_parts[episodes.type, 1]
    others = sample(episodes, np.flatnonzero(~fitted), config.most_tried, config.seed)
    soft = found.soft[others]
    if found.rule.personas > 1:
        manners = tuple(episodes.manner(name) for name in found.rule.names)
        start = explained(episodes, others, manners, found.rule)
        soft = fit(episodes, others, manners, start, config.mixture)[1]
        soft = merged(soft, np.arange(found.rule.personas))
    return (found.soft.argmax(1)[fitted], topic[fitted]), (soft.argmax(1), topic[others])


def name(
    step: Any,
    episodes: Episodes,
    both: tuple[Found, Levels],
    about: tuple[Flags, list[str], int],
    out: tuple[str, ...],
) -> Tree:
    """Give families and micro-personas their ids, and count them.

    To be called before the step writes memberships and personas: it reads those of the run before.

    Args:
        about: who holds which persona (users, k), the personas' ids, and the number of this run.
        out: manners that are said of nobody.
    """
    found, levels = both
    held, ids, number = about
    persona, called = found.soft.argmax(1) - 1, topic_labels(step)
    micro, everyone = levels.micro, np.ones(len(episodes), bool)
    family = np.append(levels.families.family, NOBODY)[persona]
    of_family = [
        np.flatnonzero(levels.families.family == n) for n in range(len(levels.families.likeness))
    ]
    above = _Groups(
        FAMILY,
        family,
        np.stack([held[:, mine].any(1) for mine in of_family], 1) if of_family else held[:, :0],
        [signature(episodes, family == n, called, everyone, out) for n in range(len(of_family))],
        [None] * len(of_family),
        levels.families.likeness,
    )
    below = _Groups(
        MICRO,
        micro.labels,
        micro.held,
        [
            signature(episodes, micro.labels == n, called, persona == owner, out)
            for n, owner in enumerate(micro.persona)
        ],
        [ids[owner] for owner in micro.persona],
        micro.stability,
    )
    rows = []
    known: dict[str, list[str]] = {}
    for groups in (above, below):
        known[groups.level] = _ids(step, episodes, groups, number)
        rows += _rows(episodes, groups, known[groups.level])
    for row, test in zip(rows[len(of_family) :], micro.tests, strict=True):
        row |= {"recurrence_lift": test.lift, "recurrence_p": test.p, "recurrence_q": test.q}
    step.summary["levels"] = {"families": len(of_family), "micro_personas": len(micro.tests)}
    parents = [known[FAMILY][n] if n >= 0 else None for n in levels.families.family]
    return Tree(
        dict(zip(ids, parents, strict=True)),
        known[MICRO],
        _table("levels", sorted(rows, key=lambda row: row["level_id"])),
        _micro_holdings(episodes, micro.held, known[MICRO]),
    )


@dataclass(frozen=True)
class _Groups:
    """The groups of one level. Shapes: labels (n,) of episodes, -1 none; held (users, g)."""

    level: str
    labels: Ints
    held: Flags
    signatures: list[str]
    parents: list[str | None]
    stability: tuple[float, ...]


def _ids(step: Any, episodes: Episodes, groups: _Groups, number: int) -> list[str]:
    """Ids kept from the run before, or new ones."""
    count, now = len(groups.signatures), groups.labels[episodes.intents.episode]
    former, before, sizes = _former(step, episodes, groups.level)
    kept = keeps(common(before, now, sizes, count))
    found: list[str] = []
    for place, text in enumerate(groups.signatures):
        if place in kept:
            found.append(former[kept[place]])
            continue
        made, more = f"{number}|{groups.parents[place]}|{text}", 0
        while (fresh := _id(groups.level, f"{made}|{more}")) in (*former, *found):
            more += 1
        found.append(fresh)
    return found


def _id(level: str, text: str) -> str:
    return _PREFIX[level] + hashlib.sha256(text.encode()).hexdigest()[:8]


def _former(step: Any, episodes: Episodes, level: str) -> tuple[list[str], Ints, Ints]:
    """The run before: ids, the place among them of each of this run's intents, and all sizes."""
    members = step.arrow("memberships", ["intent_id", "persona_id", "micro_persona_id"])
    names = members["micro_persona_id"].combine_chunks()
    if level == FAMILY:
        personas = step.arrow("personas", ["persona_id", "parent_id"]).combine_chunks()
        place = pc.index_in(members["persona_id"].combine_chunks(), personas["persona_id"])
        names = personas["parent_id"].take(place)
        names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    ids = sorted(set(pc.unique(names).to_pylist()) - {None})
    group = _numbers(pc.index_in(names, pa.array(ids, pa.string())), NOBODY)
    # The last place stands for what the run before did not know.
    intent = _numbers(pc.index_in(episodes.intents.ids, members["intent_id"]), len(group))
    before = np.append(group, UNKNOWN)[intent]
    return ids, before, np.bincount(group + 1, minlength=len(ids) + 1)[1:]


def _numbers(places: Any, missing: int) -> Ints:
    filled = pc.fill_null(places, missing)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def _rows(episodes: Episodes, groups: _Groups, ids: list[str]) -> list[dict[str, Any]]:
    intents = np.bincount(groups.labels[episodes.intents.episode] + 1, minlength=len(ids) + 1)[1:]
    people, population = groups.held.sum(0), len(episodes.user_ids)
    low, high = wilson(people, np.full(len(ids), population))
    names = names_of(groups.signatures, groups.level)
    return [
        {
            "level_id": ids[n],
            "level": groups.level,
            "parent_id": groups.parents[n],
            "name": names[n],
            "stability": groups.stability[n],
            "intents": int(intents[n]),
            "people": int(people[n]),
            "population": population,
            "share": float(people[n] / max(population, 1)),
            "share_low": float(low[n]),
            "share_high": float(high[n]),
            "signature": groups.signatures[n],
        }
        for n in range(len(ids))
    ]


def _micro_holdings(episodes: Episodes, held: Flags, ids: list[str]) -> pa.Table:
    user, part = np.nonzero(held)
    columns = {
        "user_id": pa.array(np.array(episodes.user_ids, object)[user].tolist(), pa.string()),
        "micro_persona_id": pa.array([ids[n] for n in part], pa.string()),
    }
    order = [("user_id", "ascending"), ("micro_persona_id", "ascending")]
    return pa.table(columns).sort_by(order)


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    fields = [field for field in schema_of(name) if field.name != "run_id"]
    return pa.Table.from_pylist(rows, pa.schema(fields))
