"""JSON whose objects are of several kinds: each kind is read by a table of its own, a part.

A line is a page with lists (`{"tickets": […], "users": […]}`) or an object by itself; what an
object is, its part's `when` says. A part that is `inside` another's objects has a row for each
entry of a list there that its `when` fits; it sees the object's fields as `above.<field>` and its
place in the list (from 0) as `above.place`. Every row is one record of one part; an object that no
part knows is quarantined.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import ibis

from ingestion.columns import Columns
from ingestion.dedupe import NEWEST
from ingestion.functions import json_at, json_kinds, json_merged, json_texts, json_values
from ingestion.mapping import Mapping as Mapped
from ingestion.record import ROW, Dataset, Reading, Rows
from ingestion.sources import tables
from ingestion.sources.received import json_lines, json_path, located, used_columns
from ingestion.table import Table
from kg.lake.files import LINE, PATH, POSITION, PROBLEM, RAW
from kg.lake.scratch import Scratch

ABOVE = "above"
_KNOWN = "_known:"  # before the name of a part: whether an object is its own
_ORIGIN = (PATH, POSITION, PROBLEM, RAW, LINE)
_UNKNOWN = ""  # the part of what no part knows


def read(scratch: Scratch, dataset: Dataset, mapping: Mapped, salt: str) -> Reading:
    """Read the files of a dataset as records of the kinds that its parts say."""
    rows = _by_part(scratch, dataset)
    there = {row["_part"] for row in scratch.fetch(rows.select("_part").distinct())}
    made: dict[str, Reading] = {}
    parts = dataset.table.parts
    for name in sorted(there & parts.keys(), key=lambda name: (bool(parts[name].links), name)):
        part = parts[name]
        mine = rows.filter(rows["_part"] == name).drop("_part")
        linked = {
            label: _newest_first(
                scratch, rows.filter(rows["_part"] == link.part), made.get(str(link.part))
            )
            for label, link in part.links.items()
        }
        own = replace(dataset, table=part, links={})
        made[name] = tables.reading(scratch, own, mapping, salt, mine, {}, linked)
    named = [_named(name, one.rows) for name, one in made.items()]
    together = _union([*named, _unknown(rows.filter(rows["_part"] == _UNKNOWN))])
    makes: dict[str, list[Callable[[Rows], Rows]]] = {}
    for name, one in made.items():
        for output, make in one.outputs.items():
            makes.setdefault(output, []).append(partial(_of_part, name, one.rows.columns, make))
    lists = {part.inside for part in parts.values()}
    unread = sorted({field for one in made.values() for field in one.unread} - lists)
    outputs: dict[str, Callable[[Rows], Rows]] = {
        output: partial(_all_of, several) for output, several in makes.items()
    }
    return Reading(scratch.view(together), outputs, unread=tuple(unread))


def _newest_first(scratch: Scratch, rows: Rows, read: Reading | None) -> Rows:
    """The rows that a link leads to, numbered from the newest: files may repeat one thing.

    Args:
        scratch: the engine.
        rows: of one part.
        read: what was read of them; None: nothing, or they take values by a link themselves.
    """
    if read is None or "version" not in read.rows.columns:
        return rows
    said = read.rows.select("source", "version", **{POSITION: "position"})
    both = rows.left_join(said, ["source", POSITION])
    order = [ibis.desc(both.version.fill_null(NEWEST)), both.source, both[POSITION]]
    number = ibis.row_number().over(ibis.window(order_by=order))
    return scratch.view(both.mutate(**{POSITION: number}).select(*rows.columns))


def _by_part(scratch: Scratch, dataset: Dataset) -> Rows:
    """All rows of the files, numbered per file, each with its `_part`."""
    parts = dataset.table.parts
    objects = _objects(scratch, dataset)
    columns = (*_ORIGIN, "_place", "_part")
    found = []
    for name, part in parts.items():
        rows = objects.filter(objects[_KNOWN + name]).mutate(_part=ibis.literal(name))
        found.append((_entries(rows, part) if part.inside else rows).select(*columns))
    known = ibis.or_(*[objects[_KNOWN + name] for name in parts])
    found.append(objects.filter(~known).mutate(_part=ibis.literal(_UNKNOWN)).select(*columns))
    rows = located(scratch, dataset, ibis.union(*found))
    order = ibis.window(group_by="source", order_by=[POSITION, "_place", "_part", LINE])
    numbered = rows.mutate(**{POSITION: ibis.row_number().over(order) + 1})
    return scratch.keep(numbered.drop("_place"))


def _objects(scratch: Scratch, dataset: Dataset) -> Rows:
    """The objects of the files, those of pages one by one, each marked by the parts it is of.

    Pages are large. They are opened as they stand in the files, one after the other: a few hundred
    of them in one batch of the engine, each parsed some times, do not fit into memory.
    """
    parts = dataset.table.parts
    rows = json_lines(scratch.rows(list(dataset.staged.values())))
    rows = scratch.view(_marked(rows.select(*_ORIGIN), parts, None))
    lists = list(dict.fromkeys(part.rows for part in parts.values() if part.rows))
    known = ibis.or_(*[rows[_KNOWN + name] for name in parts])
    listed = ibis.or_(*[_is_list(rows, parts, name) for name in lists], ibis.literal(False))
    marks = [_KNOWN + name for name in parts]
    alone = rows.filter(known | ~listed).mutate(_place=ibis.literal(0, "int64"))
    found = [alone.select(*_ORIGIN, "_place", *marks)]
    for turn, name in enumerate(lists):
        page = rows.filter(~known & _is_list(rows, parts, name)).select(*_ORIGIN)
        page = page.mutate(_inside=json_values(page[LINE], f"{json_path(name)}[*]"))
        page = page.drop(LINE).unnest("_inside", offset="_number")  # else each repeats its page
        page = page.select(
            *[one for one in _ORIGIN if one != LINE],
            _place=page["_number"].cast("int64") + ((turn + 1) << 32),
            **{LINE: page["_inside"]},
        )
        found.append(_marked(page, parts, name).select(*found[0].columns))
    return scratch.keep(ibis.union(*found) if len(found) > 1 else found[0])


def _marked(rows: Rows, parts: dict[str, Table], listed: str | None) -> Rows:
    """Objects with a mark for each part that they are of; of a list only those read from there."""
    rows = rows.mutate(
        _texts=json_texts(rows[LINE], ibis.literal(_asked(parts))),
        _kinds=json_kinds(rows[LINE], ibis.literal(_lists(parts))),
    )
    alone = [one for one in parts.values() if one.rows == listed and not one.inside]
    marks, taken = {}, ibis.literal(False)
    for name, part in parts.items():
        if listed is not None and part.rows != listed:
            known = ibis.literal(False)
        elif part.inside:
            known = _is_list(rows, parts, part.inside)
        elif listed is not None and len(alone) == 1:
            known = rows[LINE].startswith("{").fill_null(False)  # the list says what it holds
        else:  # an object is of one part: the first that it fits
            fits = _fits(rows, parts, part)
            known, taken = fits & ~taken, taken | fits
        marks[_KNOWN + name] = known
    return rows.mutate(**marks)


def _asked(parts: Mapping[str, Table]) -> list[str]:
    """The paths of the texts that tell what an object is."""
    return list(dict.fromkeys(path for part in parts.values() for name in part.when
                              for path in _paths(part, name))) or ["$"]  # fmt: skip


def _paths(part: Table, name: str) -> list[str]:
    return [json_path(one) for one in (name, *part.names.get(name, ()))]


def _lists(parts: Mapping[str, Table]) -> list[str]:
    """The paths of the lists that objects may stand in, or have inside."""
    names = dict.fromkeys(name for part in parts.values() for name in (part.rows, part.inside))
    return [json_path(name) for name in names if name] or ["$"]


def _is_list(rows: Rows, parts: Mapping[str, Table], name: str) -> Any:
    kind = rows["_kinds"][_lists(parts).index(json_path(name))]
    return (kind == "ARRAY").fill_null(False)


def _fits(rows: Rows, parts: Mapping[str, Table], part: Table) -> Any:
    """Whether an object is what a part's `when` says."""
    asked, texts = _asked(parts), {}
    for name in part.when:
        read = [rows["_texts"][asked.index(path)] for path in _paths(part, name)]
        texts[name] = ibis.coalesce(*[text.strip().nullif("") for text in read])
    return Columns(texts, {name: name for name in texts}, {}, {}).holds(part.when)


