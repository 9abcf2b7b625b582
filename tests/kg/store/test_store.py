"""What every store promises, on every store."""

import os
from datetime import UTC, datetime
from pathlib import Path

import neo4j.exceptions as foreign
import numpy as np
import pyarrow as pa
import pytest

from kg.errors import Conflict, InputError, NotFound, PersonagraphError
from kg.settings import Settings
from kg.store import open_store
from kg.store.bolt import ERRORS, translated
from kg.store.communities import canonical_edges, numbered_by_first_member
from kg.store.protocol import Store
from kg.store.tables import EdgeTable, GraphTables, Watermark, edge_kind
from tests.kg.store.quality import modularity
from tests.kg.store.small_graph import PEOPLE, small_graph


def users(*ids: str) -> pa.Table:
    return pa.table({"id": list(ids), "event_count": pa.array(range(len(ids)), pa.int64())})


def count(store: Store, label: str) -> int:
    found: int = store.run(
        "MATCH (n) WHERE labels(n)[0] = $label RETURN count(n) AS n", {"label": label}
    )[0]["n"]
    return found


def test_a_query_answers_by_name_and_as_text(store: Store) -> None:
    assert store.run("graph/ready") == [{"answer": 1}]
    assert store.run("RETURN $x AS x, null AS y", {"x": "é"}) == [{"x": "é", "y": None}]


def test_parameters_missing_or_left_over_are_refused(store: Store) -> None:
    with pytest.raises(InputError, match="takes the parameters"):
        store.run("person/by_id", {})
    with pytest.raises(InputError, match="takes the parameters"):
        store.run("graph/ready", {"x": 1})


def test_wrong_cypher_is_an_input_error_and_an_unknown_name_is_not_found(store: Store) -> None:
    with pytest.raises(InputError):
        store.run("MATCH (n RETURN n")
    with pytest.raises(InputError):
        store.explain("RETURN nothing_like_this(1)")
    with pytest.raises(NotFound):
        store.run("person/nobody")


