"""How well holding foretells a goal, with people whose future is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gnn.foretell import Moment, Task, accuracy, moment
from kg.lake import Lake
from kg.personas.kinds import DAY_MS
from tests.gnn.planted import Story, plant
from tests.gnn.told import USER
from tests.rows import table

PEOPLE = 400
IDS = tuple(f"u_{number:05d}" for number in range(PEOPLE))
NUMBER = np.arange(PEOPLE)


def _moment(day: int, found: np.ndarray) -> Moment:
    return Moment(day * DAY_MS, IDS, NUMBER % 2 == 0, found, np.ones(PEOPLE, np.int64))


@pytest.fixture
def task() -> Task:
    """A quarter holds a persona; they, and nobody else, reach the goal after either moment."""
    holds = (NUMBER % 8 < 2)[:, None]
    who = [IDS[number] for number in NUMBER[holds[:, 0]]]
    at = [11 * DAY_MS] * len(who) + [21 * DAY_MS] * len(who)
    reached = pa.table({"user_id": who * 2, "at_ms": pa.array(at, pa.int64())})
    unlike = (NUMBER % 3 == 0)[:, None]
    return Task(
        "buy", reached, 10 * DAY_MS, _moment(10, holds), _moment(20, holds), (unlike, unlike)
    )


def test_who_holds_what_decides_is_foretold_and_chance_is_not(task: Task) -> None:
    told = accuracy(task)
    assert (told["learned_on"], told["judged_on"], told["base_rate"]) == (200, 200, 0.25)
    assert told["found"]["auc"] == told["both"]["mean"] == 1.0
    assert abs(told["rule"]["auc"] - 0.5) < 0.1
    assert told["rule"]["spread"] > 0.01
    assert told["activity alone"]["auc"] == 0.5


def test_what_happened_at_the_moment_or_too_late_is_no_future(task: Task) -> None:
    at = pa.array([10 * DAY_MS, 20 * DAY_MS, 31 * DAY_MS], pa.int64())
    told = accuracy(replace(task, reached=pa.table({"user_id": IDS[:3], "at_ms": at})))
    assert told["base_rate"] == 0
    assert "fewer than 20 people" in told["why_not"]
    assert "learn it from" in told["why_not"]


def test_where_there_is_nothing_to_hold_that_is_said(task: Task) -> None:
    nothing = np.zeros((PEOPLE, 0), bool)
    nobody = np.zeros((PEOPLE, 2), bool)
    told = accuracy(
        replace(
            task,
            earlier=replace(task.earlier, found=nothing),
            later=replace(task.later, found=nothing),
            by_rule=(nobody, nobody),
        )
    )
    assert told["found"] == {"why_not": "there are none"}
    assert told["rule"] == {"why_not": "nobody held one by then"}


def test_a_moment_knows_nothing_later(tmp_path: Path) -> None:
    world = plant(3, Story(people=60, personas=4, topics=12))
    users = [user | USER | {"consent_denied": False} for user in world.users.to_pylist()]
    with Lake.writer(tmp_path) as lake, lake.step("intents") as step:
        step.overwrite("intents", world.intents)
        step.overwrite("users", table("users", users))
    with Lake.open(tmp_path) as lake:
        times = np.sort(world.intents["started_at_ms"].to_numpy())
        early = moment(lake, [], int(times[len(times) // 2]))
        whole = moment(lake, [], int(times[-1]))
    assert early.activity.sum() == len(times) // 2 + 1
    assert whole.activity.sum() == len(times)
    assert set(early.user_ids) <= set(whole.user_ids)
