"""Runs over one workspace whose personas are told: which ids they get, and what is kept of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from gnn import ancestry
from gnn.found import signature_id
from kg.exports import export_rows
from kg.lake import Lake
from tests.gnn.planted import Planted, arranged
from tests.gnn.told import A, B, C, D, Told, small_world
from tests.rows import table


@pytest.fixture(scope="module")
def world() -> Planted:
    return small_world()


@pytest.fixture
def told(tmp_path: Path, world: Planted) -> Told:
    return Told(tmp_path / "w", world)


def test_in_the_first_run_every_persona_is_born(told: Told) -> None:
    told.run()
    personas = told.rows("personas")
    assert len(personas) == 4
    assert {(None, row["persona_id"], "born") for row in personas} == set(told.kinds())
    stood = told.rows("persona_runs")
    assert {row["number"] for row in stood} == {1}
    assert {row["as_of_ms"] for row in stood} == {pc.max(told.world.intents["ended_at_ms"]).as_py()}
    assert {r["persona_id"]: r["people"] for r in stood} == {
        r["persona_id"]: r["people"] for r in personas
    }


def test_a_run_with_the_same_input_adds_no_rows(told: Told) -> None:
    told.run()
    before = told.rows("descent"), told.rows("persona_runs")
    told.runs -= 1
    with Lake.writer(told.path) as lake, lake.step("personas", inputs={"run": "1"}) as step:
        assert step.done
    assert (told.rows("descent"), told.rows("persona_runs")) == before


def test_ids_stay_and_a_version_rises_with_the_rule(told: Told) -> None:
    told.run()
    first = {row["persona_id"]: row["version"] for row in told.rows("personas")}
    told.run()
    again = {row["persona_id"]: row["version"] for row in told.rows("personas")}
    assert again == first
    assert {kind for _, _, kind in told.kinds()} == {"continued"}
    told.run(gone=(C,))
    third = {row["persona_id"]: row["version"] for row in told.rows("personas")}
    assert third.items() == {one: 2 for one in first if one in third}.items()
    assert len(told.rows("descent")) == 12


def test_a_persona_that_splits_and_joins_again(told: Told) -> None:
    told.run()
    whole = told.id_of(B)
    told.run(split=True)
    lines = [line for line in told.kinds() if line[2] == "split"]
    (part,) = {to for _, to, _ in lines} - {whole}
    assert {source for source, _, _ in lines} == {whole}
    assert told.id_of(B) == whole, "the larger part keeps the id"
    told.run()
    assert {line for line in told.kinds() if line[2] == "merged"} == {
        (whole, whole, "merged"),
        (part, whole, "merged"),
    }
    assert part not in {row["persona_id"] for row in told.rows("personas")}


def test_what_retires_keeps_its_holdings_closed_and_its_id_for_itself(told: Told) -> None:
    told.run()
    gone, as_of = told.id_of(C), pc.max(told.world.intents["ended_at_ms"]).as_py()
    held = {
        r["user_id"]: r["valid_from_ms"] for r in told.rows("holdings") if r["persona_id"] == gone
    }
    assert held
    told.run(gone=(C,))
    assert (gone, None, "retired") in told.kinds()
    kept = [row for row in told.rows("holdings") if row["persona_id"] == gone]
    assert {row["user_id"]: row["valid_from_ms"] for row in kept} == held
    assert {row["valid_to_ms"] for row in kept} == {as_of}
    assert gone not in {row["persona_id"] for row in told.rows("personas")}
    told.run(gone=(C,))
    assert [row for row in told.rows("holdings") if row["persona_id"] == gone] != []
    told.run()
    assert told.id_of(C) == gone
    assert (gone, gone, "continued") in told.kinds()
    (back,) = [row for row in told.rows("personas") if row["persona_id"] == gone]
    assert back["version"] == 2
    now = {
        r["user_id"]: r["valid_from_ms"] for r in told.rows("holdings") if r["persona_id"] == gone
    }
    assert now == held
    assert told.rows("past_memberships") == []


def test_nothing_is_kept_of_who_denies_consent(told: Told) -> None:
    told.run()
    gone = told.id_of(C)
    (first, *others) = sorted(
        r["user_id"] for r in told.rows("holdings") if r["persona_id"] == gone
    )
    told.run(gone=(C,), denied=(first,))
    assert sorted(r["user_id"] for r in told.rows("holdings") if r["persona_id"] == gone) == others
    assert first not in {row["user_id"] for row in told.rows("past_memberships")}


def test_when_no_persona_is_left_all_retire_and_may_return(told: Told) -> None:
    told.run()
    before = {row["persona_id"] for row in told.rows("personas")}
    told.run(gone=(A, B, C, D))
    assert {kind for _, _, kind in told.kinds()} == {"retired"}
    assert told.rows("personas") == []
    told.run(gone=(A, B, C, D))
    assert len(told.rows("descent")) == 8, "a run that has and loses none is no news"
    told.run()
    assert {row["persona_id"] for row in told.rows("personas")} == before
    numbers = {(row["number"], row["kind"]) for row in told.rows("descent")}
    assert numbers == {(1, "born"), (2, "retired"), (3, "continued")}


def test_people_who_held_both_are_counted_too(told: Told) -> None:
    told.run()
    told.run()
    assert {row["people_overlap"] for row in told.rows("descent") if row["number"] == 2} == {1.0}
    told.run(split=True)
    split = [r for r in told.rows("descent") if r["number"] == 3 and r["kind"] == "split"]
    assert sum(row["people_overlap"] for row in split) == pytest.approx(1.0)
    assert all(row["people_overlap"] < 1 for row in split)


def test_a_new_id_is_one_that_nobody_ever_had() -> None:
    first = signature_id("x")
    second = ancestry.fresh_id("x", {first})
    assert ancestry.fresh_id("x", set()) == first
    assert len({first, second, ancestry.fresh_id("x", {first, second})}) == 3


def test_the_export_has_the_columns_of_the_contract(told: Told) -> None:
    told.run()
    told.run(gone=(C,))
    with Lake.open(told.path) as lake:
        rows = lake.run(export_rows(lake, "descent"))
        number = dict.fromkeys(lake.arrow("descent")["run_id"].to_pylist())
    assert rows.column_names == ["run_id", "from_persona_id", "to_persona_id", "kind", "overlap"]
    assert rows.num_rows == 8
    assert set(rows["run_id"].to_pylist()) == set(number)
    born = rows.filter(pc.equal(rows["kind"], "born"))
    assert born["from_persona_id"].null_count == 4
    assert pa.types.is_floating(rows.schema.field("overlap").type)
    assert rows["overlap"].null_count == 0


def test_intents_that_are_no_more_do_not_stand_against_a_persona(
    told: Told, world: Planted
) -> None:
    """The older half of the data is gone; what is left continues."""
    told.run()
    before = {row["persona_id"] for row in told.rows("personas")}
    times = world.intents["started_at_ms"].to_numpy()
    kept = times >= np.median(times)
    told.world = replace(
        world, intents=world.intents.filter(pa.array(kept)), truth=world.truth[kept]
    )
    told.truth = arranged(told.world)[1]
    told.run()
    assert {row["persona_id"] for row in told.rows("personas")} == before
    assert {kind for _, _, kind in told.kinds()} == {"continued"}


def test_a_workspace_older_than_the_history_goes_on_with_its_ids(told: Told) -> None:
    told.run()
    before, gone = {row["persona_id"] for row in told.rows("personas")}, told.id_of(C)
    with Lake.writer(told.path) as lake, lake.step("older") as step:
        for name in ("persona_runs", "descent"):
            step.overwrite(name, table(name, []))
    told.run(gone=(C,))
    assert {row["persona_id"] for row in told.rows("personas")} == before - {gone}
    assert (gone, None, "retired") in told.kinds()
    assert told.rows("past_memberships") == []  # nothing says when it was
    told.run()
    assert len(told.rows("personas")) == 4
