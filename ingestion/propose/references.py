"""Columns that refer to the people of another table, as a foreign key does: by name and values, or,
where a table names nobody else, by values alone. What is found so is always asked about."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingestion.propose.meanings import Meaning, counted, snake
from ingestion.propose.profiles import Column, Profile
from ingestion.propose.relations import Id, is_of_people, shared
from kg.lake.scratch import Scratch

_MOSTLY = 0.9  # of the values that refer to people are theirs; of a list, have their own address
_HALF = 0.5  # of the people must be referred to, where no name says that they are
_FEWEST = 5  # of them
_DOUBT = "does it refer to these people?"
_UNNAMED = {"", "id", "key", "no"}


def with_references(
    scratch: Scratch,
    profiles: Sequence[Profile],
    meanings: Sequence[dict[str, Meaning]],
    labels: Sequence[str],
) -> list[dict[str, Meaning]]:
    """The meanings, with ids of people where columns refer to those of a list of people."""
    keys = [Id(n, column, "person", "") for n, table in enumerate(profiles)
            for column in _keys(table, meanings[n])]  # fmt: skip
    others = [Id(n, column, "person", "") for n, table in enumerate(profiles)
              for column in table.columns.values()
              if _may_refer(column, meanings[n][column.name])]  # fmt: skip
    if not keys or not others:
        return list(meanings)
    ids = [*keys, *others]
    common = [
        (ids[a], ids[b])
        for (a, b), count in shared(scratch, profiles, ids).items()
        if a < len(keys) <= b and count >= _MOSTLY * ids[b].column.distinct
    ]
    found = [dict(one) for one in meanings]
    for key, other in _likeliest(common, meanings):
        name = found[key.table][key.column.name].name or snake(key.column.name)
        if name in _UNNAMED:
            name = snake(labels[key.table].removesuffix("s"))
        for one in (key, other):
            found[one.table][one.column.name] = Meaning("id", counted(one.column), "person", name)
        meant = found[other.table][other.column.name]
        found[other.table][other.column.name] = replace(meant, doubt=_DOUBT)
    return found


def _likeliest(
    common: Sequence[tuple[Id, Id]], meanings: Sequence[dict[str, Meaning]]
) -> Iterator[tuple[Id, Id]]:
    """Of keys and the columns that have their values: those of one name; else the only one of a
    table that names nobody, if it speaks of most of the people."""
    for n, meant in enumerate(meanings):
        mine = [one for one in common if one[1].table == n]
        named = [one for one in mine
                 if one[0].column.name.casefold() == one[1].column.name.casefold()]  # fmt: skip
        if named:
            yield named[0]
            continue
        many = [one for one in mine
                if one[1].column.distinct >= _HALF * one[0].column.distinct]  # fmt: skip
        people = [one for one in meant.values() if _names_people(one)]
        times = [one for one in meant.values() if one.what == "time"]
        if len(many) == 1 and times and not people:
            yield many[0]


def _names_people(one: Meaning) -> bool:
    return one.what in {"email", "phone"} or (one.what == "id" and one.detail == "person")


def _keys(table: Profile, meanings: dict[str, Meaning]) -> Iterator[Column]:
    """The columns of a list of people that are another in every row, and may be its keys."""
    mails = [table.columns[name] for name, one in meanings.items() if one.what == "email"]
    is_list = any(column.distinct >= _MOSTLY * column.given for column in mails)
    if is_list or (not mails and is_of_people(table)):
        yield from (column for column in table.columns.values()
                    if column.is_unique and _may_be_key(column, meanings[column.name])
                    and column.distinct >= _FEWEST)  # fmt: skip


def _may_refer(column: Column, one: Meaning) -> bool:
    """Whether a column has few enough values, each in several rows, and nothing else is known."""
    often = _FEWEST <= column.distinct < _MOSTLY * column.given
    return often and _may_be_key(column, one) and one.detail != "person"


def _may_be_key(column: Column, one: Meaning) -> bool:
    is_id = one.what == "id" and one.detail in {"", "person"}
    unknown = is_id or one.what in {"nothing", "trait"}
    is_fraction = column.is_number and column.whole < column.numbers
    is_text = column.share(column.sentences) >= 0.1 or column.kind in {"bool", "time"}
    return unknown and not is_fraction and not is_text
