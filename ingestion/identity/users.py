"""Users: the groups of records that the judgements leave, under ids that stay.

Invariant: an id, once given, leads to whoever has most of the records that it stands for, as a
user's own id or as an alias. An id that shares its user with others stands for what it had before
they met: where they come apart again, each goes with its own.
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

    `identities` (record_key, user_id), `users` (user_id), `aliases` (alias_id,
    user_id), `former` (record_key, user_id, alone).
    """

    identities: pa.Table
    users: pa.Table
    aliases: pa.Table
    former: pa.Table

    @classmethod
    def read(cls, step: Any) -> "Before":
        """As this step found them."""
        return cls(
            step.arrow("identities", ["record_key", "user_id"]),
            step.arrow("users", ["user_id"]),
            step.arrow("user_aliases", ["alias_id", "user_id"]),
            step.arrow("former_identities", ["record_key", "user_id", "alone"]),
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
    (alias_id, user_id); former (record_key, user_id, alone): what ids stand for that share their
    user with others, `alone` where they had it before they met.
    """

    user: Codes
    ids: pa.Array
    aliases: pa.Table
    former: pa.Table


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
    claims = _claims(people, before)
    leads = _leads(people, user, claims, before)
    ids[leads.group[leads.calls]] = leads.id.filter(pa.array(leads.calls)).to_pylist()
    new = np.flatnonzero(ids == None)  # noqa: E711 - elementwise
    if len(new):
        ids[new] = _new_ids(_seeds(people, user, kept, limits, new), taken)
    order = np.argsort(ids.astype(str)) if len(ids) else np.zeros(0, np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    user[named] = rank[place]
    aliases, former = _aliases(ids, leads, before), _former(claims, leads)
    return Users(user, pa.array(ids[order], pa.string()), aliases, former)


def _claims(people: People, before: Before) -> pa.Table:
    """What each id stands for, of the records there are: (record_key, user_id, alone, now).

    `now`: it has the record, or had it when it was given up. `alone`: it had it before it met other
    ids; where it met none, that is the same.
    """
    own, former = before.identities, before.former
    own = own.filter(pc.is_in(own["user_id"], value_set=before.users["user_id"]))
    met = pc.is_in(own["user_id"], value_set=former["user_id"])
    lives = pc.is_in(former["user_id"], value_set=before.users["user_id"])
    own = own.append_column("alone", pc.invert(met))
    own = own.append_column("now", pa.repeat(pa.scalar(value=True), len(own)))
    former = former.append_column("now", pc.invert(lives))
    claims = pa.concat_tables([own.cast(former.schema), former])
    return claims.filter(pa.array(people.codes(claims["record_key"]) >= 0))


@dataclass(frozen=True)
class _Leads:
    """The group that each former id leads to, and whether the group is called by it.

    Shapes: id (l,) string; group (l,) int64; calls (l,) bool.
    """

    id: pa.Array
    group: Codes
    calls: Flags

    @property
    def shared(self) -> Flags:
        """Whether other ids lead to the same group: (l,)."""
        return np.asarray(np.bincount(self.group)[self.group] > 1)


def _leads(people: People, user: Codes, claims: pa.Table, before: Before) -> _Leads:
    """Each id leads to the group with most of its records; of those that lead to one group, a
    user's goes before a former one, then the one with most of the group's records, then the one
    with the record that was learned first: whoever gives up a record and has it again is called
    the same.
    """
    record = people.codes(claims["record_key"])
    group = user[record]
    claims = claims.append_column("group", pa.array(group))
    claims = claims.append_column("record", pa.array(record)).filter(pa.array(group >= 0))
    counts = claims.group_by(["user_id", "group"]).aggregate(
        [("alone", "sum"), ("now", "sum"), ("record", "min")]
    )
    order = [("user_id", "ascending"), ("alone_sum", "descending"), ("now_sum", "descending"),
             ("record_min", "ascending")]  # fmt: skip
    counts = counts.sort_by(order).combine_chunks()
    ids = pc.dictionary_encode(counts["user_id"]).combine_chunks().indices.to_numpy()
    best = counts.take(pa.array(_firsts(ids)))
    place = pc.index_in(best["user_id"], value_set=before.users["user_id"])
    best = best.append_column("former", pc.is_null(place))
    order = [("group", "ascending"), ("former", "ascending"), ("now_sum", "descending"),
             ("record_min", "ascending"), ("user_id", "ascending")]  # fmt: skip
    best = best.sort_by(order).combine_chunks()
    found = best["group"].to_numpy()
    calls = np.zeros(len(found), bool)
    calls[_firsts(found)] = True
    return _Leads(best["user_id"].combine_chunks(), found, calls)


def _firsts(sorted_codes: Codes) -> Codes:
    """Where each code begins."""
    return np.flatnonzero(np.r_[True, np.diff(sorted_codes) != 0][: len(sorted_codes)])


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


def _aliases(ids: np.ndarray[Any, Any], leads: _Leads, before: Before) -> pa.Table:
    """Ids that lead to a user who is called otherwise; those of which it was not kept what they
    stood for (before `former_identities` was) follow the user they led to."""
    called = pa.array(ids[leads.group], pa.string())
    given_up = pa.array(~leads.calls)
    old = before.aliases.filter(
        pc.invert(pc.is_in(before.aliases["alias_id"], value_set=before.former["user_id"]))
    )
    heirs = called.take(pc.index_in(old["user_id"], value_set=leads.id).combine_chunks())
    aliases = pa.table(
        {
            "alias_id": pa.chunked_array(
                [leads.id.filter(given_up), *old["alias_id"].chunks], pa.string()
            ),
            "user_id": pa.chunked_array([called.filter(given_up), heirs], pa.string()),
        }
    )
    return aliases.filter(pc.is_valid(aliases["user_id"])).sort_by("alias_id")


def _former(claims: pa.Table, leads: _Leads) -> pa.Table:
    """What the ids stand for that share their user: all of it where an id is given up, of a user's
    own id what it had before."""
    shared, calls = leads.shared, leads.calls
    given_up = pc.is_in(claims["user_id"], value_set=leads.id.filter(pa.array(~calls)))
    calling = pc.is_in(claims["user_id"], value_set=leads.id.filter(pa.array(calls & shared)))
    rows = claims.filter(pc.or_(given_up, pc.and_(calling, claims["alone"])))
    rows = rows.group_by(["record_key", "user_id"]).aggregate([("alone", "max")])
    rows = rows.rename_columns(["record_key", "user_id", "alone"])
    return rows.sort_by([("record_key", "ascending"), ("user_id", "ascending")])
