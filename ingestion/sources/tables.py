"""Generic tables (CSV, Parquet, JSON lines): a mapping says which column is what."""

from typing import Any

import ibis

from ingestion.columns import Checked, Columns, Needs, first_problem, prepare
from ingestion.details import details
from ingestion.functions import json_keys, md5
from ingestion.mapping import Mapping
from ingestion.nested import split
from ingestion.record import Dataset, Reading, Rows
from ingestion.sources.declared import by_kind, expected, item_id, json_object, short, single
from ingestion.sources.naming import Named, merged_columns, named
from ingestion.sources.outputs import outputs
from ingestion.sources.received import (
    findable,
    linked_rows,
    received,
    unwrapped,
    used_columns,
)
from ingestion.strays import strays
from ingestion.table import Table
from kg.lake.files import LINE, POSITION, PROBLEM, RAW
from kg.lake.scratch import Scratch

_KINDS = {"event": "event", "profile": "profile", "consent": "profile"}


def read(
    scratch: Scratch, dataset: Dataset, mapping: Mapping, salt: str, *, skip: int = 0
) -> Reading:
    """Read the readable files of a dataset as records of its kind.

    Args:
        scratch: the engine that holds the staged files.
        dataset: a generic table with staged sources of one shape.
        mapping: what it belongs to.
        salt: keeps content hashes of one workspace from being compared with another's.
        skip: how many rows of each file stand below its header and are no records.
    """
    rows, own = received(scratch, dataset)
    rows = rows.filter(rows[POSITION] > skip) if skip else rows
    if LINE in rows.columns:
        rows = unwrapped(rows, dataset.table.rows)
    return reading(scratch, dataset, mapping, salt, rows, own)


def reading(
    scratch: Scratch,
    dataset: Dataset,
    mapping: Mapping,
    salt: str,
    rows: Rows,
    own: dict[str, str],
    linked: dict[str, Rows] | None = None,
) -> Reading:
    """What a table makes of rows that were received.

    Args:
        scratch, dataset, mapping, salt: as of `read`.
        rows: with the columns of their files, or lines of JSON.
        own: their columns -> what they are called here.
        linked: link -> the rows it leads to; else they are those of the dataset's linked files.
    """
    table = dataset.table
    others = linked or {name: linked_rows(scratch, staged)
                        for name, staged in dataset.links.items()}  # fmt: skip
    rows, find = findable(scratch, table, rows, own, others)
    columns = prepare(scratch, rows, find, _needs(table), table.missing, mapping.time_zone)
    columns, names = named(scratch, table, columns)
    rows = columns.rows
    found = by_kind(table, columns)
    if table.person:
        found |= {f"person_{name}": Checked(text) for name, text
                  in details(table.person, columns).items()}  # fmt: skip
    found |= merged_columns(table, columns)
    key = columns.joined(table.key, "/") if table.key else _default_key(table, columns)
    # Rows that repeat an item may well differ.
    is_compared = key is None or bool(table.key)
    if key is not None:
        lost = key.isnull().ifelse("missing_id", ibis.null("string"))
        found = {"key": Checked(key, lost, ibis.literal(", ".join(table.key) or "item")), **found}
    found |= dict(single(table, columns) if LINE in rows.columns else ())
    found |= dict(expected(table, columns))
    found |= dict(short(table, columns, found))
    part = columns.text(table.part) if table.part else ibis.null("string")
    concerned = ~ibis.or_(*[columns.holds(one) for one in table.nobody])
    rows = rows.mutate(_concerned=concerned)
    rows = scratch.view(_valued(rows, names, found, key, part))
    reason = rows["_reason"]
    selected = rows.select(
        "source",
        "id",
        "part",
        "detail",
        "occurred_at_ms",
        "named",
        "dropped_identifiers",
        "_concerned",
        *[name for name in (*names, *found) if name not in {"time", "key", "newest"}],
        position=POSITION,
        content=_content(rows, own, table, salt) if is_compared else ibis.null("string"),
        problem=reason,
        raw=reason.notnull().ifelse(_raw(rows, own), ibis.null("string")),
        kind=ibis.literal(_KINDS.get(table.kind or "", "item")),
        recorded_at_ms=rows.modified_at_ms,
        **({"version": rows.newest} if table.newest or table.newest_file else {}),
        **({"by_file": ibis.literal(True)} if table.newest_file else {}),
        **({"once": ibis.literal(True)} if _tells_arms(table) else {}),
    )
    known = _known(scratch, rows, own)
    unread = _unread(table, known, is_json=LINE in rows.columns)
    own_table = mapping.tables.get(dataset.name) is table  # not made up by another reader
    said = tuple(strays(mapping, dataset.name, known, used_columns(table))) if own_table else ()
    return Reading(selected, dict(outputs(dataset, names)), unread=unread, warnings=said)


