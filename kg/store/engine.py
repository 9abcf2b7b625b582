"""ArcadeDB's native build: start its server, or fill a new database by its bulk interfaces.

The library reads its environment once, when it is first imported; so it is imported here only, by
`engine()`. It does not survive a fork: processes that use it are spawned.
"""

import os
import socket
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kg.errors import Conflict, PersonagraphError, Unavailable
from kg.progress import Progress
from kg.schema import EDGES, NODES
from kg.store.tables import EdgeTable, GraphTables, conform_edges, conform_nodes

DATABASE = "graph"
_HEAP = "-Xmx2g"  # 256m serves 3.6 M records; a bulk load of them peaks near 1.3 GB
_CHUNK = 100_000
_TYPES = {pa.string(): "STRING", pa.int64(): "LONG", pa.float64(): "DOUBLE", pa.bool_(): "BOOLEAN"}


class Running(NamedTuple):
    """A server of this process."""

    server: Any
    port: int


def engine(log: Path) -> Any:
    """The library, set up at its first import: bounded heap, no console lines, log in `log`."""
    os.environ.setdefault("ARCADEDB_NATIVE_ISOLATE_ARGS", _HEAP)
    os.environ.setdefault("ARCADEDB_LOG_CONSOLE", "0")
    if "ARCADEDB_LOG_DIR" not in os.environ:
        log.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["ARCADEDB_LOG_DIR"] = str(log.resolve())
    import arcadedb

    return arcadedb


def start_server(root: Path, password: str, log: Path) -> Running:
    """Serve the database under `root` over Bolt, on loopback and a free port.

    The HTTP listener cannot be turned off: it stays on loopback, on a port the system chooses,
    behind the same password; its MCP endpoint is off by default.

    Raises:
        Conflict: another process has the database open. Unavailable: the engine failed.
    """
    library = engine(log)
    port = _free_port()
    config = {
        "mode": "production",  # one fdatasync per commit
        "host": "127.0.0.1",
        "http_port": 0,
        "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "bolt_port": port,
        "bolt_host": "127.0.0.1",
    }
    server = library.create_server(str(root.resolve()), root_password=password, config=config)
    try:
        server.start()
        server.get_database(DATABASE)
    except library.ArcadeDBError as error:
        server.stop()
        raise engine_error(error) from error
    return Running(server, port)


def create_empty(root: Path, log: Path) -> None:
    """An empty database that has the labels and edge types of the schema."""
    library = engine(log)
    try:
        database = library.create_database(str(_database_path(root)))
        try:
            _declare(database)
            _index(database)
        finally:
            database.close()
    except library.ArcadeDBError as error:
        raise engine_error(error) from error


def fill_new(root: Path, graph: GraphTables, log: Path, progress: Progress) -> None:
    """Make a database under `root` from tables, and close it. A crash leaves rubbish there."""
    library = engine(log)
    try:
        database = library.create_database(str(_database_path(root)))
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
        raise engine_error(error) from error


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


def engine_error(error: Exception) -> PersonagraphError:
    """Our error for one of the engine's."""
    text = str(error)
    if "locked by another process" in text or "needs recovery" in text:
        return Conflict(
            "Another process has the graph open and does not answer.",
            hint="Wait for it to end, or end it; nothing is lost by that.",
        )
    if "No space left" in text:
        return Unavailable("The disk is full.", hint="Free some space and run the same again.")
    return Unavailable("The embedded graph store failed.", hint="See log/ in the workspace.")


def communities(
    n: int,
    source: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    *,
    resolution: float,
    seed: int,
) -> np.ndarray:
    """Leiden of the native library; edges are given once each, sorted. See `Store.leiden`."""
    import graspologic_native
    from scipy.sparse import coo_array

    half = coo_array((weight, (source, target)), shape=(n, n))
    matrix = (half + half.T).tocsr()
    matrix.sort_indices()
    _, found = graspologic_native.leiden_csr(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        n,
        resolution=resolution,
        iterations=10,
        seed=seed,
    )
    groups = np.arange(n, 2 * n, dtype=np.int64)  # a node that is not in the answer is alone
    groups[np.fromiter(found.keys(), np.int64, len(found))] = np.fromiter(
        found.values(), np.int64, len(found)
    )
    return groups


def _database_path(root: Path) -> Path:
    return root.resolve() / "databases" / DATABASE


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
