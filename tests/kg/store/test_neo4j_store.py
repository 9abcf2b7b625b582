"""Neo4j that is down, locked, too old, without GDS or somebody else's: each says what to do."""

import socket
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from kg.errors import Conflict, InputError, PersonagraphError, Unavailable
from kg.settings import Settings
from kg.store import open_store
from kg.store.neo4j import check_version
from kg.store.read_only import run_read_only
from kg.store.tables import Watermark
from tests.kg.store.small_graph import small_graph
from tests.neo4j.server import MissingTool, Options, Server, neo4j_server

pytestmark = pytest.mark.neo4j
PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def locked(neo4j_uri: str) -> Iterator[Server]:
    """A server with a login and without the GDS jars."""
    del neo4j_uri  # skips or fails first when there can be no server
    with neo4j_server(Options(heap="512m", password=PASSWORD, gds=False)) as server:
        yield server


def at(uri: str, **more: str) -> Settings:
    return Settings(store="neo4j", neo4j_uri=uri, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["5.26.0", "5.26.24", "2026.01.4", "2025.12.1", "6.0.0"])
def test_a_version_that_works_passes(version: str) -> None:
    check_version(version)


@pytest.mark.parametrize("version", ["4.4.40", "5.25.1", "5.9.0", "3.5.0", "unknown"])
def test_a_version_too_old_is_refused(version: str) -> None:
    with pytest.raises(InputError, match=r"5\.26 is the oldest") as caught:
        check_version(version)
    assert caught.value.hint


def test_nothing_at_the_address_is_unavailable(workspace: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable, match="does not answer") as caught:
        open_store(at(f"bolt://127.0.0.1:{port}"), workspace, write=False)
    assert "PERSONAGRAPH_NEO4J_URI" in str(caught.value.hint)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "bolt://", "nonsense"])
def test_an_address_that_is_none_is_an_input_error(uri: str, workspace: Path) -> None:
    with pytest.raises((InputError, Unavailable)) as caught:
        open_store(at(uri), workspace, write=False)
    assert caught.value.hint


def test_something_else_at_the_address_is_unavailable(workspace: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        other.settimeout(30)
        uri = f"bolt://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(Unavailable):
            open_store(at(uri), workspace, write=False)


@pytest.mark.parametrize("password", ["", "wrong-password"])
def test_a_wrong_password_is_an_input_error(locked: Server, workspace: Path, password: str) -> None:
    with pytest.raises(InputError, match="user or password") as caught:
        open_store(at(locked.uri, neo4j_password=password), workspace, write=False)
    assert "PERSONAGRAPH_NEO4J_PASSWORD" in str(caught.value.hint)
    assert password not in str(caught.value) or not password


def test_a_neo4j_without_gds_is_an_input_error(locked: Server, workspace: Path) -> None:
    with pytest.raises(InputError, match="Graph Data Science") as caught:
        open_store(at(locked.uri, neo4j_password=PASSWORD), workspace, write=False)
    assert "PERSONAGRAPH_STORE=embedded" in str(caught.value.hint)


def test_an_analyst_query_logs_in_too(locked: Server, workspace: Path) -> None:
    settings = at(locked.uri, neo4j_password=PASSWORD)
    assert run_read_only(settings, workspace, "RETURN 1 AS one", {}).rows == [[1]]
    with pytest.raises(InputError, match="user or password"):
        run_read_only(at(locked.uri, neo4j_password="no-no-no"), workspace, "RETURN 1", {})


def test_a_database_of_another_workspace_is_not_overwritten(
    empty_neo4j: Settings, tmp_path: Path
) -> None:
    with open_store(empty_neo4j, tmp_path / "one", write=True) as store:
        store.bulk_load(small_graph())
        store.set_watermark(Watermark(store.workspace_id, "g", "c"))
    for write in (True, False):
        with pytest.raises(Conflict, match="another workspace") as caught:
            open_store(empty_neo4j, tmp_path / "two", write=write)
        assert caught.value.hint
    with pytest.raises(Conflict, match="another workspace"):
        run_read_only(empty_neo4j, tmp_path / "two", "RETURN 1 AS x", {})
    assert run_read_only(empty_neo4j, tmp_path / "one", "RETURN 1 AS x", {}).rows == [[1]]
    with open_store(empty_neo4j, tmp_path / "one", write=True) as store:
        assert store.watermark() == Watermark(store.workspace_id, "g", "c")


def test_a_database_with_something_else_in_it_is_not_written_to(
    empty_neo4j: Settings, workspace: Path
) -> None:
    with neo4j.GraphDatabase.driver(empty_neo4j.neo4j_uri) as driver:
        driver.execute_query("CREATE (:Film {title: 'not ours'})")
    with pytest.raises(Conflict, match="not Personagraph's"):
        open_store(empty_neo4j, workspace, write=True)


def test_reading_cannot_write(empty_neo4j: Settings, workspace: Path) -> None:
    with (
        open_store(empty_neo4j, workspace, write=True) as store,
        pytest.raises(PersonagraphError),
    ):
        store.run("CREATE (t:Task {id: 'x'}) RETURN t.id AS id")


def test_a_graph_of_gds_does_not_stay_behind(empty_neo4j: Settings, workspace: Path) -> None:
    import numpy as np

    with open_store(empty_neo4j, workspace, write=True) as store:
        store.leiden(3, np.array([0, 1]), np.array([1, 2]), np.array([1.0, 1.0]))
        assert store.run("CALL gds.graph.list() YIELD graphName RETURN graphName") == []


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tests.neo4j import server

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("PERSONAGRAPH_TEST_NEO4J_DIST", raising=False)
    monkeypatch.setattr(server, "HERE", tmp_path)
    with pytest.raises(MissingTool, match="apt-get install openjdk"):
        server.find_java("lts")
    with pytest.raises(MissingTool, match="apt-get install maven"):
        server.distribution("lts")
