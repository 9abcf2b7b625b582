"""From files of product events to one row per message, with the texts of all its places.

Whatever a format is written as (JSON lines, lists, batches, Parquet, text of its own), it becomes
one JSON object per message here; a line or a message that cannot is a problem with its reason.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import (
    json_keys,
    json_merged,
    json_of,
    json_plain,
    json_shaped,
    json_text,
    json_valid,
    json_values,
)
from ingestion.record import Dataset, Rows
from ingestion.sources.formats import COLUMNS, Format
from ingestion.sources.received import received
from ingestion.table import Table
from kg.lake.files import LINE, POSITION, PROBLEM, RAW
from kg.lake.scratch import Scratch

_NOTHING = ibis.null("string")
_KEPT = 1 << 16
BASE = ("source", "modified_at_ms", "position", "part", "place", "problem", "raw", "line")


def messages(scratch: Scratch, dataset: Dataset, form: Format) -> Rows:
    """One row per message: the columns of `BASE`.

    `line` is the message, a JSON object, or null where there is a `problem`; `raw` what stands in
    the file, where the message is not all of it; `part` and `place` tell the messages of one line
    apart.
    """
    rows, names = received(scratch, dataset)
    rows = _as_json(rows, names, form)
    # What had to be made is made once.
    rows = scratch.view(rows) if form.parsed is None else scratch.keep(rows)
    if form.unfolded is not None:
        return scratch.keep(_objects_only(form.unfolded(rows)))
    several = _holds_several(rows, form)
    if not scratch.fetch(rows.agg(some=several.any().fill_null(False)))[0]["some"]:
        return scratch.view(_objects_only(_alone(rows)))
    return scratch.view(_objects_only(_unfolded(rows.mutate(several=several), form)))


def _as_json(rows: Rows, names: dict[str, str], form: Format) -> Rows:
    """Every row with its line as valid JSON text, or the problem it is."""
    if LINE not in rows.columns:
        line = json_of({name: _embedded(rows[own], name, form) for name, own in names.items()})
        rows = rows.mutate(**{LINE: line})
    trouble = ibis.literal("invalid_json")
    found, raw = rows[LINE], _NOTHING
    if form.parsed is not None:
        parsed = form.parsed(rows)
        found, trouble, raw = parsed["json"], parsed["trouble"], rows[LINE]
    good = json_valid(found).fill_null(False)
    return rows.select(
        "source",
        "modified_at_ms",
        position=POSITION,
        problem=(rows[PROBLEM].isnull() & ~good).ifelse(trouble, rows[PROBLEM]),
        raw=ibis.coalesce(rows[RAW], raw, good.ifelse(_NOTHING, rows[LINE])).substr(0, _KEPT),
        line=good.ifelse(found, _NOTHING),
    )


def _embedded(column: Any, name: str, form: Format) -> Any:
    """A column; JSON that it holds as text becomes part of the object, what is none stays text."""
    if name not in form.embedded or not column.type().is_string():
        return column
    return json_valid(column).ifelse(column, json_text(column)).cast("json")


def _holds_several(rows: Rows, form: Format) -> Any:
    listed = ~_is_object(rows.line)
    if form.batch is not None:
        listed = listed | rows.line.contains(f'"{form.batch}"')
    return listed.fill_null(False)


def _is_object(line: Any) -> Any:
    """Whether JSON text is an object; hardly any begins with white space, and to trim costs."""
    return line.startswith("{").ifelse(True, line.lstrip().startswith("{"))


def _alone(rows: Rows) -> Rows:
    return rows.mutate(part=_NOTHING, place=rows.position.cast("string"))


def _unfolded(rows: Rows, form: Format) -> Rows:
    """Lines with a list or a batch as one row for each message in them."""
    lines = rows.filter(rows.several)
    inside = json_values(lines.line, "$[*]")
    if form.batch is not None:
        listed = lines.line.lstrip().startswith("[")
        inside = listed.ifelse(inside, json_values(lines.line, f'$."{form.batch}"[*]'))
    lines = lines.mutate(inside=inside, is_batch=inside.length() > 0)
    single = rows.filter(~rows.several).drop("several")
    single = single.union(lines.filter(~lines.is_batch).select(*single.columns))
    lines = lines.filter(lines.is_batch)
    if form.envelope:
        lines = lines.mutate(around=json_of(json_shaped(lines.line, _shape(form.envelope))))
    lines = lines.unnest("inside", offset="number")
    line = lines.inside
    if form.envelope:
        # Not into what is no object: merging would make it one.
        line = line.startswith("{").ifelse(json_merged(lines.around, line), line)
    part = lines.number.cast("string")
    place = lines.position.cast("string") + ibis.literal(".") + (lines.number + 1).cast("string")
    exploded = lines.mutate(line=line, part=part, place=place)
    return _alone(single).select(*BASE).union(exploded.select(*BASE))


def _shape(names: tuple[str, ...]) -> dict[str, str]:
    return dict.fromkeys(names, "JSON")


def _objects_only(rows: Rows) -> Rows:
    """What is JSON but no object is a problem, too."""
    stray = (rows.problem.isnull() & ~_is_object(rows.line)).fill_null(False)
    return rows.select(
        *[name for name in BASE if name not in {"problem", "raw", "line"}],
        problem=stray.ifelse("invalid_json", rows.problem),
        raw=stray.ifelse(ibis.coalesce(rows.raw, rows.line.substr(0, _KEPT)), rows.raw),
        line=stray.ifelse(_NOTHING, rows.line),
    )


def texts(scratch: Scratch, rows: Rows, form: Format, table: Table) -> Rows:
    """Messages with the text of every column, `wrong` (a place whose type has changed, and how) and
    `new_fields` (top-level names that the format is not known to have)."""
    wanted = _wanted(form, table)
    paths = list(dict.fromkeys(path for where in wanted.values() for path in where))
    unpacked = form.unpacked(rows)
    rows = scratch.view(rows.mutate(**unpacked)) if unpacked else rows
    further = {name: text.cast("string") for name, text in form.objects_of(rows).items()}
    inside = _containers(paths)
    top = {
        name: "JSON" if name in inside else "VARCHAR"
        for name in dict.fromkeys(path.partition(".")[0] for path in paths)
        if name not in further
    }
    top |= dict.fromkeys(form.objects, "JSON")
    keys = json_keys(rows.line)
    rows = scratch.view(
        rows.mutate(
            _top=json_shaped(rows.line, top),
            new_fields=keys.filter(lambda key: ~_is_known(key, form)),
            **{f"_x_{name}": text for name, text in further.items()},
        )
    )
    texts = _Texts(inside, set(further))
    rows = scratch.view(rows.mutate(wrong=_wrong(texts, rows, form), **texts.opened(rows, 1)))
    for depth in range(2, 1 + max([path.count(".") + 1 for path in inside], default=1)):
        rows = scratch.view(rows.mutate(**texts.opened(rows, depth)))
    found = {
        column: ibis.coalesce(*[texts.at(rows, path).nullif("") for path in where])
        if where
        else _NOTHING
        for column, where in wanted.items()
    }
    return scratch.view(rows.select(*BASE, "new_fields", "wrong", **found))


def _containers(paths: list[str]) -> dict[str, dict[str, Any]]:
    """Path -> the structure below it, of top-level objects and of what is wanted as a whole while
    something in it is wanted, too."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        names = path.split(".")
        uppers = [".".join(names[:count]) for count in range(1, len(names))]
        for upper in uppers:
            if upper in paths or "." not in upper:
                found.setdefault(upper, {})
    for path in [*paths, *found]:
        above = _container_of(path, found)
        if above is None:
            continue
        node, names = found[above], path.removeprefix(f"{above}.").split(".")
        for name in names[:-1]:
            node = node.setdefault(name, {})
        node[names[-1]] = "JSON" if path in found else "VARCHAR"
    return found


