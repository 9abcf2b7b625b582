"""The rows that files have, and how a name of the mapping is found among them."""

from collections.abc import Callable
from typing import Any

import ibis
import pyarrow as pa

from ingestion.columns import as_text
from ingestion.forms import formed
from ingestion.functions import json_texts, json_valid, json_values
from ingestion.nested import value_at
from ingestion.record import Dataset, Rows
from ingestion.table import Table
from ingestion.values import Time, Value
from kg.lake.files import LINE, PATH, POSITION, PROBLEM, RAW, Staged
from kg.lake.scratch import Scratch

_OURS = {PATH, POSITION, PROBLEM, RAW}
_MOST_ROWS = 1 << 40  # of a file


def received(scratch: Scratch, dataset: Dataset) -> tuple[Rows, dict[str, str]]:
    """The rows of a dataset's readable files, with `source` and `modified_at_ms` of their file.

    Returns:
        The rows, and the files' own column names -> what they are called here, so that no name of
        theirs is mistaken for one of ours.
    """
    sources = [source for source in dataset.sources if source.name in dataset.staged]
    rows = scratch.rows([dataset.staged[source.name] for source in sources])
    theirs = [name for name in rows.columns if name not in {*_OURS, LINE}]
    names = {name: f"_u{number}" for number, name in enumerate(theirs)}
    return located(scratch, dataset, rows.rename({own: name for name, own in names.items()})), names


def located(scratch: Scratch, dataset: Dataset, rows: Rows) -> Rows:
    """Rows of a dataset's readable files with `source` and `modified_at_ms` of their file."""
    sources = [source for source in dataset.sources if source.name in dataset.staged]
    if len(sources) == 1:
        return rows.mutate(
            source=ibis.literal(sources[0].name),
            modified_at_ms=ibis.literal(sources[0].modified_at_ms, "int64"),
        )
    files = scratch.given(
        pa.table(
            {
                PATH: [str(dataset.staged[source.name].path) for source in sources],
                "source": [source.name for source in sources],
                "modified_at_ms": [source.modified_at_ms for source in sources],
            }
        )
    )
    return rows.inner_join(files, PATH)


def linked_rows(scratch: Scratch, staged: tuple[Staged, ...]) -> Rows:
    """The rows of linked files, numbered so that those of an earlier one of these come first."""
    rows = scratch.rows(list(staged))
    if len(staged) < 2:
        return rows
    turn = ibis.cases(*((rows[PATH] == str(one.path), n) for n, one in enumerate(staged)))
    return rows.mutate(**{POSITION: turn.cast("int64") * _MOST_ROWS + rows[POSITION]})


def json_fields(rows: Rows, paths: list[str]) -> Rows:
    """JSON lines with `_fields`, the values at the paths as text; see `json_lines`."""
    rows = json_lines(rows)
    return rows.mutate(_fields=json_texts(rows[LINE], ibis.literal(paths)))


def json_lines(rows: Rows) -> Rows:
    """JSON lines of which what is no JSON object is a problem `invalid_json` and keeps its line as
    `_raw`."""
    line = rows[LINE]
    good = (json_valid(line) & line.lstrip().startswith("{")).fill_null(False)
    broken = rows[PROBLEM].isnull() & ~good
    return rows.mutate(
        **{
            PROBLEM: broken.ifelse("invalid_json", rows[PROBLEM]),
            RAW: broken.ifelse(line.substr(0, 1 << 16), rows[RAW]),
            LINE: good.ifelse(line, ibis.null("string")),
        }
    )


def unwrapped(rows: Rows, path: str | None) -> Rows:
    """JSON lines that hold lists of rows, as those rows, numbered anew; others stay as they are."""
    if path is None:
        return rows
    rows = rows.mutate(_inside=json_values(_valid(rows[LINE]), f"{json_path(path)}[*]"))
    whole = rows.filter(rows._inside.length().fill_null(0) == 0)
    single = whole.drop("_inside").mutate(_place=ibis.literal(0, "int64"))
    # A page without rows says nothing; it is no row itself.
    bare = json_texts(_valid(single[LINE]), ibis.literal([json_path(path)]))[0]
    single = single.filter(~(bare == "[]").fill_null(False))
    several = rows.filter(rows._inside.length() > 0).drop(LINE)  # else each repeats its page
    several = several.unnest("_inside", offset="_place")
    several = several.mutate(**{LINE: several._inside}).select(*single.columns)
    both = single.union(several)
    if POSITION not in both.columns:
        return both.drop("_place")
    order = ibis.window(group_by=PATH, order_by=[POSITION, "_place"])
    return both.mutate(**{POSITION: ibis.row_number().over(order) + 1}).drop("_place")


def _valid(line: Any) -> Any:
    """A line that is JSON; null where it is none, of which nothing can be asked."""
    return json_valid(line).fill_null(False).ifelse(line, ibis.null("string"))


def json_path(name: str) -> str:
    """`a.b.0` as the JSON path of the first of the list b inside a."""
    parts = name.split(".")
    return "$" + "".join(f"[{part}]" if part.isdecimal() else f'."{part}"' for part in parts)


