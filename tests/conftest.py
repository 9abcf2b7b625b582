"""What tests of more than one part share: a store of each kind, and when a Neo4j may be missing."""

import os
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Store
from tests.bucket import BUCKETS, Bucket
from tests.neo4j.server import MissingTool, Options, neo4j_server
from tests.postgres import MissingServer, Server, postgres_server

REQUIRED = os.environ.get("PERSONAGRAPH_TEST_REQUIRE", "").split(",")


@pytest.fixture(scope="session")
def neo4j_uri() -> Iterator[str]:
    """The address of a real Neo4j with GDS, without a login, shared by all tests."""
    try:
        with neo4j_server(Options(heap="1g")) as server:
            yield server.uri
    except MissingTool as missing:
        if "neo4j" in REQUIRED:
            pytest.fail(f"PERSONAGRAPH_TEST_REQUIRE names neo4j: {missing}", pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server, shared by all tests."""
    try:
        with postgres_server() as server:
            yield server
    except MissingServer as missing:
        if "postgres" in REQUIRED:
            pytest.fail(f"PERSONAGRAPH_TEST_REQUIRE names postgres: {missing}", pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(params=BUCKETS)
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket on a real server; this process knows how to reach it."""
    with BUCKETS[request.param]() as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        yield made


def empty(neo4j_uri: str) -> None:
    """Delete everything in that Neo4j, also what GDS keeps in memory."""
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:
        session.run("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS").consume()
        for row in session.run("CALL gds.graph.list() YIELD graphName").data():
            session.run("CALL gds.graph.drop($name) YIELD graphName", name=row["graphName"])


@pytest.fixture
def empty_neo4j(neo4j_uri: str) -> Settings:
    """Settings of that Neo4j, emptied."""
    empty(neo4j_uri)
    return Settings(store="neo4j", neo4j_uri=neo4j_uri)


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of an empty store of each kind."""
    if request.param == "neo4j":
        settings: Settings = request.getfixturevalue("empty_neo4j")
        return settings
    return Settings(store="embedded")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The folder of a workspace; nothing is in it yet."""
    return tmp_path / "workspace"


@pytest.fixture
def store(store_settings: Settings, workspace: Path) -> Iterator[Store]:
    """An empty, migrated store of each kind, open for writing."""
    with open_store(store_settings, workspace, write=True) as opened:
        yield opened


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their number: packed ones carry the time, and every process needs one name."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
