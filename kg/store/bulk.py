"""The embedded graph, made from tables by ArcadeDB's bulk interfaces.

They are not atomic, so they only ever fill a directory that nobody reads yet.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kg.progress import Progress
from kg.schema import EDGES, NODES
from kg.store.engine import database_path, engine, engine_error
from kg.store.tables import EdgeTable, GraphTables, conform_edges, conform_nodes

_CHUNK = 100_000
_TYPES = {pa.string(): "STRING", pa.int64(): "LONG", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN"}


def create_empty(root: Path, log: Path) -> None:
    """An empty database that has the labels and edge types of the schema."""
    library = engine(log)
    try:
        database = library.create_database(str(database_path(root)))
        try:
            _declare(database)
            _index(database)
        finally:
            database.close()
    except library.ArcadeDBError as error:
        raise engine_error(error, log) from error


def fill_new(root: Path, graph: GraphTables, log: Path, progress: Progress) -> None:
    """Make a database under `root` from tables, and close it. A crash leaves rubbish there."""
    library = engine(log)
    try:
        database = library.create_database(str(database_path(root)))
        try:
            with progress.task("graph", graph.row_count) as task:
                _declare(database)
                for label, table in graph.nodes.items():
                    if table.num_rows:
                        database.insert_arrow(label, conform_nodes(label, table, graph.run_id))
                    task.advance(table.num_rows)
                _index(database)
                _add_edges(database, graph, task)
        finally:
            database.close()
    except library.ArcadeDBError as error:
        raise engine_error(error, log) from error


def _declare(database: Any) -> None:
    for label, columns in {**NODES, "Watermark": {}}.items():
        database.command("sql", f"CREATE VERTEX TYPE {label}")
        for name, type_ in {"id": pa.string(), **columns, "run_id": pa.string()}.items():
            database.command("sql", f"CREATE PROPERTY {label}.`{name}` {_TYPES[type_]}")
    for type_name in sorted({kind.type for kind in EDGES}):
        database.command("sql", f"CREATE EDGE TYPE `{type_name}`")


def _index(database: Any) -> None:
    for label in [*NODES, "Watermark"]:
        database.command("sql", f"CREATE INDEX ON {label} (id) UNIQUE")


def _add_edges(database: Any, graph: GraphTables, task: Any) -> None:
    labels = {label for e in graph.edges for label in (e.kind.start, e.kind.end)}
    places = {label: _places(database, label) for label in sorted(labels)}
    for edges in graph.edges:
        table = edges.table
        if table.num_rows:
            starts = pc.index_in(table["start"], value_set=places[edges.kind.start]["id"])
            ends = pc.index_in(table["end"], value_set=places[edges.kind.end]["id"])
            known = pc.and_(pc.is_valid(starts), pc.is_valid(ends))
            _add_kind(
                database,
                EdgeTable(edges.kind, table.filter(known)),
                places[edges.kind.start]["place"].take(starts.filter(known)),
                places[edges.kind.end]["place"].take(ends.filter(known)),
                graph.run_id,
            )
        task.advance(table.num_rows)


def _places(database: Any, label: str) -> pa.Table:
    """Where the engine put each node: columns id, place (its record id, as text)."""
    found = database.query("sql", f"SELECT id, @rid AS place FROM {label}").to_arrow()  # noqa: S608
    if found.num_rows == 0:
        return pa.table({"id": pa.array([], pa.string()), "place": pa.array([], pa.string())})
    return found.combine_chunks()


def _add_kind(
    database: Any, edges: EdgeTable, starts: pa.Array, ends: pa.Array, run_id: str
) -> None:
    table = conform_edges(edges, run_id).drop_columns(["start", "end"])
    with database.graph_batch(expected_edge_count=max(1, table.num_rows)) as batch:
        for offset in range(0, table.num_rows, _CHUNK):
            rows = table.slice(offset, _CHUNK).to_pylist()
            batch.new_edges(
                starts.slice(offset, _CHUNK).to_pylist(),
                edges.kind.type,
                ends.slice(offset, _CHUNK).to_pylist(),
                [{k: v for k, v in row.items() if v is not None} for row in rows],
            )