def _tells_arms(table: Table) -> bool:
    """Whether a row says that a person was sent a campaign or held out, and nothing else."""
    verbs = [case.value.constant for case in table.verb]
    return table.campaign is not None and table.campaign.arm is not None and verbs == ["received"]


def _valued(rows: Rows, names: Named, found: dict[str, Checked], key: Any, part: Any) -> Rows:
    """The rows with everything the records need, and `_reason` where they cannot have it."""
    reason, detail = first_problem(list(found.values()))
    dropped = [_lost_values(given, value) for given, value, _, _ in names.values()]
    structural = rows[PROBLEM]
    return rows.mutate(
        id=ibis.null("string") if key is None else key,
        part=part,
        occurred_at_ms=found["time"].value,
        named=rows["_concerned"]
        & ibis.or_(*[_is_given(value) for _, value, _, _ in names.values()]),
        dropped_identifiers=_total(dropped),
        _reason=ibis.coalesce(structural, reason),
        detail=structural.isnull().ifelse(detail, ibis.null("string")),
        **{name: one.value for name, one in found.items() if name not in {"time", "key"}},
    )


def _is_given(value: Any) -> Any:
    return value.length() > 0 if value.type().is_array() else value.notnull()


def _lost_values(given: Any, value: Any) -> Any:
    """How many of the identifiers that were given name nobody."""
    if value.type().is_array():
        return given.length() - value.length()
    return (given.notnull() & value.isnull()).cast("int64")


def _known(scratch: Scratch, rows: Rows, own: dict[str, str]) -> list[str]:
    """The columns (of JSON: the fields) that the files have."""
    if LINE not in rows.columns:
        return list(own)
    keys = rows.select(key=json_keys(rows[LINE])).unnest("key").distinct()
    return [row["key"] for row in scratch.fetch(keys)]


def _unread(table: Table, known: list[str], *, is_json: bool) -> tuple[str, ...]:
    """The columns (of JSON: the fields) that the mapping makes nothing of."""
    names = [*used_columns(table), *(table.required or ())]
    if is_json:
        names += [other for others in table.names.values() for other in others]
        names = [name.partition(".")[0] for name in names]
    used = {column for name in names for column in table.columns_for(name, known)}
    others = (other for several in table.names.values() for other in several)
    used |= {split(name, known)[0] for name in (*names, *others)
             if name.partition(".")[0] not in table.links}  # fmt: skip
    used |= {name for link in table.links.values() for name in link.matches()}
    return tuple(sorted(set(known) - used - set(table.ignore_columns)))


def _needs(table: Table) -> Needs:
    amounts = [table.quantity, table.value, table.item.price if table.item else None]
    amounts += [one for further in table.then for one in (further.quantity, further.value)]
    numbers = [name for value in amounts if value for name in value.columns()]
    conditions = [case.when for case in table.verb]
    conditions += table.item.unless if table.item else ()
    conditions += [*table.nobody, *(one.when for one in table.identifiers.values())]
    for further in table.then:
        conditions += [further.when, *(case.when for case in further.verb)]
    numbers += [name for one in conditions for name, test in one.items() if test.is_numeric()]
    times = {"time": table.time, "newest": table.newest}
    if table.item:
        times |= {"starts": table.item.starts, "ends": table.item.ends}
    times |= {f"then_{number}": further.time for number, further in enumerate(table.then)}
    times |= {f"until_{number}": consent.until for number, consent in enumerate(table.consents)}
    given = {label: time for label, time in times.items() if time is not None}
    return Needs(tuple(used_columns(table)), tuple(numbers), given, table.lists, table.forms)


def _default_key(table: Table, columns: Columns) -> Any:
    return item_id(table, columns) if table.kind in {"item", "campaign"} else None


def _content(rows: Rows, own: dict[str, str], table: Table, salt: str) -> Any:
    if LINE in rows.columns:
        return md5(ibis.literal(salt) + rows[LINE])
    leave = {table.part, *table.ignore_columns}
    names = [ours for name, ours in sorted(own.items()) if name not in leave]
    texts = [rows[name].cast("string").fill_null("\x1e") for name in names]
    return md5(ibis.literal("\x1f").join([ibis.literal(salt), *texts]))


def _raw(rows: Rows, own: dict[str, str]) -> Any:
    if LINE in rows.columns:
        whole = rows[LINE]
    else:
        whole = json_object({name: rows[ours].cast("string") for name, ours in own.items()})
    return ibis.coalesce(rows[RAW], whole).substr(0, 1 << 16)


def _total(numbers: list[Any]) -> Any:
    total = ibis.literal(0, "int64")
    for number in numbers:
        total = total + number.fill_null(0)
    return total