def _entries(rows: Rows, part: Table) -> Rows:
    """The entries of a list in each object, which see its fields as `above`."""
    assert part.inside is not None  # noqa: S101 - asked before
    listed = json_values(rows[LINE], f"{json_path(part.inside)}[*]")
    rows = rows.mutate(_above=_seen_below(rows, part), _inside=listed).drop(LINE)
    rows = rows.unnest("_inside", offset="_number")
    above = ibis.literal(f'{{"{ABOVE}": {{"place": ') + rows["_number"].cast("string")
    rows = rows.mutate(**{LINE: json_merged(rows["_inside"], above + rows["_above"])})
    own = {"": part}
    rows = rows.mutate(_texts=json_texts(rows[LINE], ibis.literal(_asked(own))))
    return rows.filter(_fits(rows, own, part))


def _seen_below(rows: Rows, part: Table) -> Any:
    """The fields of an object that the entries of its list ask for, as the end of a JSON object."""
    own = [*used_columns(part), *part.when]
    used = [name.split(".") for name in [*own, *(o for n in own for o in part.names.get(n, ()))]]
    names = dict.fromkeys(path[1] for path in used if path[0] == ABOVE and path[1] != "place")
    fields = [
        ibis.literal(f', "{name}": ')
        + json_at(rows[LINE], ibis.literal(json_path(name))).cast("string").fill_null("null")
        for name in names
    ]
    return ibis.literal("").join([*fields, ibis.literal("}}")])


