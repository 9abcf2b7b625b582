"""A planted workspace, its graph on each store, and its personas stated."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kg import graph
from kg.lake import Lake, Writer
from kg.personas.state import state
from kg.settings import Settings
from kg.store import open_store
from kg.store.protocol import Store
from tests.kg.personas import planted


@dataclass
class Stated:
    """A workspace whose personas are stated; lake and graph open for writing."""

    lake: Writer
    store: Store


@pytest.fixture(scope="session")
def planted_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planted workspace without a graph, for reading only."""
    path = tmp_path_factory.mktemp("planted") / "workspace"
    planted.planted(path)
    return path


@pytest.fixture
def lake(planted_lake: Path) -> Iterator[Lake]:
    """The planted lake."""
    with Lake.open(planted_lake) as opened:
        yield opened


@pytest.fixture
def projected(planted_lake: Path, workspace: Path, store_settings: Settings) -> Iterator[Stated]:
    """A copy of the planted lake and its graph, without claims."""
    shutil.copytree(planted_lake, workspace)
    with (
        Lake.writer(workspace) as opened,
        open_store(store_settings, workspace, write=True) as store,
    ):
        graph.project(opened, store)
        yield Stated(opened, store)


@pytest.fixture
def stated(projected: Stated) -> Stated:
    """The planted lake and its graph with claims, evidence and words."""
    with projected.lake.step("claims") as step:
        state(step, projected.lake, projected.store)
    graph.write_claims(projected.lake, projected.store)
    return projected
