"""Users: the groups of records that the judgements leave, under ids that stay.

Invariant: a user id, once given, means the same person for as long as most of that person's
records stay together; an id that is given up lives on as an alias.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.identity.limits import Limits
from ingestion.identity.links import Codes, Flags
from ingestion.identity.people import People
from kg.hashing import stable_id


@dataclass(frozen=True)
class Before:
    """The users of the run before.

    `identities` (record_key, user_id), `users` (user_id, first_seen_ms), `aliases` (alias_id,
    user_id).
    """

    identities: pa.Table
    users: pa.Table
    aliases: pa.Table

    @classmethod
    def read(cls, step: Any) -> "Before":
        """As this step found them."""
        return cls(
            step.arrow("identities", ["record_key", "user_id"]),
            step.arrow("users", ["user_id", "first_seen_ms"]),
            step.arrow("user_aliases", ["alias_id", "user_id"]),
        )


Taken = Callable[[list[str]], set[str]]
"""Of these ids, those that a user has or had."""


def taken_in(step: Any) -> Taken:
    """What the lake has given, as this step found it."""

    def taken(ids: list[str]) -> set[str]:
        users, aliases = step.table("users"), step.table("user_aliases")
        given = users.select(id=users.user_id).union(aliases.select(id=aliases.alias_id))
        asked = step.lake.memtable(pa.table({"id": pa.array(ids, pa.string())}))
        found: list[str] = step.lake.run(given.semi_join(asked, "id"))["id"].to_pylist()
        return set(found)

    return taken


@dataclass(frozen=True)
class Users:
    """Who each record is about.

    Shapes: user (records,) int64 code or -1 where nobody; ids (u,) string, sorted; aliases
    (alias_id, user_id).
    """

    user: Codes
    ids: pa.Array
    aliases: pa.Table


def name_users(
    people: People, group: Codes, kept: Flags, told: Codes, limits: Limits, before: Before,
    taken: "Taken",
) -> Users:  # fmt: skip
    """Give every group of records its id: the one it had, else one made from what it names.

    Args:
        people: with the statements that were not blocked.
        group: (records,) label of the group of each record.
        kept: (n,) which statements join.
        told: records that say who they are about, whether they name an identifier or not.
        limits: which namespaces are personal.
        before: the users of the run before.
        taken: which ids are, or were, somebody's.
    """
    named = np.zeros(people.statements.record_count, bool)
    named[people.statements.record] = True
    named[told] = True
    groups, place = np.unique(group[named], return_inverse=True)
    user = np.full(len(named), -1, np.int64)
    user[named] = place
    ids = np.full(len(groups), None, object)
    overlap = _overlap(people, user, before)
    keeper = _keepers(overlap, len(groups))
    ids[keeper.groups] = keeper.ids
    new = np.flatnonzero(ids == None)  # noqa: E711 - elementwise
    if len(new):
        ids[new] = _new_ids(_seeds(people, user, kept, limits, new), taken)
    order = np.argsort(ids.astype(str)) if len(ids) else np.zeros(0, np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    user[named] = rank[place]
    return Users(user, pa.array(ids[order], pa.string()), _aliases(ids, overlap, before))


@dataclass(frozen=True)
class _Overlap:
    """How many records each group shares with each former user, best first for the group.

    Shapes: group, count (o,) int64; id (o,) object.
    """

    group: Codes
    count: Codes
    id: np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Keepers:
    groups: Codes
    ids: list[str]


def _overlap(people: People, user: Codes, before: Before) -> _Overlap:
    place = people.codes(before.identities["record_key"])
    former = pc.index_in(before.identities["user_id"], value_set=before.users["user_id"])
    former = np.asarray(pc.fill_null(former, -1).to_numpy(), np.int64)
    alive = (place >= 0) & (former >= 0)
    alive[alive] = user[place[alive]] >= 0
    span = max(len(before.users), 1)
    pairs, count = np.unique(user[place[alive]] * span + former[alive], return_counts=True)
    group, former = pairs // span, pairs % span
    seen = before.users["first_seen_ms"].to_numpy()[former]
    ids = np.asarray(before.users["user_id"].to_pylist(), object)[former]
    order = np.lexsort((ids.astype(str), seen, -count, group)) if len(ids) else group
    return _Overlap(group[order], count[order], ids[order])


def _keepers(overlap: _Overlap, group_count: int) -> _Keepers:
    """Each group's best former id; where several want one id, the one with most of its records."""
    first = np.r_[True, np.diff(overlap.group) != 0][: len(overlap.group)]
    group, count, ids = overlap.group[first], overlap.count[first], overlap.id[first]
    if not len(group):
        return _Keepers(group, [])
    order = np.lexsort((group, -count, ids.astype(str)))
    wanted = ids[order]
    best = np.r_[True, wanted[1:] != wanted[:-1]]
    return _Keepers(group[order][best], wanted[best].tolist())


def _seeds(people: People, user: Codes, kept: Flags, limits: Limits, groups: Codes) -> list[str]:
    """What each of these groups is named after: its strongest, smallest identifier where that is
    not personal, else its smallest record key (a hash of an e-mail address could be guessed)."""
    said = people.statements.only(kept & np.isin(user[people.statements.record], groups))
    none = len(people.values)
    strongest = np.full(len(groups), none, np.int64)
    np.minimum.at(strongest, np.searchsorted(groups, user[said.record]), said.value)
    mine = np.flatnonzero(np.isin(user, groups))
    keys = pa.table({"user": user[mine], "key": people.records["record_key"].take(pa.array(mine))})
    smallest = keys.group_by("user").aggregate([("key", "min")])
    record = smallest.sort_by("user")["key_min"].to_pylist()
    personal = [limits.of(name).personal for name in people.namespace_names]
    values = people.values.take(pa.array(strongest, mask=strongest == none)).to_pylist()
    seeds = []
    for code, value, key in zip(strongest.tolist(), values, record, strict=True):
        namespace = people.statements.namespace[code] if code < none else -1
        if namespace < 0 or personal[namespace]:
            seeds.append(f"record:{key}")
        else:
            seeds.append(f"{people.namespace_names[namespace]}:{value}")
    return seeds


def _new_ids(seeds: list[str], taken: Taken) -> list[str]:
    """An id for each seed: the first of those made from it that was never given."""
    ids: dict[str, str] = {}
    attempt, waiting = 0, seeds
    while waiting:
        made = {seed: stable_id("u", seed, attempt or None) for seed in waiting}
        given = taken([*made.values()])
        ids |= {seed: found for seed, found in made.items() if found not in given}
        attempt, waiting = attempt + 1, [seed for seed in waiting if seed not in ids]
    return [ids[seed] for seed in seeds]


def _aliases(ids: np.ndarray[Any, Any], overlap: _Overlap, before: Before) -> pa.Table:
    """Former ids -> the user that has most of their records now; ids in use are no aliases."""
    alive = set(ids.tolist())
    order = np.lexsort((ids[overlap.group].astype(str), -overlap.count))
    heir: dict[str, str] = {}
    for former, group in zip(overlap.id[order], overlap.group[order], strict=True):
        if former not in alive:
            heir.setdefault(former, ids[group])
    found = dict(heir)
    for row in before.aliases.to_pylist():
        target = heir.get(row["user_id"], row["user_id"])
        if target in alive and row["alias_id"] not in alive:
            found.setdefault(row["alias_id"], target)
    rows = sorted(found.items())
    return pa.table(
        {
            "alias_id": pa.array([alias for alias, _ in rows], pa.string()),
            "user_id": pa.array([user for _, user in rows], pa.string()),
        }
    )
