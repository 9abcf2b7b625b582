"""One simulated company and one finished workspace, shared by the tests of the doors."""

from pathlib import Path

import pytest
from program import SimulatedWorld, as_json, personagraph, succeed
from world import write_story


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimulatedWorld:
    """A thousand people, simulated once."""
    out = tmp_path_factory.mktemp("world")
    made = ("simulate", "--people", "1000", "--seed", "7", "--out", out, "--json")
    told = as_json(personagraph(out, *made))
    return SimulatedWorld(Path(told["data"]), Path(told["truth"]))


@pytest.fixture(scope="session")
def home(world: SimulatedWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of workspaces in which `shop` holds a finished run of the world."""
    folder = tmp_path_factory.mktemp("home")
    succeed(personagraph(folder, "run", world.data, "--workspace", "shop"))
    return folder


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of workspaces in which `story` holds a finished run of `data`, the small story."""
    folder = tmp_path_factory.mktemp("story")
    write_story(folder / "data")
    succeed(personagraph(folder, "run", folder / "data", "--workspace", "story"))
    return folder
