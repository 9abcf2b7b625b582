"""A workspace whose rule was fitted from the truth of a small world: a search in two seconds."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gnn import levels, tables
from gnn.communities import native_leiden
from gnn.found import Found, PersonaConfig
from gnn.memberships import MixtureConfig, assign, fit
from gnn.recurrence import Recurrence
from gnn.tensors import load
from gnn.update import update
from kg.lake import Lake
from tests.gnn.planted import Planted, Story, arranged, plant
from tests.gnn.told import USER
from tests.rows import table

CONFIG = PersonaConfig(least_people=2)
PASSED = Recurrence(together=1.0, expected=0.5, lift=2.0, p=0.001, q=0.001, passed=True)


def small_world(seed: int = 7) -> Planted:
    """Five personas, the last rare."""
    return plant(seed, Story(people=300, personas=5, topics=24))


def before(world: Planted, share: float) -> Planted:
    """What had happened when this share of the intents had."""
    at = np.quantile(world.intents["started_at_ms"].to_numpy(), share)
    kept = world.intents["started_at_ms"].to_numpy() < at
    return Planted(world.intents.filter(pa.array(kept)), world.users, world.truth[kept])


def put_intents(lake: Any, world: Planted, denied: tuple[str, ...] = ()) -> None:
    """The step before: intents of a world, without those of who denied consent."""
    with lake.step("intents", inputs={"rows": hash_of(world), "denied": str(denied)}) as step:
        if step.done:
            return
        allowed = ~np.isin(world.intents["user_id"].to_numpy(zero_copy_only=False), denied)
        step.overwrite("intents", world.intents.filter(pa.array(allowed)))
        users = [
            u | USER | {"consent_denied": u["user_id"] in denied} for u in world.users.to_pylist()
        ]
        step.overwrite("users", table("users", users))


def hash_of(world: Planted) -> str:
    """Tells worlds apart."""
    columns = world.intents.select(["user_id", "topic", "started_at_ms"])
    return hashlib.sha256(str(columns.to_pydict()).encode()).hexdigest()[:16]


def search(path: Path, world: Planted) -> str:
    """A search that finds the planted personas; its run id."""
    with Lake.writer(path) as lake:
        put_intents(lake, world)
        with lake.step("personas", inputs={"run": lake.step_id("intents")}) as step:
            episodes = load(step)
            truth = arranged(world)[1]
            rows = np.flatnonzero(episodes.fit[episodes.user])
            start = np.full((len(episodes), truth.max() + 2), 0.02)
            start[np.arange(len(episodes)), truth + 1] = 1.0
            start /= start.sum(1, keepdims=True)
            manners = (episodes.manner("hour"), episodes.manner("price"))
            rule = fit(episodes, rows, manners, start[rows], MixtureConfig(rounds=10))[0].rounded()
            soft = assign(episodes, np.arange(len(episodes)), manners, rule)
            found = Found(rule, soft, [PASSED] * rule.personas, [0.9] * rule.personas)
            config = PersonaConfig(least_people=1)
            beside = levels.find(episodes, found, config, native_leiden)
            tables.write(step, episodes, (found, beside), config)
    return str(step.id)


def updated(
    path: Path, searched: str, world: Planted, denied: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """Update to another world; the summary."""
    with Lake.writer(path) as lake:
        put_intents(lake, world, denied)
        inputs = {"run": lake.step_id("intents")}
        with lake.step("personas", inputs=inputs, config={"run_id": searched}) as step:
            if not step.done:
                update(step, searched, CONFIG, native_leiden)
        return dict(step.summary) | {"done": step.done}


def rows(path: Path, name: str) -> pa.Table:
    """A table of the workspace, without the run that wrote it."""
    with Lake.open(path) as lake:
        return lake.arrow(name).drop_columns(["run_id"])


def persona_of(path: Path) -> dict[str, str | None]:
    """Intent -> persona."""
    found = rows(path, "memberships")
    return dict(zip(found["intent_id"].to_pylist(), found["persona_id"].to_pylist(), strict=True))


def intents_of(world: Planted, keep: Any) -> Planted:
    """Some intents of a world."""
    return Planted(world.intents.filter(pa.array(keep)), world.users, world.truth[keep])


def with_column(world: Planted, name: str, values: Any) -> Planted:
    """The world with other values of a column."""
    place = world.intents.column_names.index(name)
    made = pa.array(values, world.intents.schema.field(name).type)
    return Planted(world.intents.set_column(place, name, made), world.users, world.truth)


def owners(world: Planted) -> Any:
    """Whose each intent is."""
    return world.intents["user_id"].to_numpy(zero_copy_only=False)


def newest(world: Planted) -> int:
    """Epoch ms."""
    return int(pc.max(world.intents["ended_at_ms"]).as_py())
