"""What the engines do wrong today, each with the answer that would be right.

Our rules (the lint, `read_only`, the shape of the schema) exist because of these. A test here that
begins to pass fails the suite: the engine was mended, and the rule that it names may go.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import neo4j
import numpy as np
import pyarrow as pa
import pytest

from kg.errors import PersonagraphError
from kg.settings import Settings
from kg.store import open_store
from kg.store.embedded import EmbeddedStore, open_embedded
from kg.store.neo4j import Neo4jStore
from kg.store.tables import EdgeTable, GraphTables, edge_kind


def mended(rule: str) -> pytest.MarkDecorator:
    """Expected to fail; when it passes, `rule` says what may be changed."""
    return pytest.mark.xfail(strict=True, reason=f"not wrong any more? then: {rule}")


@pytest.fixture
def embedded(workspace: Path) -> Iterator[EmbeddedStore]:
    with open_embedded(workspace, write=True) as store:
        yield store


@mended("drop CROSS_OR from kg/lint.py")
def test_or_over_two_variables_keeps_all_rows(embedded: EmbeddedStore) -> None:
    embedded.write("CREATE (:I {c: 'z'})-[:V]->(:U {on: true})-[:H]->(:S {id: 's3'})")
    text = "MATCH (i:I)-[:V]->(u:U)-[:H]->(s) WHERE u.on OR i.c = 'k' RETURN s.id AS id"
    assert embedded.run(text) == [{"id": "s3"}]


def test_or_over_two_variables_after_a_with_keeps_all_rows(embedded: EmbeddedStore) -> None:
    embedded.write("CREATE (:I {c: 'z'})-[:V]->(:U {on: true})-[:H]->(:S {id: 's3'})")
    text = (
        "MATCH (i:I)-[:V]->(u:U)-[:H]->(s) WITH * WHERE u.on = true OR i.c = 'k' RETURN s.id AS id"
    )
    assert embedded.run(text) == [{"id": "s3"}]


def hub(people: int = 20_000) -> GraphTables:
    """A version with many incoming edges and one with none, each current in a persona."""
    ids = [f"i{number:05d}" for number in range(people)]
    versions, personas = ["p_hub@1", "p_alone@1"], ["p_hub", "p_alone"]
    supports = pa.table({"start": ids, "end": ["p_hub@1"] * people})
    current = pa.table({"start": personas, "end": versions})
    return GraphTables(
        {
            "Intent": pa.table({"id": ids}),
            "Persona": pa.table({"id": personas}),
            "PersonaVersion": pa.table({"id": versions}),
        },
        (
            EdgeTable(edge_kind("Persona", "CURRENT", "PersonaVersion"), current),
            EdgeTable(edge_kind("Intent", "SUPPORTS", "PersonaVersion"), supports),
        ),
        "r",
    )


@mended("drop HUB_CURRENT from kg/lint.py")
def test_a_rare_edge_at_a_hub_is_found_as_fast_as_elsewhere(embedded: EmbeddedStore) -> None:
    embedded.bulk_load(hub())
    text = "MATCH (v:PersonaVersion {id: $v})<-[:CURRENT]-(p:Persona) RETURN p.id AS id"

    def best_s(version: str) -> float:
        seconds = []
        for _ in range(15):
            begun = time.perf_counter()
            assert len(embedded.run(text, {"v": version})) == 1
            seconds.append(time.perf_counter() - begun)
        return min(seconds)

    assert best_s("p_hub@1") < 2 * best_s("p_alone@1")


@pytest.mark.slow
@mended("drop HUB_MERGE from kg/lint.py, and `leaf` from kg/schema.py")
def test_merging_edges_out_of_a_hub_takes_the_same_time_for_each(embedded: EmbeddedStore) -> None:
    embedded.write("UNWIND range(0, 5999) AS n CREATE (:Item {id: 'i' + toString(n)})")
    embedded.write("CREATE (:Persona {id: 'p'})")
    text = (
        "UNWIND $ids AS id MATCH (p:Persona {id: 'p'}) MATCH (i:Item {id: id}) "
        "MERGE (p)-[:TAGGED]->(i)"
    )
    seconds = []
    for part in range(3):
        begun = time.perf_counter()
        embedded.write(text, {"ids": [f"i{part * 2000 + n}" for n in range(2000)]})
        seconds.append(time.perf_counter() - begun)
    assert seconds[2] < 2 * seconds[0]


@mended("pass the driver's timeout in kg/store/bolt.py; read_only.py needs no copy of the graph")
def test_a_query_ends_at_its_timeout(embedded: EmbeddedStore) -> None:
    text = "UNWIND range(1, 3000) AS x UNWIND range(1, 1500) AS y RETURN count(x + y) AS n"
    with (
        embedded._session(neo4j.READ_ACCESS) as session,
        pytest.raises(neo4j.exceptions.Neo4jError),
    ):
        session.run(neo4j.Query(text, timeout=0.05)).consume()


@mended("trust READ access in kg/store/bolt.py")
def test_read_access_cannot_write(embedded: EmbeddedStore) -> None:
    with pytest.raises(PersonagraphError):
        embedded.run("CREATE (t:Task {id: 'x'}) RETURN t.id AS id")


@mended("range reads may sort by two keys")
def test_a_page_by_property_and_key_uses_the_index(embedded: EmbeddedStore) -> None:
    embedded.write("UNWIND range(0, 999) AS n CREATE (:User {id: 'u' + toString(n), half: 'fit'})")
    text = (
        "EXPLAIN MATCH (u:User) WHERE u.half = $half AND u.id > $after "
        "RETURN u.id AS id ORDER BY u.id LIMIT 50"
    )
    with embedded._session(neo4j.READ_ACCESS) as session:
        plan = session.run(text, {"half": "fit", "after": "u5"}).consume().plan
    assert plan is not None
    assert "NodeByLabelScan" not in plan["args"]["string-representation"]


@mended("times may be stored as datetimes")
def test_a_stored_time_has_epoch_milliseconds(embedded: EmbeddedStore) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    embedded.write("CREATE (t:X {at: $at})", {"at": at})
    assert embedded.run("MATCH (t:X) RETURN t.at.epochMillis AS ms") == [
        {"ms": int(at.timestamp() * 1000)}
    ]


@mended("rows need no check of their types before they are written")
def test_a_list_of_mixed_types_is_refused(embedded: EmbeddedStore) -> None:
    with pytest.raises(PersonagraphError):
        embedded.write("CREATE (t:X) SET t.l = [1, 'a'] RETURN size(t.l) AS n")


@mended("the guard may let algo.* through to people who look at nulls")
def test_a_wrong_name_after_yield_is_an_error(embedded: EmbeddedStore) -> None:
    embedded.write("CREATE (:X)-[:R]->(:X)")
    with pytest.raises(PersonagraphError):
        embedded.run("CALL algo.pagerank() YIELD nobody RETURN nobody")


@mended("kg/store/engine.py can turn the HTTP listener off")
def test_the_server_starts_without_an_http_listener(
    embedded: EmbeddedStore, workspace: Path
) -> None:
    from kg.store.engine import engine

    library = engine(workspace / "log")
    server = library.create_server(str(workspace / "other"), "long-enough", {"http_port": -1})
    try:
        server.start()
    finally:
        server.stop()


@pytest.mark.neo4j
@mended("Neo4jStore.leiden need not look for an empty graph first")
def test_gds_leiden_takes_a_graph_without_relationships(
    empty_neo4j: Settings, workspace: Path
) -> None:
    with open_store(empty_neo4j, workspace, write=True) as store:
        assert isinstance(store, Neo4jStore)
        store._gds_leiden([[0, None, None], [1, None, None]], 1.0, 0)


@pytest.mark.neo4j
@mended("drop `improved` from kg/store/communities.py")
def test_gds_leiden_is_as_good_as_ten_native_passes(empty_neo4j: Settings, workspace: Path) -> None:
    from kg.store.communities import canonical_edges, native_leiden
    from kg.store.neo4j import _rows
    from tests.kg.store.quality import modularity

    chance = np.random.default_rng(11)
    n, group = 400, 25
    source, target = chance.integers(0, n, (2, 20 * n))
    keep = (source // group == target // group) | (chance.random(len(source)) < 0.05)
    edges = canonical_edges(source[keep], target[keep], np.ones(int(keep.sum())))
    with open_store(empty_neo4j, workspace, write=True) as store:
        assert isinstance(store, Neo4jStore)
        ids, found = store._gds_leiden(_rows(n, *edges), 1.0, 1)
    groups = np.arange(n, 2 * n)
    groups[ids] = found
    ours = native_leiden(n, *edges, resolution=1.0, seed=1)
    assert modularity(groups, *edges) > 0.99 * modularity(ours, *edges)