def _named(name: str, rows: Rows) -> Rows:
    """The rows of a part with its name before its own columns and in its ids, so that those of
    several parts stand beside each other."""
    own = {column: f"{name}:{column}" for column in rows.columns if column not in ROW}
    own.pop("version", None)
    renamed = rows.rename({new: column for column, new in own.items()})
    return renamed.mutate(id=ibis.literal(f"{name}/") + renamed.id, _part=ibis.literal(name))


def _of_part(name: str, columns: Sequence[str], make: Callable[[Rows], Rows], rows: Rows) -> Rows:
    """What a part makes of its own accepted rows."""
    mine = rows.filter(rows["_part"] == name)
    taken = {column: mine[column if column in ROW or column == "version" else f"{name}:{column}"]
             for column in columns}  # fmt: skip
    return make(mine.select("record_key", **taken))


def _all_of(makes: Sequence[Callable[[Rows], Rows]], rows: Rows) -> Rows:
    found = [make(rows) for make in makes]
    return (
        found[0]
        if len(found) == 1
        else ibis.union(*[one.select(*found[0].columns) for one in found])
    )


def _unknown(rows: Rows) -> Rows:
    """What no part knows, with the reason of its quarantine."""
    problem = ibis.coalesce(rows[PROBLEM], ibis.literal("unknown_type"))
    nothing = ibis.null("string")
    return rows.select(
        "source",
        position=POSITION,
        id=nothing,
        content=nothing,
        part=nothing,
        detail=nothing,
        problem=problem,
        raw=ibis.coalesce(rows[RAW], rows[LINE]).substr(0, 1 << 16),
        kind=ibis.literal("event"),
        occurred_at_ms=ibis.null("int64"),
        recorded_at_ms="modified_at_ms",
        named=ibis.literal(False),
        dropped_identifiers=ibis.literal(0, "int64"),
        _part=ibis.literal(_UNKNOWN),
    )


def _union(tables_: Sequence[Rows]) -> Rows:
    """Rows of several shapes as one; what one of them has no column for is nothing there."""
    types: dict[str, Any] = {}
    for one in tables_:
        types |= dict(one.schema().items())
    filled = [
        one.select(**{
            name: one[name].cast(kind) if name in one.columns else ibis.null(kind)
            for name, kind in types.items()
        })
        for one in tables_
    ]  # fmt: skip
    return ibis.union(*filled)
