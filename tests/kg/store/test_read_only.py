"""Analysts' Cypher: what gets through, what does not, and what is ended when it costs too much."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kg.errors import InputError, NotAllowed, NotFound, Unavailable
from kg.settings import Settings
from kg.store import open_store
from kg.store.guard import check_plan, check_text
from kg.store.protocol import Store
from kg.store.read_only import Answer, run_read_only
from kg.store.tables import Watermark
from tests.conftest import empty
from tests.kg.store.hostile import ALLOWED, HOSTILE
from tests.kg.store.small_graph import PEOPLE, small_graph

COUNTS = "MATCH (n) RETURN count(n) AS nodes, count(n.evil) AS evil"


@pytest.fixture(scope="module", params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, Path, Store]]:
    """A store of each kind with the small graph, kept open by this process."""
    settings, workspace = Settings(store="embedded"), tmp_path_factory.mktemp("read_only")
    if request.param == "neo4j":
        settings = Settings(store="neo4j", neo4j_uri=request.getfixturevalue("neo4j_uri"))
        empty(settings.neo4j_uri)
    with open_store(settings, workspace, write=True) as store:
        store.bulk_load(small_graph())
        store.set_watermark(Watermark(store.workspace_id, "g", "c"))
        yield settings, workspace, store


def ask(loaded: tuple[Settings, Path, Store], text: str, **more: Any) -> Answer:
    params = {"given": "file:///etc/hosts"} if "$given" in text else {}
    return run_read_only(loaded[0], loaded[1], text, params, **more)


@pytest.mark.parametrize("text", ALLOWED)
def test_a_useful_query_passes_the_guard(text: str) -> None:
    check_text(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_query_is_refused_and_nothing_is_written(
    text: str, loaded: tuple[Settings, Path, Store]
) -> None:
    with pytest.raises((NotAllowed, InputError)):
        ask(loaded, text)
    assert loaded[2].run(COUNTS) == [{"nodes": loaded[2].run(COUNTS)[0]["nodes"], "evil": 0}]
    assert loaded[2].run("MATCH (n:Evil) RETURN count(n) AS n") == [{"n": 0}]


def test_the_text_alone_stops_what_would_reach_out_of_the_graph() -> None:
    for text in HOSTILE:
        if any(word in text.lower() for word in ("csv", "gds", "apoc", "algo", "dbms", "sql(")):
            with pytest.raises(NotAllowed):
                check_text(text)


def test_useful_queries_answer(loaded: tuple[Settings, Path, Store]) -> None:
    for text in ALLOWED:
        assert ask(loaded, text).rows is not None
    counted = ask(loaded, "MATCH (u:User) RETURN count(u) AS n")
    assert counted == Answer(["n"], [[PEOPLE]], truncated=False)


def test_nodes_edges_and_paths_come_as_json(loaded: tuple[Settings, Path, Store]) -> None:
    text = (
        "MATCH p = (i:Identifier {id: 'crm:4'})-[e:IDENTIFIES]->(u:User) "
        "RETURN p, e, i, [i.id, null] AS xs, date('2026-01-02') AS day"
    )
    node = {"label": "Identifier", "id": "crm:4", "namespace": "crm", "value": "4"}
    edge = {"type": "IDENTIFIES", "probability": 1.0, "reason": "declared"}
    (row,) = ask(loaded, text).rows
    assert row[1] == edge | {"run_id": "run1"}
    assert row[2] == node | {"run_id": "run1"}
    assert row[0][:2] == [row[2], row[1]]
    assert row[0][2]["id"] == "u_004"
    assert row[3:] == [["crm:4", None], "2026-01-02"]


def test_more_rows_than_the_limit_are_said_to_be_cut(loaded: tuple[Settings, Path, Store]) -> None:
    answer = ask(loaded, "UNWIND range(1, 100000) AS x RETURN x", max_rows=3)
    assert (answer.rows, answer.truncated) == ([[1], [2], [3]], True)
    exact = ask(loaded, "UNWIND range(1, 3) AS x RETURN x", max_rows=3)
    assert (len(exact.rows), exact.truncated) == (3, False)


def test_a_shape_that_goes_wrong_is_warned_of(loaded: tuple[Settings, Path, Store]) -> None:
    text = "MATCH (a:User)-[:HAD]->(s) WHERE a.half = 'x' OR s.number = 9 RETURN a.id AS id"
    (warning,) = ask(loaded, text).warnings
    assert "several variables" in warning
    assert ask(loaded, "RETURN 1 AS x").warnings == []


def test_a_label_that_no_node_has_is_warned_of(loaded: tuple[Settings, Path, Store]) -> None:
    answer = ask(loaded, "MATCH (p:Persna) RETURN p.id AS id")
    assert answer.rows == []
    assert answer.warnings == ["no node has the label `Persna`; did you mean `Persona`?"]


def test_wrong_cypher_and_missing_parameters_are_input_errors(
    loaded: tuple[Settings, Path, Store],
) -> None:
    for text in ("MATCH (u RETURN u", "RETURN $missing AS x", "RETURN nobody AS x"):
        with pytest.raises(InputError):
            ask(loaded, text)


def test_a_query_that_runs_too_long_is_ended(loaded: tuple[Settings, Path, Store]) -> None:
    text = "UNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN count(x + y) AS n"
    begun = time.monotonic()
    with pytest.raises(NotAllowed, match=r"^A limit was reached: .* longer than its 1 s"):
        ask(loaded, text, timeout_s=1)
    assert time.monotonic() - begun < 30
    assert not [child for child in psutil.Process().children() if "read_only" in _command(child)]
    if loaded[2].name == "neo4j":
        assert _running_there(loaded[2]) == 0


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _running_there(store: Store) -> int:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with store._session("READ") as session:  # type: ignore[attr-defined]
            rows = session.run(
                "SHOW TRANSACTIONS YIELD metaData WHERE metaData.personagraph IS NOT NULL "
                "RETURN count(*) AS n"
            ).data()
        if rows[0]["n"] == 0:
            return 0
        time.sleep(0.2)
    return int(rows[0]["n"])


def test_a_query_that_takes_too_much_memory_is_ended(
    loaded: tuple[Settings, Path, Store],
) -> None:
    text = (
        "UNWIND range(1, 9000) AS x "
        "RETURN collect(reduce(s = toString(x) + 'abcdefgh', y IN range(1, 16) | s + s)) AS xs"
    )
    with pytest.raises((NotAllowed, Unavailable)):
        ask(loaded, text, memory_mb=300, timeout_s=60)
    assert loaded[2].run("graph/ready") == [{"answer": 1}]


def test_a_runaway_query_does_not_stop_who_has_the_graph_open(
    loaded: tuple[Settings, Path, Store],
) -> None:
    text = "UNWIND range(1, 100000) AS x UNWIND range(1, 100000) AS y RETURN count(x + y) AS n"
    ended: list[str] = []

    def runaway() -> None:
        try:
            ask(loaded, text, timeout_s=3)
        except NotAllowed as error:
            ended.append(error.message)

    thread = threading.Thread(target=runaway)
    thread.start()
    while thread.is_alive():
        assert loaded[2].run("graph/ready") == [{"answer": 1}]
        loaded[2].write("MERGE (t:Task {id: 'beside'})")
        time.sleep(0.1)
    assert ended == ["A limit was reached: the query ran longer than its 3 s and was ended."]


def test_an_analyst_sees_what_was_written_before(loaded: tuple[Settings, Path, Store]) -> None:
    text = "MATCH (t:Task {id: 'fresh'}) RETURN t.horizon_days AS days"
    for days in (30, 60):
        loaded[2].write("MERGE (t:Task {id: 'fresh'}) SET t.horizon_days = $d", {"d": days})
        assert ask(loaded, text).rows == [[days]]
    if loaded[2].name == "embedded":
        copies = list((loaded[1] / "graph").glob("read-*"))
        assert len(copies) == 1


def test_a_file_of_the_users_own_folder_is_not_taken_for_a_module(
    loaded: tuple[Settings, Path, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "statistics.py").write_text("raise SystemExit(1)\n")
    (tmp_path / "json.py").write_text("raise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    assert ask(loaded, "RETURN 1 AS n").rows == [[1]]


def test_the_answer_is_bounded_in_bytes(loaded: tuple[Settings, Path, Store]) -> None:
    text = "UNWIND range(1, 900) AS x RETURN reduce(s = 'abcdefgh', y IN range(1, 14) | s + s) AS s"
    with pytest.raises(NotAllowed, match=r"^A limit was reached: .* larger than"):
        ask(loaded, text, timeout_s=60, memory_mb=4096)


def test_without_a_graph_it_says_what_to_run(workspace: Path) -> None:
    with pytest.raises(NotFound, match="no graph yet"):
        run_read_only(Settings(store="embedded"), workspace, "RETURN 1 AS x", {})


def test_without_a_server_it_is_unavailable(workspace: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"bolt://127.0.0.1:{port}"
    with pytest.raises(Unavailable, match=f"^The graph store at 127.0.0.1:{port} does not answer"):
        run_read_only(Settings(store="neo4j", neo4j_uri=uri), workspace, "RETURN 1 AS x", {})


def test_a_plan_that_writes_or_calls_is_refused() -> None:
    check_plan("r", {"operatorType": "ProduceResults@neo4j", "args": {}})
    call = {"operatorType": "ProcedureCall@neo4j", "args": {"Details": "gds.graph.drop() :: ()"}}
    hidden = {
        "operatorType": "Projection@neo4j",
        "args": {"Details": "ResolvedCall(gds.graph.generate,..)"},
    }
    for plan in (call, hidden, {"operatorType": "LoadCSV", "args": {}}):
        with pytest.raises(NotAllowed):
            check_plan("r", {"operatorType": "ProduceResults", "args": {}, "children": [plan]})
    with pytest.raises(NotAllowed):
        check_plan("rw", {"operatorType": "ProduceResults", "args": {}})
