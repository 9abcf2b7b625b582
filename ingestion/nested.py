"""`a.b` of a mapping where `a` is a column that holds more than a value: the structs, lists and
maps of Parquet and Delta. A column that is itself called `a.b` comes first."""

from collections.abc import Collection, Mapping
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa


def kind_at(columns: Mapping[str, pa.DataType], name: str) -> pa.DataType | None:
    """The Arrow type of a column, or of what is inside one; None where there is no such thing."""
    column, *path = split(name, columns)
    kind = columns.get(column)
    if kind is None or not path:
        return kind
    found = _inside(ibis.null(dt.DataType.from_pyarrow(kind)), path)
    return None if found is None else found.type().to_pyarrow()


def value_at(rows: Any, places: Mapping[str, str], name: str) -> Any:
    """The value inside a column; None where no column holds such a thing.

    Args:
        rows: with the columns.
        places: how the source calls a column -> how `rows` do.
        name: `a.b`, `a.0` (the first of a list), `a.b.c`, …
    """
    column, *path = split(name, places)
    return _inside(rows[places[column]], path) if path else None


def split(name: str, columns: Collection[str]) -> list[str]:
    """The longest column that a path begins with, and the names inside it; where there is no such
    column, the name alone."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        if (column := ".".join(parts[:count])) in columns:
            return [column, *parts[count:]]
    return [name]


def _inside(found: Any, path: list[str]) -> Any:
    for part in path:
        kind = found.type()
        if kind.is_struct() and part in kind.names:
            found = found[part]
        elif kind.is_array() and part.isdecimal():
            found = found[int(part)]
        elif kind.is_map() and kind.key_type.is_string():
            found = found.get(part, ibis.null(kind.value_type))
        else:
            return None
    return found
