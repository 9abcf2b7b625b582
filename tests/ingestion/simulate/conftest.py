"""One simulated world for all tests of this folder."""

from typing import Any

import orjson
import pytest
from program import SimulatedWorld

from ingestion.simulate import simulate


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> SimulatedWorld:
    """1,000 people, seed 7."""
    out = tmp_path_factory.mktemp("planted")
    simulate(1000, 7, out)
    return SimulatedWorld(out / "data", out / "truth")


@pytest.fixture
def report(planted: SimulatedWorld) -> dict[str, Any]:
    """What the simulator said it wrote."""
    found: dict[str, Any] = orjson.loads((planted.truth / "world.json").read_bytes())
    return found
