"""How long a graph takes to load, beside the bare interfaces of each store on the same rows.

    python benchmarks/graph_load.py --events 100000 1000000
    python benchmarks/graph_load.py --events 100000 --neo4j bolt://127.0.0.1:7687   # is emptied!

The graph is made up, skewed as a shop's is: a user has 20 events, a session 6, an intent 2; items
are drawn by Zipf's law; a persona version is supported by some tens of thousands of intents.
Prints one line of JSON per store and size: seconds, the ratio to the bare load, rows per second,
peak memory, disk; for the embedded one also opening, an analyst's first and second query (the
first copies the graph).
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from kg.settings import Settings
from kg.store import open_store
from kg.store.bolt import BATCH_ROWS, edge_query, node_query
from kg.store.engine import engine
from kg.store.read_only import run_read_only
from kg.store.tables import (
    EdgeTable,
    GraphTables,
    Watermark,
    conform_edges,
    conform_nodes,
    edge_kind,
)

ITEMS, PERSONAS = 5_000, 40


def made_up(events: int, seed: int = 0) -> GraphTables:
    """A graph of so many events."""
    chance = np.random.default_rng(seed)
    users, sessions, intents = events // 20, events // 6, events // 2
    whole = lambda n, top: pa.array(chance.integers(0, top, n), pa.int64())  # noqa: E731
    real = lambda n: pa.array(chance.uniform(0, 100, n))  # noqa: E731
    of_session = np.sort(chance.integers(0, sessions, intents))
    of_user = np.sort(chance.integers(0, users, sessions))
    items = np.minimum(chance.zipf(1.3, intents), ITEMS) - 1
    nodes = {
        "User": pa.table({"id": ids("u_", users), "event_count": whole(users, 50)}),
        "Session": pa.table(
            {"id": ids("s_", sessions), "number": whole(sessions, 9), "value": real(sessions)}
            | {"started_at_ms": whole(sessions, 10**12), "channel": ["web"] * sessions}
        ),
        "Intent": pa.table(
            {"id": ids("i_", intents), "verb": ["bought"] * intents, "value": real(intents)}
            | {"topic": pa.array([f"topic-{n % 300}" for n in items])}
            | {"started_at_ms": whole(intents, 10**12), "hour": whole(intents, 24)}
        ),
        "Item": pa.table({"id": ids("item", ITEMS), "price": real(ITEMS)}),
        "PersonaVersion": pa.table({"id": ids("p_", PERSONAS)}),
    }
    held = chance.integers(0, PERSONAS, 2 * users)
    edges = (
        edge("User", "HAD", "Session", of_user, np.arange(sessions), nodes),
        edge("Session", "EXPRESSED", "Intent", of_session, np.arange(intents), nodes),
        edge("Intent", "ABOUT", "Item", np.arange(intents), items, nodes, count=True),
        edge(
            "Intent",
            "SUPPORTS",
            "PersonaVersion",
            np.arange(0, intents, 2),
            chance.integers(0, PERSONAS, len(range(0, intents, 2))),
            nodes,
        ),
        edge("User", "HOLDS", "PersonaVersion", np.arange(2 * users) // 2, held, nodes, valid=True),
    )
    return GraphTables(nodes, edges, "benchmark")


def ids(prefix: str, count: int) -> pa.Array:
    return pa.array([f"{prefix}{number:08d}" for number in range(count)])


def edge(
    start: str,
    type_: str,
    end: str,
    starts: np.ndarray,
    ends: np.ndarray,
    nodes: dict[str, pa.Table],
    *,
    count: bool = False,
    valid: bool = False,
) -> EdgeTable:
    columns = {
        "start": nodes[start]["id"].take(pa.array(starts)),
        "end": nodes[end]["id"].take(pa.array(ends)),
    }
    if count:
        columns |= {"count": pa.array(np.ones(len(starts), np.int64))}
    if valid:
        columns |= {"valid_from_ms": pa.array(np.zeros(len(starts), np.int64))}
        columns |= {"weight": pa.array(np.full(len(starts), 0.5))}
    return EdgeTable(edge_kind(start, type_, end), pa.table(columns))


def bare_embedded(graph: GraphTables, folder: Path) -> float:
    """Seconds of Arrow insert, indexes and edge batches, as ArcadeDB's own examples do it."""
    library = engine(folder / "log")
    begun = time.perf_counter()
    database = library.create_database(str(folder / "bare"))
    for label in graph.nodes:
        database.command("sql", f"CREATE VERTEX TYPE {label}")
        database.command("sql", f"CREATE PROPERTY {label}.id STRING")
    for type_name in sorted({e.kind.type for e in graph.edges}):
        database.command("sql", f"CREATE EDGE TYPE {type_name}")
    for label, table in graph.nodes.items():
        database.insert_arrow(label, conform_nodes(label, table, graph.run_id))
        database.command("sql", f"CREATE INDEX ON {label} (id) UNIQUE")
    places = {}
    for label in graph.nodes:
        rows = database.query("sql", f"SELECT id, @rid AS r FROM {label}").to_arrow()
        places[label] = dict(zip(rows["id"].to_pylist(), rows["r"].to_pylist(), strict=True))
    for edges in graph.edges:
        rows = conform_edges(edges, graph.run_id)
        properties = rows.drop_columns(["start", "end"]).to_pylist()
        properties = [{k: v for k, v in row.items() if v is not None} for row in properties]
        with database.graph_batch(expected_edge_count=rows.num_rows) as batch:
            batch.new_edges(
                [places[edges.kind.start][i] for i in rows["start"].to_pylist()],
                edges.kind.type,
                [places[edges.kind.end][i] for i in rows["end"].to_pylist()],
                properties,
            )
    database.close()
    return time.perf_counter() - begun


