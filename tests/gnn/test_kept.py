"""What the business asks of the search: less to look at, and personas that go on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gnn.found import PersonaConfig
from gnn.kept import stored
from gnn.search import find
from gnn.tensors import arrange
from kg.lake import Lake
from kg.personas.constraints import parse
from kg.personas.shaping import shape
from tests.gnn.lake import personas_of, rows_of
from tests.gnn.planted import Planted, Story, plant

WORLD = Story(people=500, personas=4, topics=18)


@pytest.fixture(scope="module")
def world() -> Planted:
    return plant(21, WORLD)


@pytest.fixture(scope="module")
def found(world: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "workspace"
    personas_of(world, path)
    return path


def _again(path: Path, text: str, run: str, **config: Any) -> dict[str, Any]:
    """Find personas with what a file asks; what the step says of itself."""
    asked = parse(text)
    with Lake.writer(path) as lake, lake.step("personas", inputs={"run": run}) as step:
        step.summary["constraints"] = shape(step, asked)
        find(step, PersonaConfig(must_keep=tuple(asked.must_keep), **config))
    return Lake.open(path).summary("personas")


def test_intents_kept_out_are_in_no_episode_and_their_people_are_people_all_the_same(
    world: Planted,
) -> None:
    ids, owners = world.intents["intent_id"], world.intents["user_id"].to_pylist()
    out = pa.array(
        [one for one, who in zip(ids.to_pylist(), owners, strict=True) if who == owners[0]]
    )
    whole, less = arrange(world.intents, world.users), arrange(world.intents, world.users, out)
    assert less.user_ids == whole.user_ids
    assert len(less.intents) == len(whole.intents) - len(out)
    assert not (less.user == less.user_ids.index(owners[0])).any()


def test_a_persona_that_must_be_kept_goes_on_by_its_rule_and_is_not_said_to_be_found(
    found: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(found, tmp_path / "workspace"))
    before = {row["persona_id"]: row for row in rows_of(path, "personas").to_pylist()}
    assert before
    one = max(before, key=lambda persona: before[persona]["people"])
    # Nobody is to be found again: no group is as large as everybody.
    summary = _again(path, f"must_keep: [{one}]", "b", least_people=490)
    (row,) = rows_of(path, "personas").to_pylist()
    assert (row["persona_id"], row["kept_by"]) == (one, "business")
    assert row["kept_because"].startswith(
        "fewer than 490 people hold it (personas.yaml asks for more)"
    )
    assert summary["kept_by_business"][0]["persona_id"] == one
    assert "personas" not in summary
    assert abs(row["people"] - before[one]["people"]) < 0.5 * before[one]["people"]
    lines = {line["from_persona_id"]: line["kind"] for line in rows_of(path, "descent").to_pylist()}
    assert lines[one] == "continued"
    assert all(lines[other] == "retired" for other in before if other != one)
    # It is found again as soon as it may be: then nothing is said of keeping it.
    again = _again(path, f"must_keep: [{one}]", "c")
    rows = {row["persona_id"]: row for row in rows_of(path, "personas").to_pylist()}
    assert rows[one]["kept_by"] is None
    assert "kept_by_business" not in again
    # And what went two runs ago still has its rule.
    gone = next(iter(before.keys() - {one}), one)
    with Lake.writer(path) as lake, lake.step("look", inputs={"run": "d"}) as step:
        assert json.dumps(stored(step, [gone])[gone])


def test_the_version_of_a_kept_persona_rises_where_what_it_competes_with_is_another(
    found: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(found, tmp_path / "workspace"))
    people = {row["persona_id"]: row["people"] for row in rows_of(path, "personas").to_pylist()}
    one, *others = sorted(people, key=lambda persona: people[persona])
    assert others

    def rule() -> tuple[int, dict[str, Any]]:
        rows = {row["persona_id"]: row for row in rows_of(path, "persona_rules").to_pylist()}
        return rows[one]["version"], json.loads(rows[one]["rule"])

    (version, before) = rule()
    least = people[one] + 1
    _again(path, f"must_keep: [{one}]", "b", least_people=least)
    rows = {row["persona_id"]: row for row in rows_of(path, "personas").to_pylist()}
    assert rows[one]["kept_by"] == "business"
    assert any(row["kept_by"] is None for row in rows.values())
    now, after = rule()
    assert after["persona"] == before["persona"], "its own part stays"
    assert (after["background"], after["unnamed"]) != (before["background"], before["unnamed"])
    assert now == version + 1


def test_manners_that_are_kept_out_shape_nothing(found: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(found, tmp_path / "workspace"))
    used = Lake.open(path).summary("personas")["manners_used"]
    assert "hour" in used
    text = "keep_out: {manners: [hour], verbs: [returned]}"
    summary = _again(path, text, "b", manners_out=("hour",), manners_in=("weekday",))
    assert "hour" not in summary["manners_used"]
    assert summary["manners_used"][-1] == "weekday"
    out = set(rows_of(path, "kept_out")["intent_id"].to_pylist())
    members = rows_of(path, "memberships").to_pylist()
    assert len(members) == len(rows_of(path, "intents"))
    assert out
    assert {row["persona_id"] for row in members if row["intent_id"] in out} == {None}
    assert summary["intents"] == len(members) - len(out)
    for signature in rows_of(path, "personas")["signature"].to_pylist():
        assert all(row["manner"] != "hour" for row in json.loads(signature)["manners"])
