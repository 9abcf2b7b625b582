"""A planted world in a real lake, up to the step that finds personas."""

from pathlib import Path

import pyarrow as pa

from gnn.found import PersonaConfig
from gnn.search import find
from kg.lake import Lake
from kg.personas.statistics import MIN_PEOPLE
from tests.gnn.planted import Planted
from tests.rows import table

_USER = {
    "first_seen_ms": 0,
    "last_seen_ms": 0,
    "record_count": 1,
    "event_count": 1,
    "consent_denied": False,
}


def personas_of(
    world: Planted, path: Path, seed: int = 0, run: str = "a", least: int = MIN_PEOPLE
) -> None:
    """Write the world into a workspace and find its personas, held by `least` people or more."""
    with Lake.writer(path) as lake:
        with lake.step("intents", inputs={"run": run}, config={}, seed=seed) as step:
            if not step.done:
                step.overwrite("intents", world.intents)
                step.overwrite(
                    "users", table("users", [u | _USER for u in world.users.to_pylist()])
                )
                topics = sorted(set(world.intents["topic"].to_pylist()))
                rows = [{"topic": topic, "label": topic, "kind": "category"} for topic in topics]
                step.overwrite("topics", table("topics", rows))
        with lake.step("personas", inputs={"run": run}, config={}, seed=seed) as step:
            if not step.done:
                find(step, PersonaConfig(seed=seed, least_people=least))


def rows_of(path: Path, name: str) -> pa.Table:
    """A table of the workspace, without the run that wrote it."""
    return Lake.open(path).arrow(name).drop_columns(["run_id"])
