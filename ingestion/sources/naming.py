"""Whom the rows of a table name: identifiers, and what their source has merged."""

from dataclasses import replace
from typing import Any

import ibis

from ingestion.columns import Checked, Columns, identifier, without_point
from ingestion.functions import no_texts
from ingestion.namespaces import NAMESPACES
from ingestion.record import Rows
from ingestion.table import Identifier, Table
from kg.lake.files import LINE
from kg.lake.scratch import Scratch

Named = dict[str, tuple[Any, Any, str, int]]


def named(scratch: Scratch, table: Table, columns: Columns) -> tuple[Columns, Named]:
    """The columns with the identifiers, which are long expressions, worked out once."""
    names = _identifier_columns(table, columns, _with_points(scratch, table, columns))
    given = {f"_given_{name}": one for name, (one, _, _, _) in names.items()}
    values = {name: value for name, (_, value, _, _) in names.items()}
    rows = scratch.view(columns.rows.mutate(**given, **values))
    return replace(columns, rows=rows), {
        name: (rows[f"_given_{name}"], rows[name], namespace, trust)
        for name, (_, _, namespace, trust) in names.items()
    }


def _with_points(scratch: Scratch, table: Table, columns: Columns) -> dict[str, Any]:
    """Columns of ids -> the rows of files that write each of a column's ids as a whole number with
    `.0`, as pandas does where one is missing. In JSON 17.0 is the number 17."""
    rows = columns.rows
    names = [name for space, one in table.identifiers.items() if space != "email"
             for name in one.column if name not in columns.lists]  # fmt: skip
    if not names or LINE in rows.columns:
        return dict.fromkeys(names, ibis.literal(True))
    tests = {f"n{n}": columns.text(name).re_search(r"^\d+(\.0)?$").all()
             for n, name in enumerate(names)}  # fmt: skip
    some = {f"s{n}": columns.text(name).endswith(".0").any() for n, name in enumerate(names)}
    found = scratch.fetch(rows.group_by("source").agg(**tests, **some))
    files = {name: [row["source"] for row in found if row[f"n{n}"] and row[f"s{n}"]]
             for n, name in enumerate(names)}  # fmt: skip
    return {name: rows.source.isin(mine) for name, mine in files.items() if mine}


def _identifier_columns(table: Table, columns: Columns, with_points: dict[str, Any]) -> Named:
    """Column of ours -> (as given, normal form, namespace, trust)."""
    found: Named = {}
    for namespace, declared in table.identifiers.items():
        for name in declared.column:
            if name in columns.lists:
                given = columns.several(name).fill_null(no_texts())
                if declared.when:
                    given = columns.holds(declared.when).ifelse(given, no_texts())
                value = given.map(lambda one, space=namespace: identifier(space, one))
                value = value.filter(lambda one: one.notnull())
            else:
                given = columns.text(name)
                if name in with_points:
                    given = with_points[name].ifelse(without_point(given), given)
                if declared.when:
                    given = columns.holds(declared.when).ifelse(given, ibis.null("string"))
                value = identifier(namespace, given)
            trust = trust_of(namespace, declared)
            found[f"identifier_{len(found)}"] = (given, value, namespace, trust)
    return found


def identifier_rows(
    rows: Rows, names: dict[str, tuple[str, int]], *, distinct: bool = True
) -> Rows:
    """Rows of `identifiers` from columns of normal forms: column -> (namespace, trust)."""
    listed = {name for name in names if rows[name].type().is_array()}
    parts = []
    for name, (namespace, trust) in names.items():
        said = rows.select("record_key", value=rows[name])
        said = said.unnest("value") if name in listed else said
        said = said.filter(said.value.notnull())
        parts.append(
            said.select(
                record_key="record_key",
                namespace=ibis.literal(namespace),
                value="value",
                trust=ibis.literal(trust, "int32"),
            )
        )
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    several = bool(listed) or len({namespace for namespace, _ in names.values()}) < len(names)
    return found.distinct() if distinct and several else found


def merged_columns(table: Table, columns: Columns) -> dict[str, Checked]:
    """What the source has merged itself: columns of lists, under `merged_<n>`."""
    listed = [
        name for one in table.identifiers.values() for name in (*one.merged, *one.merged_into)
    ]
    return {f"merged_{place}": Checked(columns.text(name)) for place, name in enumerate(listed)}


def merged_rows(rows: Rows, table: Table, names: Named) -> Rows:
    """Rows of `merged_ids`: each value of a list, and the value it was merged into."""
    parts = []
    place = 0
    for namespace, declared in table.identifiers.items():
        into = [name for name, (_, _, space, _) in names.items() if space == namespace]
        for name in (*declared.merged, *declared.merged_into):
            values = rows[f"merged_{place}"].re_split(r"[^\p{L}\p{N}@._+-]+")
            some = rows.filter(rows[f"merged_{place}"].notnull()).select(
                "record_key", into_value=into[0], values=values
            )
            one = some.unnest("values")
            other = identifier(namespace, one["values"])
            gone, kept = (other, one.into_value)
            if name in declared.merged_into:
                gone, kept = kept, gone
            parts.append(
                one.select(
                    "record_key", value=gone, into_value=kept, namespace=ibis.literal(namespace)
                )
            )
            place += 1
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    both = found.value.notnull() & found.into_value.notnull()
    return found.filter(both & (found.value != found.into_value)).distinct()


def trust_of(namespace: str, declared: Identifier | None = None) -> int:
    """How much an identifier says, 1 (most) to 6."""
    if declared is not None and declared.trust is not None:
        return declared.trust
    return NAMESPACES.get(namespace, (1, True))[0]
