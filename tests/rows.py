"""Small tables for a real lake: a test names what matters, everything else gets a plain value."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from kg.lake import TABLES, Step

Row = Mapping[str, Any]
PLAIN: dict[str, Any] = {
    "source": "files/a.csv",
    "dataset": "a",
    "position": 1,
    "kind": "event",
    "status": "accepted",
    "dedupe_key": "",
    "recorded_at_ms": 0,
    "occurred_at_ms": 0,
    "channel": "web",
    "verb": "viewed",
    "sampled": False,
    "trust": 1,
    "purpose": "analytics",
    "at_ms": 0,
    "role": "item",
    "categories": [],
    "attributes": "{}",
    "level": 0,
    "item_count": 0,
}


def table(name: str, rows: Iterable[Row]) -> pa.Table:
    """Rows of a lake table, filled up with plain values where it has no nulls."""
    fields = [field for field in TABLES[name] if field.name != "run_id"]
    filled = [
        {f.name: row.get(f.name, None if f.nullable else PLAIN.get(f.name)) for f in fields}
        for row in rows
    ]
    return pa.Table.from_pylist(filled, schema=pa.schema(fields))


def put(step: Step, **tables: Iterable[Row]) -> None:
    """Add rows to tables of a step."""
    for name, rows in tables.items():
        step.append(name, table(name, rows))


def put_people(step: Step, rows: Iterable[Row]) -> None:
    """Add records with their identifiers: `ids` maps namespace -> value (or a list of them)."""
    rows = [dict(row) for row in rows]
    identifiers = [
        {"record_key": row["record_key"], "namespace": namespace, "value": value}
        for row in rows
        for namespace, values in row.get("ids", {}).items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    put(step, records=rows, identifiers=identifiers)
    events = [row for row in rows if row.get("kind", "event") == "event"]
    put(step, events=events)