def bare_neo4j(graph: GraphTables, uri: str) -> float:
    """Seconds of batched UNWIND of the same rows by the driver, constraints there already."""
    import neo4j

    from kg import queries

    named = queries.load("neo4j")
    work = [(node_query(k), conform_nodes(k, t, graph.run_id)) for k, t in graph.nodes.items()]
    work += [(edge_query(e.kind), conform_edges(e, graph.run_id)) for e in graph.edges]
    begun = time.perf_counter()
    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session:
        for name, table in work:
            for offset in range(0, table.num_rows, BATCH_ROWS):
                rows = table.slice(offset, BATCH_ROWS).to_pylist()
                session.execute_write(
                    lambda tx, text=named[name].text, rows=rows: tx.run(text, rows=rows).consume()
                )
    return time.perf_counter() - begun


def of_embedded(events: int) -> dict[str, object]:
    graph = made_up(events)
    with tempfile.TemporaryDirectory() as name:
        folder, settings = Path(name), Settings(store="embedded")
        open_store(settings, folder, write=True).close()  # the engine is there before both
        bare_s = bare_embedded(graph, folder)
        with open_store(settings, folder, write=True) as store:
            begun = time.perf_counter()
            store.bulk_load(graph)
            store.set_watermark(Watermark(store.workspace_id, "g", "c"))
            ours_s = time.perf_counter() - begun
            asked = [timed_query(settings, folder) for _ in range(2)]
        begun = time.perf_counter()
        with open_store(settings, folder, write=False) as store:
            store.run("graph/ready")
        open_s = time.perf_counter() - begun
        (generation,) = (folder / "graph").glob("g0*")
        size = sum(file.stat().st_size for file in generation.rglob("*") if file.is_file())
    return report("embedded", events, graph, ours_s, bare_s) | {
        "open_s": round(open_s, 2),
        "first_query_s": round(asked[0], 2),
        "second_query_s": round(asked[1], 2),
        "disk_mb": size >> 20,
    }


def timed_query(settings: Settings, folder: Path) -> float:
    begun = time.perf_counter()
    run_read_only(settings, folder, "MATCH (u:User) RETURN count(u) AS n", {})
    return time.perf_counter() - begun


def empty(uri: str) -> None:
    import neo4j

    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS").consume()


def of_neo4j(events: int, uri: str) -> dict[str, object]:
    graph = made_up(events)
    settings = Settings(store="neo4j", neo4j_uri=uri)
    with tempfile.TemporaryDirectory() as name:
        seconds: dict[str, float] = {}
        for who in ("bare", "ours", "bare", "ours"):  # each into an empty database; the best
            empty(uri)
            with open_store(settings, Path(name), write=True) as store:
                if who == "bare":
                    taken_s = bare_neo4j(graph, uri)
                else:
                    begun = time.perf_counter()
                    store.bulk_load(graph)
                    taken_s = time.perf_counter() - begun
            seconds[who] = min(taken_s, seconds.get(who, taken_s))
    return report("neo4j", events, graph, seconds["ours"], seconds["bare"])


def report(
    store: str, events: int, graph: GraphTables, ours_s: float, bare_s: float
) -> dict[str, object]:
    return {
        "store": store,
        "events": events,
        "rows": graph.row_count,
        "ours_s": round(ours_s, 2),
        "bare_s": round(bare_s, 2),
        "ratio": round(ours_s / bare_s, 2),
        "rows_per_s": round(graph.row_count / ours_s),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[100_000])
    parser.add_argument("--neo4j", metavar="URI", help="an empty Neo4j to measure, too")
    arguments = parser.parse_args()
    for events in arguments.events:
        print(json.dumps(of_embedded(events)), flush=True)
        if arguments.neo4j:
            print(json.dumps(of_neo4j(events, arguments.neo4j)), flush=True)


if __name__ == "__main__":
    main()