def _container_of(path: str, containers: Mapping[str, Any]) -> str | None:
    uppers = [upper for upper in containers if path.startswith(f"{upper}.")]
    return max(uppers, key=len, default=None)


class _Texts:
    """Finds the text at a path, among objects that are opened one level after the other."""

    def __init__(self, containers: Mapping[str, dict[str, Any]], further: set[str]) -> None:
        self._containers = containers
        self._further = further
        self._columns = {path: f"_o{number}" for number, path in enumerate(containers)}

    def opened(self, rows: Rows, depth: int) -> dict[str, Any]:
        """Columns with the insides of the containers at a depth; of what is no object, nothing."""
        found = {}
        for path, inside in self._containers.items():
            if path.count(".") + 1 == depth:
                text = self.written(rows, path)
                text = text.startswith("{").ifelse(text, _NOTHING)
                found[self._columns[path]] = json_shaped(text, inside)
        return found

    def at(self, rows: Rows, path: str) -> Any:
        """The text at a path; of an object or a list its JSON."""
        text = self.written(rows, path)
        if path not in self._containers:
            return text
        return text.startswith('"').ifelse(json_plain(text, "$"), text)

    def written(self, rows: Rows, path: str) -> Any:
        """The text at a path, of a container as JSON: a text in quotes."""
        upper = _container_of(path, self._containers)
        if upper is None:
            return (rows[f"_x_{path}"] if path in self._further else rows["_top"][path]).cast(
                "string"
            )
        found = rows[self._columns[upper]]
        for name in path.removeprefix(f"{upper}.").split("."):
            found = found[name]
        return found.cast("string")


def _wanted(form: Format, table: Table) -> dict[str, tuple[str, ...]]:
    """Column or identifier -> its places; what a mapping adds is named `<namespace>.own0`."""
    own = {
        f"{name}.own{number}": (column,)
        for name, declared in table.identifiers.items()
        for number, column in enumerate(declared.column)
    }
    columns = {column: tuple(form.places.get(column, ())) for column in COLUMNS}
    further = {column: where for column, where in form.places.items() if column not in COLUMNS}
    return {**columns, **further, **named({**form.identifiers, **own})}


def named(identifiers: Mapping[str, Any]) -> dict[str, Any]:
    """Identifiers by the column that holds what was given: `given:anonymous_id`."""
    return {f"given:{name}": value for name, value in identifiers.items()}


def _is_known(field: Any, form: Format) -> Any:
    known = field.isin(sorted({*form.fields, *form.envelope}))
    return ibis.or_(known, *[field.startswith(prefix) for prefix in form.prefixes])


def _wrong(texts: _Texts, rows: Rows, form: Format) -> Any:
    """The first top-level field that should be an object and is none; null where all are."""
    found = []
    for name in sorted(form.objects):
        text = texts.written(rows, name)
        found.append((text.notnull() & ~text.startswith("{"), f"{name}: no object"))
    return ibis.cases(*found, else_=_NOTHING) if found else _NOTHING
