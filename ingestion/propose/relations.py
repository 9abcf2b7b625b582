"""Which id columns speak of the same things: by their names and by the values they share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis

from ingestion.columns import as_text
from ingestion.propose.meanings import Meaning, entity_of, says, snake, words
from ingestion.propose.profiles import Column, Profile, open_rows
from kg.lake.scratch import Scratch

FEWEST_VALUES = 20  # below it, values of two columns are equal by chance
USUAL = {"user": "user_id", "anonymous": "anonymous_id", "device": "device_id"}  # as elsewhere
_MOSTLY, _SOME = 0.9, 0.1


@dataclass(frozen=True)
class Id:
    """An id column of a table.

    Attributes:
        table: its place in the list of tables.
        entity, namespace: what it is the id of, and its name; empty where nothing says so.
    """

    table: int
    column: Column
    entity: str
    namespace: str


@dataclass(frozen=True)
class Group:
    """Id columns that hold the same ids.

    Attributes:
        entity: person, item, basket, campaign, act or nothing.
        namespace: what the ids are called.
        why: (place of a table, column) -> where else its values are.
        apart: (place of a table, column) -> that no other column of its namespace has its values.
    """

    ids: tuple[Id, ...]
    entity: str
    namespace: str
    why: dict[tuple[int, str], str] = field(default_factory=dict)
    apart: dict[tuple[int, str], str] = field(default_factory=dict)


def group_ids(
    scratch: Scratch,
    profiles: Sequence[Profile],
    meanings: Sequence[dict[str, Meaning]],
    labels: Sequence[str],
) -> list[Group]:
    """All id columns, those that hold the same ids together."""
    ids = [
        Id(n, profiles[n].columns[name], *_named(one, labels[n], profiles[n]))
        for n, found in enumerate(meanings)
        for name, one in found.items()
        if one.what == "id"
    ]
    common = shared(scratch, profiles, ids)
    joined = {pair: count for pair, count in common.items()
              if _same(ids[pair[0]], ids[pair[1]], count)}  # fmt: skip
    parent = list(range(len(ids)))

    def root(n: int) -> int:
        while parent[n] != n:
            n = parent[n]
        return n

    for a, b in joined:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    members: dict[int, list[int]] = {}
    for n in range(len(ids)):
        members.setdefault(root(n), []).append(n)
    whys = {(ids[n].table, ids[n].column.name): _found_in(n, ids, joined, labels)
            for n in range(len(ids))}  # fmt: skip
    groups = [_group([ids[n] for n in mine], profiles, labels, whys) for mine in members.values()]
    spaces = {n: group.namespace for mine, group in zip(members.values(), groups, strict=True)
              for n in mine}  # fmt: skip
    apart = {(ids[n].table, ids[n].column.name): told for n in spaces
             if (told := _apart(n, ids, spaces, common, labels))}  # fmt: skip
    return [replace(group, apart=apart) for group in groups]


def _apart(
    n: int,
    ids: Sequence[Id],
    spaces: dict[int, str],
    common: dict[tuple[int, int], int],
    labels: Sequence[str],
) -> str:
    """That a column shares no value with any of its namespace, if so: ids may be written in two
    ways (`1.0`, `001`), or be of two systems."""
    alike = [m for m, one in enumerate(ids) if spaces[m] == spaces[n] and one.table != ids[n].table]
    if not alike or any(common.get((min(n, m), max(n, m))) for m in alike):
        return ""
    first = ids[alike[0]]
    return (
        f"none of its values is one of {first.column.name} of {labels[first.table]}: are they "
        "written otherwise there (1, 1.0, 001), or ids of another system?"
    )


def _named(one: Meaning, label: str, table: Profile) -> tuple[str, str]:
    """Entity and namespace of an id; one that is just called `Id` is the id of its table's rows."""
    if one.name not in {"", "id", "key", "no"} or is_of_people(table):
        return one.detail, one.name
    entity, name = entity_of(label.removesuffix("s"))
    return (entity, name) if entity not in {"", "other"} else ("", one.name)


def _group(
    ids: list[Id],
    profiles: Sequence[Profile],
    labels: Sequence[str],
    whys: dict[tuple[int, str], str],
) -> Group:
    """The name of a group is that of its key; what it is of, what most of its columns say."""
    keys = sorted(ids, key=lambda one: (not one.column.is_unique, one.table))
    entities = [one.entity for one in keys if one.entity]
    entity = max(entities, key=lambda one: (entities.count(one), -entities.index(one)), default="")
    # An id of nothing in particular that stands beside what only people have.
    if not entity and any(o.column.is_unique and is_of_people(profiles[o.table]) for o in keys):
        entity = "person"
    named = [one.namespace for one in keys if one.namespace not in {"", "id", "key", "no"}]
    namespace = named[0] if named else snake(labels[keys[0].table].removesuffix("s"))
    namespace = USUAL.get(namespace, namespace)
    mine = {(one.table, one.column.name): whys[one.table, one.column.name] for one in ids}
    return Group(tuple(ids), entity, namespace, mine)


def is_of_people(table: Profile) -> bool:
    """Whether a table has columns that only people have."""
    return sum(says(name, words()["people"]) for name in table.columns) >= 2


def _same(one: Id, other: Id, count: int) -> bool:
    """Whether two columns certainly hold the same ids (owner_user those of user)."""
    smaller = min(one.column.distinct, other.column.distinct)
    share = count / smaller if smaller else 0.0
    if one.namespace == other.namespace and one.namespace not in {"", "id"}:
        return share >= _SOME or smaller < FEWEST_VALUES
    # Numbers that count from one are shared by everything; ids with letters are not.
    lettered = not one.column.is_number and not other.column.is_number
    ends = sorted((one.namespace, other.namespace), key=len)
    alike = bool(ends[0]) and one.entity == other.entity and ends[1].endswith(f"_{ends[0]}")
    return (lettered or alike) and smaller >= FEWEST_VALUES and share >= _MOSTLY


def _found_in(
    n: int, ids: Sequence[Id], joined: dict[tuple[int, int], int], labels: Sequence[str]
) -> str:
    """Where else the values of a column are: in the key of another table, if in one."""
    others = [(ids[b if a == n else a], count) for (a, b), count in joined.items() if n in (a, b)]
    if not others:
        return ""
    best, count = max(others, key=lambda one: (one[0].column.is_unique, one[1], -one[0].table))
    own = ids[n].column.distinct
    return f"{count:,} of the {own:,} values are {best.column.name} of {labels[best.table]}"


def shared(
    scratch: Scratch, profiles: Sequence[Profile], ids: Sequence[Id]
) -> dict[tuple[int, int], int]:
    """Pairs of id columns of different tables -> how many values they share."""
    parts: list[Any] = []
    for n, one in enumerate(ids):
        table = profiles[one.table]
        rows = open_rows(scratch, table.staged, [one.column.name])
        text = as_text(rows["c0"]).strip().nullif("")
        parts.append(rows.select(value=text).distinct().mutate(place=ibis.literal(n, "int64")))
    if len(parts) < 2:
        return {}
    values = scratch.keep(ibis.union(*parts).filter(ibis._.value.notnull()))
    other = scratch.view(values.select(value="value", other="place"))
    pairs = values.join(other, "value").filter(ibis._.place < ibis._.other)
    counted = scratch.fetch(pairs.group_by("place", "other").agg(count=ibis._.count()))
    return {
        (row["place"], row["other"]): row["count"]
        for row in counted
        if ids[row["place"]].table != ids[row["other"]].table
    }
