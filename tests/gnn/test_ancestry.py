"""Runs over one workspace whose personas are told: which ids they get, and what is kept of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

from gnn import ancestry, tables
from gnn.memberships import MixtureConfig, Rule
from gnn.personas import Found, PersonaConfig, signature_id
from gnn.recurrence import Recurrence
from gnn.tensors import load
from kg.exports import export_rows
from kg.lake import Lake
from tests.gnn.planted import Planted, Story, arranged, plant
from tests.rows import table

A, B, C, D = 0, 1, 2, 3
NONE = -1
CONFIG = PersonaConfig(least_people=1)
USER = {"first_seen_ms": 0, "last_seen_ms": 0, "record_count": 1, "event_count": 1}


@pytest.fixture(scope="module")
def world() -> Planted:
    """Four personas; the rare fifth is none here."""
    planted = plant(7, Story(people=150, personas=5, topics=24))
    return replace(planted, truth=np.where(planted.truth == 4, NONE, planted.truth))


class Told:
    """A workspace in which each run finds the personas it is told."""

    def __init__(self, path: Path, world: Planted) -> None:
        self.path, self.world = path, world
        self.truth = arranged(world)[1]
        self.runs = 0

    def run(self, **more: Any) -> None:
        """Find the planted personas as they are, but for these changes (see `labels`)."""
        self.runs += 1
        with Lake.writer(self.path) as lake:
            with lake.step("intents", inputs={"run": str(self.runs)}) as step:
                step.overwrite("intents", self.world.intents)
                denied = more.pop("denied", ())
                users = [
                    u | USER | {"consent_denied": u["user_id"] in denied}
                    for u in self.world.users.to_pylist()
                ]
                step.overwrite("users", table("users", users))
            with lake.step("personas", inputs={"run": str(self.runs)}) as step:
                episodes = load(step)
                labels = self.labels(episodes.user, **more)
                tables.write(step, episodes, found(labels, episodes.type_count), CONFIG)

    def labels(
        self, user: NDArray[np.int64], gone: tuple[int, ...] = (), split: bool = False
    ) -> Any:
        """The persona of each episode; `split`: B of people of even number is one of its own."""
        labels = self.truth.copy()
        if split:
            labels[(labels == B) & (user % 3 == 0)] = labels.max() + 1
        labels[np.isin(labels, gone)] = NONE
        there = np.unique(labels[labels >= 0])
        return np.where(labels < 0, NONE, np.searchsorted(there, labels))

    def rows(self, name: str) -> list[dict[str, Any]]:
        with Lake.open(self.path) as lake:
            found: list[dict[str, Any]] = lake.arrow(name).to_pylist()
        return found

    def kinds(self) -> list[tuple[Any, Any, str]]:
        """The newest run's descent."""
        every = self.rows("descent")
        newest = max(row["number"] for row in every)
        return [
            (row["from_persona_id"], row["to_persona_id"], row["kind"])
            for row in every
            if row["number"] == newest
        ]

    def id_of(self, persona: int) -> str:
        """The id that most intents of a planted persona have now."""
        ids = self.world.intents["intent_id"].to_pylist()
        truth = dict(zip(ids, self.world.truth.tolist(), strict=True))
        names = [
            row["persona_id"]
            for row in self.rows("memberships")
            if truth[row["intent_id"]] == persona and row["persona_id"]
        ]
        return max(sorted(set(names)), key=names.count)


def found(labels: NDArray[np.int64], types: int) -> Found:
    """Personas by their labels; their rule says how many there are."""
    count = int(labels.max(initial=-1)) + 1
    rule = Rule(np.full((count + 1, types), count / 10), (), (), (), np.inf, MixtureConfig())
    tests = [Recurrence(pairs=1, expected=0.5, lift=2.0, p=0.001, q=0.001, passed=True)] * count
    return Found(rule, np.eye(count + 1)[labels + 1], tests, [0.9] * count)


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