def test_a_time_with_a_region_never_reaches_the_driver(store: Store) -> None:
    from zoneinfo import ZoneInfo

    with pytest.raises(InputError, match="epoch milliseconds"):
        store.run("RETURN $t AS t", {"t": datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Paris"))})
    assert store.run("RETURN $t IS NULL AS t", {"t": datetime(2026, 1, 1, tzinfo=UTC)})


def test_writing_the_same_rows_again_changes_nothing(store: Store) -> None:
    edges = EdgeTable(
        edge_kind("User", "HAD", "Session"), pa.table({"start": ["a", "b"], "end": ["s", "t"]})
    )
    for _ in range(2):
        assert store.write_nodes("User", users("a", "b"), "r") == 2
        store.write_nodes("Session", pa.table({"id": ["s", "t"]}), "r")
        assert store.write_edges(edges, "r") == 2
    assert count(store, "User") == 2
    rows = store.run(
        "MATCH (u:User)-[h:HAD]->(s:Session) RETURN u.id AS u, s.id AS s, h.run_id AS r ORDER BY u"
    )
    assert rows == [{"u": "a", "s": "s", "r": "r"}, {"u": "b", "s": "t", "r": "r"}]


def test_more_rows_than_a_batch_arrive_all(store: Store) -> None:
    ids = [f"u{number:05d}" for number in range(12_001)]
    store.write_nodes("User", users(*ids), "r")
    assert count(store, "User") == 12_001


def test_a_null_takes_a_value_away(store: Store) -> None:
    store.write_nodes("Item", pa.table({"id": ["i"], "title": ["Cup"], "price": [1.5]}), "r")
    bare = pa.table({"id": ["i"], "title": pa.array([None], pa.string())})
    store.write_nodes("Item", bare, "r")
    assert store.run("MATCH (i:Item) RETURN i.title AS t, i.price AS p") == [{"t": None, "p": None}]


def test_a_column_or_label_that_the_graph_does_not_have_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="favourite"):
        store.write_nodes("User", pa.table({"id": ["a"], "favourite": ["b"]}), "r")
    with pytest.raises(InputError, match="Customer"):
        store.write_nodes("Customer", pa.table({"id": ["a"]}), "r")
    with pytest.raises(InputError, match="KNOWS"):
        edge_kind("User", "KNOWS", "User")


def test_a_load_replaces_the_one_before(store: Store) -> None:
    store.bulk_load(small_graph("run1"))
    assert count(store, "User") == PEOPLE
    smaller = GraphTables({"User": users("x", "y")}, (), "run2")
    if store.name == "neo4j":  # there only what a load brings is replaced
        smaller = GraphTables(
            {label: table.slice(0, 0) for label, table in small_graph().nodes.items()}
            | {"User": users("x", "y")},
            (),
            "run2",
        )
    store.bulk_load(smaller)
    assert store.run("MATCH (u:User) RETURN u.id AS id ORDER BY id") == [{"id": "x"}, {"id": "y"}]
    assert count(store, "Session") == 0


def test_stale_nodes_and_edges_of_some_kinds_go(store: Store) -> None:
    store.bulk_load(small_graph("run1"))
    store.write_nodes("Claim", pa.table({"id": ["c_0"]}), "run2")
    store.remove_stale(["Claim"], ["STATES"], "run2")
    assert store.run("MATCH (c:Claim) RETURN c.id AS id") == [{"id": "c_0"}]
    assert store.run("MATCH ()-[e:STATES]->() RETURN count(e) AS n") == [{"n": 0}]
    assert count(store, "User") == PEOPLE


def test_the_watermark_is_what_was_set_last(store: Store) -> None:
    for mark in (Watermark(store.workspace_id, "g1"), Watermark(store.workspace_id, "g2", "c2")):
        store.set_watermark(mark)
        assert store.watermark() == mark


def test_a_reader_sees_the_watermark_that_a_writer_completed(
    store: Store, store_settings: Settings, workspace: Path
) -> None:
    store.bulk_load(small_graph())
    mark = Watermark(store.workspace_id, "g", "c")
    store.set_watermark(mark)
    with open_store(store_settings, workspace, write=False) as reader:
        assert reader.watermark() == mark
        assert count(reader, "User") == PEOPLE


def test_a_constraint_that_forbids_a_write_is_a_conflict(store: Store) -> None:
    store.write_nodes("User", users("a", "b"), "r")
    with pytest.raises(Conflict):
        store.write("MATCH (u:User {id: 'a'}) SET u.id = 'b'")


def test_a_process_forked_after_opening_is_told_so(store: Store) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            store.run("graph/ready")
        except Conflict:
            os.write(write, b"refused")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"refused"


def planted(groups: int = 8, size: int = 40) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """A graph with as many communities, one lone node at the end; edges in random order."""
    chance = np.random.default_rng(3)
    n = groups * size
    source, target = chance.integers(0, n, (2, 90 * n))
    within = source // size == target // size
    keep = within | (chance.random(len(source)) < 0.02)
    weight = chance.uniform(0.5, 1.5, int(keep.sum()))
    return n + 1, source[keep], target[keep], weight


def test_planted_communities_are_found_and_a_lone_node_is_alone(store: Store) -> None:
    n, source, target, weight = planted()
    groups = store.leiden(n, source, target, weight, seed=1)
    assert groups.dtype == np.int64
    assert len(groups) == n
    assert (groups == np.r_[np.repeat(np.arange(8), 40), 8]).all()
    truth = np.r_[np.repeat(np.arange(8), 40), 8]
    assert modularity(groups, source, target, weight) >= 0.99 * modularity(
        truth, source, target, weight
    )


def test_the_order_of_edges_and_a_second_call_do_not_change_communities(store: Store) -> None:
    n, source, target, weight = planted(groups=5, size=12)
    order = np.random.default_rng(0).permutation(len(source))
    first = store.leiden(n, source, target, weight, resolution=1.5, seed=4)
    again = store.leiden(n, target[order], source[order], weight[order], resolution=1.5, seed=4)
    assert (first == again).all()


def test_a_graph_without_edges_is_all_alone(store: Store) -> None:
    none = np.array([], np.int64)
    assert store.leiden(3, none, none, none.astype(float)).tolist() == [0, 1, 2]
    assert store.leiden(0, none, none, none.astype(float)).tolist() == []


def test_communities_are_numbered_by_their_first_member() -> None:
    assert numbered_by_first_member(np.array([7, 7, 2, 9, 2])).tolist() == [0, 0, 1, 2, 1]


def test_an_edge_given_twice_or_backwards_is_one() -> None:
    low, high, weight = canonical_edges(
        np.array([2, 1, 1, 3]), np.array([1, 2, 1, 0]), np.array([1.0, 2.0, 9.0, 4.0])
    )
    assert (low.tolist(), high.tolist(), weight.tolist()) == ([0, 1], [3, 2], [4.0, 3.0])


def foreign_errors() -> list[type[Exception]]:
    found: list[type[Exception]] = []
    queue: list[type[Exception]] = [foreign.Neo4jError, foreign.DriverError]
    while queue:
        kind = queue.pop()
        found.append(kind)
        queue += kind.__subclasses__()
    return found


@pytest.mark.parametrize("kind", foreign_errors())
def test_no_error_of_the_driver_gets_out(kind: type[Exception]) -> None:
    assert any(base in ERRORS for base in kind.__mro__)
    ours = translated(kind.__new__(kind))
    assert type(ours) is not PersonagraphError
    assert ours.message.endswith((".", "Error")) or ":" in ours.message


def test_an_address_that_was_tried_is_named_without_its_user() -> None:
    for uri, place in (
        ("bolt://ann:secret@graph.example:7688", " at graph.example:7688"),
        ("neo4j://[::1]", " at [::1]:7687"),
        ("bolt://graph:port", ""),
        ("bolt://ann:12/secret@graph.example", ""),
    ):
        ours = translated(foreign.ServiceUnavailable("ann:secret"), uri)
        assert ours.message == f"The graph store{place} does not answer."
