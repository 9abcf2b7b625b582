"""How well what is kept out can still be told from personas."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from api.cli.notes_on_personas import asked_for
from gnn.found import Found, PersonaConfig
from gnn.memberships import Rule
from gnn.tensors import arrange
from gnn.withheld import _association, still_told
from kg.lake import Lake
from tests.gnn.planted import Story, plant
from tests.rows import table

USER = {"first_seen_ms": 0, "last_seen_ms": 0, "record_count": 1, "event_count": 1}


def test_what_is_told_wholly_is_1_and_what_is_alike_for_all_is_0() -> None:
    assert _association(np.array([[30.0, 0], [0, 70]])) == 1
    assert _association(np.array([[15.0, 15], [35, 35]])) == 0
    assert _association(np.array([[30.0, 0], [70, 0]])) == 0
    assert _association(np.zeros((0, 0))) == 0


def test_what_another_thing_gives_away_is_told_with_the_persona(tmp_path: Path) -> None:
    world = plant(21, Story(people=200, personas=4, topics=18))
    everyone = sorted(set(world.intents["user_id"].to_pylist()))
    holders = {"p_a": everyone[:80], "p_b": everyone[60:]}
    # Whoever holds the first has it, and ten more; it is out, and the persona gives it away.
    has = {"verb gone": everyone[:90], "channel rare": everyone[:3], "goal buy": everyone[:80]}
    firsts = {row["user_id"]: row["intent_id"] for row in world.intents.to_pylist()}
    out = [
        {"intent_id": firsts[one] if why != "goal buy" else f"{one}-{why}", "why": why}
        for why, people in has.items()
        for one in people
    ]
    held = [
        {"user_id": one, "persona_id": persona, "weight": 1.0, "low": 0.0, "high": 1.0}
        | {"intents": 2, "valid_from_ms": 0, "valid_to_ms": None}
        for persona, people in holders.items()
        for one in people
    ]
    ended = held[0] | {"persona_id": "p_b", "valid_to_ms": 9}
    users = [one | USER | {"consent_denied": False} for one in world.users.to_pylist()]
    episodes = arrange(world.intents, world.users)
    by_hour = np.eye(3)[episodes.manner("hour").values % 3]
    rule = Rule(np.zeros((3, episodes.type_count)), (), (), (), np.inf, np.zeros(2),
                PersonaConfig().mixture)  # fmt: skip
    with Lake.writer(tmp_path) as lake, lake.step("personas", inputs={"run": "a"}) as step:
        step.overwrite("intents", world.intents)
        step.overwrite("users", table("users", users))
        step.overwrite("holdings", table("holdings", [*held, ended]))
        step.overwrite("kept_out", pa.Table.from_pylist(out))
        told = still_told(step, episodes, Found(rule, by_hour, [], []), ("hour", "weekday"))
    found = {one["what"]: (one["association"], one["persona_id"]) for one in told}
    assert list(found) == ["channel rare", "verb gone", "manner hour", "manner weekday"]
    assert found["channel rare"] == (None, None), "of three people nothing is said"
    by_hand = np.corrcoef(np.isin(everyone, has["verb gone"]), np.isin(everyone, holders["p_a"]))
    assert found["verb gone"] == (pytest.approx(by_hand[0, 1], abs=5e-4), "p_a")
    assert found["manner hour"] == (1.0, None), "here personas are hours"
    weekday = found["manner weekday"][0]
    assert weekday is not None
    assert weekday < 0.1
    (line,) = asked_for({"still_told": told})
    assert "channel rare not said, for too few have it or have it not, verb gone" in line
    assert f"verb gone {by_hand[0, 1]:.2f} (p_a), manner hour 1" in line
