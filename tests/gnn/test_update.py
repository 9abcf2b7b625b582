"""Personas of new events by the rule they have: what changes, and what must not."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gnn.rules import assigned, read
from gnn.tensors import arrange
from kg.lake import Lake
from tests.gnn import ruled
from tests.gnn.planted import Planted

SHARE = 0.9


@pytest.fixture(scope="module")
def world() -> Planted:
    return ruled.small_world()


@pytest.fixture(scope="module")
def old(world: Planted) -> Planted:
    return ruled.before(world, SHARE)


@pytest.fixture(scope="module")
def first(old: Planted, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("update") / "w"
    return path, ruled.search(path, old)


@pytest.fixture
def at(first: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """A copy of the workspace after the search, and the search's run."""
    return shutil.copytree(first[0], tmp_path / "w"), first[1]


@pytest.fixture(scope="module")
def after(
    first: tuple[Path, str], world: Planted, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The same after an update to the whole world."""
    path = shutil.copytree(first[0], tmp_path_factory.mktemp("updated") / "w")
    ruled.updated(path, first[1], world)
    return path, first[1]


def test_an_update_without_anything_new_says_what_the_search_said(
    at: tuple[Path, str], old: Planted
) -> None:
    names = ("memberships", "holdings", "personas", "persona_rules")
    was = {name: ruled.rows(at[0], name) for name in names}
    summary = ruled.updated(*at, old)
    assert summary["new_episodes"] == 0
    assert summary["drift"] is None
    assert not summary["retired"]
    for name, before in was.items():
        now = ruled.rows(at[0], name)
        if name == "memberships":  # sums of floats come in the order of the personas
            assert np.allclose(now["probability"], before["probability"], atol=1e-5)
            now, before = (one.drop_columns(["probability"]) for one in (now, before))
        if name == "persona_rules":
            before = before.sort_by("persona_id")
        assert now.equals(before), name


def test_an_update_is_the_assignment_by_the_stored_rule(
    after: tuple[Path, str], world: Planted
) -> None:
    episodes = arrange(world.intents, world.users)
    with Lake.writer(after[0]) as lake, lake.step("look") as step:
        stored = read(step, episodes)
    label = assigned(episodes, stored).argmax(1)[episodes.intents.episode]
    names = [None, *stored.standing.ids]
    assert ruled.persona_of(after[0]) == {
        intent: names[number]
        for intent, number in zip(episodes.intents.ids.to_pylist(), label, strict=True)
    }


def test_ids_versions_and_rules_stay_and_what_is_counted_follows(
    first: tuple[Path, str], after: tuple[Path, str], world: Planted
) -> None:
    was, now = (
        {row["persona_id"]: row for row in ruled.rows(path, "personas").to_pylist()}
        for path in (first[0], after[0])
    )
    assert now.keys() == was.keys()
    rules = [
        ruled.rows(path, "persona_rules").sort_by("persona_id") for path in (first[0], after[0])
    ]
    assert rules[0].equals(rules[1])
    for one, row in now.items():
        assert row["version"] == was[one]["version"]
        assert row["intents"] > was[one]["intents"]
    lines = [row for row in ruled.rows(after[0], "descent").to_pylist() if row["number"] == 2]
    assert {row["kind"] for row in lines} == {"continued"}
    assert all(row["from_persona_id"] == row["to_persona_id"] for row in lines)
    assert min(row["overlap"] for row in lines) > 0.9
    assert {row["as_of_ms"] for row in lines} == {ruled.newest(world)}


def test_what_came_in_two_parts_is_as_if_it_had_come_at_once(
    at: tuple[Path, str], after: tuple[Path, str], world: Planted
) -> None:
    ruled.updated(*at, ruled.before(world, 0.95))
    ruled.updated(*at, world)
    for name in ("memberships", "holdings", "personas", "persona_rules"):
        assert ruled.rows(at[0], name).equals(ruled.rows(after[0], name)), name


def test_an_update_that_was_interrupted_is_made_again_the_same(
    at: tuple[Path, str], after: tuple[Path, str], world: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr("gnn.ancestry.write", killed)  # the last thing written
        with pytest.raises(KilledError):
            ruled.updated(*at, world)
    assert not ruled.updated(*at, world)["done"]
    for name in ("memberships", "holdings", "personas", "descent", "persona_runs"):
        assert ruled.rows(at[0], name).equals(ruled.rows(after[0], name)), name
    assert ruled.updated(*at, world)["done"]


def test_new_people_hold_what_they_do(at: tuple[Path, str], world: Planted, old: Planted) -> None:
    new = [f"v_{name[2:]}" for name in ruled.owners(world)]
    twins = ruled.with_column(world, "user_id", new)
    for name in ("intent_id", "session_id"):
        twins = ruled.with_column(
            twins, name, [f"{x}-new" for x in twins.intents[name].to_pylist()]
        )
    import pyarrow as pa

    users = [
        {"user_id": f"v_{u['user_id'][2:]}", "half": u["half"]} for u in world.users.to_pylist()
    ]
    both = Planted(
        pa.concat_tables([world.intents, twins.intents]),
        pa.concat_tables([world.users, pa.table({k: [u[k] for u in users] for k in users[0]})]),
        np.concatenate([world.truth, world.truth]),
    )
    summary = ruled.updated(*at, both)
    persona = ruled.persona_of(at[0])
    assert all(
        persona[f"{one}-new"] == persona[one] for one in world.intents["intent_id"].to_pylist()
    )
    assert summary["people"] == 2 * len(set(ruled.owners(world)))


def test_a_kind_nobody_had_seen_belongs_to_none_and_is_counted(
    at: tuple[Path, str], world: Planted, old: Planted
) -> None:
    known = set(old.intents["intent_id"].to_pylist())
    topic = [
        row["topic"] if row["intent_id"] in known else "topic-new"
        for row in world.intents.select(["intent_id", "topic"]).to_pylist()
    ]
    summary = ruled.updated(*at, ruled.with_column(world, "topic", topic))
    persona = ruled.persona_of(at[0])
    assert {persona[one] for one in persona.keys() - known} == {None}
    assert summary["drift"]["unseen"]["value"] == 1
    assert any("did not know" in reason for reason in summary["proposed"])


def test_a_persona_that_too_few_people_hold_is_left_out_and_said_to_be(
    at: tuple[Path, str], after: tuple[Path, str], world: Planted
) -> None:
    before, later = (ruled.rows(path, "holdings").to_pandas() for path in (at[0], after[0]))
    held = before[before.valid_to_ms.isna()]
    rarest = held.groupby("persona_id").size().idxmin()
    theirs = set(pd.concat([held, later]).query("persona_id == @rarest").user_id)
    others = ~np.isin(ruled.owners(world), list(theirs))
    summary = ruled.updated(*at, ruled.intents_of(world, others))
    assert rarest in summary["retired"]
    assert any(reason.startswith(rarest) for reason in summary["proposed"])
    assert rarest not in ruled.rows(at[0], "personas")["persona_id"].to_pylist()
    assert rarest not in set(ruled.persona_of(at[0]).values())
    lines = ruled.rows(at[0], "descent").to_pylist()
    assert "retired" in [row["kind"] for row in lines if row["from_persona_id"] == rarest]


def test_of_who_denies_consent_in_between_nothing_is_left(
    at: tuple[Path, str], world: Planted
) -> None:
    one = ruled.rows(at[0], "holdings")["user_id"][0].as_py()
    ruled.updated(*at, world, denied=(one,))
    for name in ("memberships", "holdings", "past_memberships"):
        assert one not in ruled.rows(at[0], name)["user_id"].to_pylist(), name


def test_memberships_follow_a_person_who_was_merged(at: tuple[Path, str], world: Planted) -> None:
    ruled.updated(*at, world)
    one, other = sorted(set(ruled.rows(at[0], "holdings")["user_id"].to_pylist()))[:2]
    names = ["" if name is None else name for name in ruled.owners(world)]
    merged = ruled.with_column(world, "user_id", [one if n == other else n for n in names])
    ruled.updated(*at, merged)
    found = ruled.rows(at[0], "memberships").to_pandas()
    count = sum(name in (one, other) for name in names)
    assert (found.user_id == one).sum() == count
    assert other not in set(found.user_id)
    holdings = ruled.rows(at[0], "holdings").to_pandas()
    assert other not in set(holdings[holdings.valid_to_ms.isna()].user_id)


def test_what_a_file_no_longer_says_is_gone_and_counted(at: tuple[Path, str], old: Planted) -> None:
    kept = np.arange(len(old.intents)) % 4 > 0
    summary = ruled.updated(*at, ruled.intents_of(old, kept))
    assert summary["gone_share"] == pytest.approx(0.25, abs=0.01)
    assert len(ruled.persona_of(at[0])) == kept.sum()


def test_all_personas_may_go(at: tuple[Path, str], old: Planted) -> None:
    few = np.isin(ruled.owners(old), sorted(set(ruled.owners(old)))[:1])
    summary = ruled.updated(*at, ruled.intents_of(old, few))
    assert "personas" not in summary
    assert (
        summary["result"] == "no persona is held by 2 people (of fewer nothing is said; read more)"
    )
    assert len(summary["proposed"]) == len(summary["retired"]) > 0
    for name in ("personas", "persona_rules"):
        assert ruled.rows(at[0], name).num_rows == 0
    assert set(ruled.persona_of(at[0]).values()) == {None}