def findable(
    scratch: Scratch, table: Table, rows: Rows, names: dict[str, str], others: dict[str, Rows]
) -> tuple[Rows, Callable[[Rows, str], Any]]:
    """The rows with what their linked files add, and how a name of the mapping is found among
    them; `names`: what their own columns are called here."""
    links = table.links
    fields: dict[str, int] = {}
    if LINE in rows.columns:
        used = {name for name in used_columns(table) if name.split(".")[0] not in links}
        used |= {own for link in links.values() for own in link.matches()}
        used |= {other for name in used for other in table.names.get(name, ())}
        paths = sorted(used)
        rows = scratch.view(json_fields(rows, [json_path(path) for path in paths]))
        fields = {path: number for number, path in enumerate(paths)}
    places = dict(names)

    def find(rows: Rows, name: str) -> Any:
        if name in fields:
            own = rows._fields[fields[name]].nullif("")
            others = [formed(rows._fields[fields[one]].nullif(""), _own_form(table, name, one))
                      for one in table.names.get(name, ())]  # fmt: skip
            return _first_given([own, *others])
        own = [_column(rows[places[one]], _own_form(table, name, one))
               for one in table.columns_for(name, places)]  # fmt: skip
        inside = [value_at(rows, places, one) for one in (name, *table.names.get(name, ()))]
        return _first_given([*own, *(one for one in inside if one is not None)])

    for number, (label, link) in enumerate(links.items()):
        first, added = _first_of_each(scratch, table, others[label], label, number)
        on = [
            formed(as_text(find(rows, own)), table.forms.get(own)) == first[f"_k{place}"]
            for place, own in enumerate(link.matches())
        ]
        keys = [f"_k{place}" for place in range(len(on))]
        rows = scratch.view(rows.left_join(first, on).drop(*keys))
        places |= added
    return rows, find


def _own_form(table: Table, name: str, column: str) -> str | None:
    """The form that is declared of a column which stands for a name, beside that of the name."""
    form = table.forms.get(column)
    return None if form == table.forms.get(name) else form


def _column(found: Any, form: str | None) -> Any:
    return found if form is None else formed(as_text(found), form)


def _first_given(found: list[Any]) -> Any:
    """The first column that has a value; nothing where there is no such column."""
    if len(found) < 2:
        return found[0] if found else ibis.null("string")
    return ibis.coalesce(*[as_text(one).strip().nullif("") for one in found])


def _first_of_each(
    scratch: Scratch, table: Table, other: Rows, label: str, number: int
) -> tuple[Rows, dict[str, str]]:
    """The first row of the linked files for each value of their keys `_k0`, …, and what
    `link.column` is called in it."""
    matches = table.links[label].matches()
    if LINE in other.columns:
        other = _linked_fields(other, table, label, list(matches.values()))
    at = {name: table.columns_for(name, other.columns)[0] for name in matches.values()}
    forms = [table.forms.get(own) for own in matches]  # both sides in the same form
    keys = {f"_k{place}": formed(as_text(other[at[name]]), forms[place])
            for place, name in enumerate(matches.values())}  # fmt: skip
    values = [name for name in other.columns if name not in _OURS]
    added = {f"{label}.{name}": f"_l{number}_{place}" for place, name in enumerate(values)}
    first = other.group_by(**keys).agg(
        **{added[f"{label}.{name}"]: other[name].argmin(other[POSITION]) for name in values}
    )
    return scratch.view(first), added


def _linked_fields(rows: Rows, table: Table, label: str, keys: list[str]) -> Rows:
    """JSON lines of a linked file as the columns that are used of it."""
    used = [name.partition(".") for name in used_columns(table)]
    names = list(dict.fromkeys([*keys, *(rest for first, _, rest in used if first == label)]))
    rows = json_fields(rows, [json_path(name) for name in names])
    return rows.select(*_OURS, **{name: rows._fields[number] for number, name in enumerate(names)})


def used_columns(table: Table) -> list[str]:
    """The columns a table's mapping names, each once, in the order of the mapping."""
    names = [*table.key, *([table.part] if table.part else [])]
    for declared in table.identifiers.values():
        names += [*declared.column, *declared.merged, *declared.merged_into, *declared.when]
    names += table.person.columns() if table.person else ()
    for case in table.verb:
        names += [*case.when, *case.value.columns()]
    values: list[Value | None] = [
        table.channel, table.quantity, table.value, table.basket, table.object, table.category,
    ]  # fmt: skip
    times: list[Time | None] = [table.time, table.newest]
    if table.item:
        values += [table.item.id, table.item.title, table.item.price]
        times += [table.item.starts, table.item.ends]
        names += [*table.item.categories, *table.item.attributes]
        names += [name for condition in table.item.unless for name in condition]
    if table.campaign:
        values += [table.campaign.id, table.campaign.arm]
    for consent in table.consents:
        names += [consent.granted, *consent.purpose.columns()]
        times += [consent.until]
    for further in table.then:
        times += [further.time]
        values += [further.quantity, further.value]
        names += [*further.when, *further.text]
        for case in further.verb:
            names += [*case.when, *case.value.columns()]
    names += [name for value in values if value for name in value.columns()]
    names += [value.minor_units for value in values if value and value.minor_units]
    names += [time.column for time in times if time]
    names += [*table.text, *table.traits.values(), *table.expects]
    names += [name for condition in table.nobody for name in condition]
    return list(dict.fromkeys(names))
