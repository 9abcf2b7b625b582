"""The history of personas over three runs: what each came from and became."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api import views
from api.cli.personas import heading
from kg.errors import InputError, NotFound
from kg.lake import Lake
from kg.personas.lineage import known_ms, personas_at
from tests.gnn.told import B, C, Told, small_world
from tests.rows import table


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """B splits in the second run and C retires in the third, in which B is whole again."""
    told = Told(tmp_path_factory.mktemp("lineage") / "w", small_world())
    told.run()
    word(told.path)
    told.run(split=True)
    word(told.path)
    told.run(gone=(C,))
    return told


def word(path: Path, name: str = "Named") -> None:
    """Name every persona after its id."""
    with (
        Lake.writer(path) as lake,
        lake.step("claims", inputs={"run": lake.step_id("personas")}) as step,
    ):
        rows = [
            {"persona_id": row["persona_id"], "version": row["version"]}
            | {"name": f"{name} {row['persona_id']}", "summary": "", "sentences": "[]"}
            | {"author": "test", "coverage": 1.0}
            for row in step.arrow("personas").to_pylist()
        ]
        step.overwrite("wordings", table("wordings", rows))


@pytest.fixture
def history(told: Told) -> dict[str, Any]:
    with Lake.open(told.path) as lake:
        return views.history(lake)


def test_runs_are_counted_by_what_became_of_personas(history: dict[str, Any]) -> None:
    kinds = ("number", "personas", "continued", "split", "split_into", "merged", "merged_into",
             "born", "retired")  # fmt: skip
    assert [tuple(run[kind] for kind in kinds) for run in history["runs"]] == [
        (1, 4, 0, 0, 0, 0, 0, 4, 0),
        (2, 5, 3, 1, 2, 0, 0, 0, 0),
        (3, 3, 2, 0, 0, 2, 1, 0, 1),
    ]
    assert len({run["run_id"] for run in history["runs"]}) == 3
    assert all(run["as_of"].endswith("Z") for run in history["runs"])


def test_each_persona_says_what_it_came_from_and_became(
    told: Told, history: dict[str, Any]
) -> None:
    personas = {one["persona_id"]: one for one in history["personas"]}
    assert len(personas) == 5
    whole, current = told.id_of(B), {one for one, p in personas.items() if p["is_current"]}
    assert len(current) == 3
    assert [p["is_current"] for p in history["personas"]] == [True] * 3 + [False] * 2
    lines = personas[whole]["became"]
    (part,) = {line["persona_id"] for line in lines}
    assert [(line["number"], line["kind"]) for line in lines] == [(2, "split")]
    assert [(v["number"], v["kind"]) for v in personas[whole]["versions"]] == [
        (1, None),
        (2, "split"),
        (3, "merged"),
    ]
    assert [(c["kind"], c["persona_id"]) for c in personas[whole]["came_from"]] == [
        ("born", None),
        ("merged", part),
    ]
    assert personas[part]["name"] == f"Named {part}", "it keeps the name it had"
    assert [(c["kind"], c["persona_id"]) for c in personas[part]["came_from"]] == [("split", whole)]
    assert [(c["kind"], c["persona_id"]) for c in personas[part]["became"]] == [("merged", whole)]
    (retired,) = set(personas) - current - {part}
    assert [(c["number"], c["kind"]) for c in personas[retired]["became"]] == [(3, "retired")]


def test_one_persona_is_found_by_id_or_name_though_it_is_no_more(told: Told) -> None:
    with Lake.open(told.path) as lake:
        every = views.history(lake)["personas"]
        gone = every[-1]["persona_id"]
        for wanted in (gone, f"named {gone}"):
            assert [p["persona_id"] for p in views.history(lake, wanted)["personas"]] == [gone]
        with pytest.raises(NotFound):
            views.history(lake, "Named")


def test_of_a_version_that_is_not_in_force_the_history_is_pointed_to(told: Told) -> None:
    with Lake.open(told.path) as lake:
        now = views.personas(lake)[0]["persona_id"]
        with pytest.raises(NotFound, match="is not the version in force") as refusal:
            views.named_persona(lake, f"{now}@99")
        assert f"personas history {now}" in str(refusal.value.hint)


def test_what_a_persona_was_called_in_an_earlier_run_is_known(tmp_path: Path) -> None:
    told = Told(tmp_path / "w", small_world())
    told.run()
    word(told.path)
    told.run()
    word(told.path, "Renamed")
    with Lake.open(told.path) as lake:
        one = views.history(lake)["personas"][0]
        wanted = one["persona_id"]
        assert [v["name"] for v in one["versions"]] == [f"Named {wanted}", f"Renamed {wanted}"]
        for ask in (views.history, views.named_persona, views.intents):
            for asked in (f"named {wanted}", f"named {wanted}"[:-2]):
                with pytest.raises(NotFound, match=r"is called 'named p_.*' any more") as refusal:
                    ask(lake, asked)
                told_now = (
                    f"{wanted} was Named {wanted} until run 1, and is called Renamed {wanted} now"
                )
                assert told_now in str(refusal.value.hint)


def test_at_the_newest_event_a_date_says_what_today_says_and_the_future_is_refused(
    told: Told,
) -> None:
    with Lake.open(told.path) as lake:
        oldest, newest = known_ms(lake) or (0, 0)
        people = {r["persona_id"]: r["people"] for r in lake.arrow("personas").to_pylist()}
        found = personas_at(lake, newest)
        assert {one["persona_id"]: one["people"] for one in found} == people
        assert all(one["is_current"] for one in found)
        before = personas_at(lake, newest - 1)
        assert {one["persona_id"] for one in before if not one["is_current"]}, "not yet closed"
        assert personas_at(lake, oldest) == []
        with pytest.raises(InputError, match="earlier than the oldest event"):
            personas_at(lake, oldest - 1)
        with pytest.raises(InputError, match="later than the newest event"):
            personas_at(lake, newest + 1)


def test_earlier_fewer_held_and_fewer_were_known(told: Told) -> None:
    with Lake.open(told.path) as lake:
        _, newest = known_ms(lake) or (0, 0)
        year = [personas_at(lake, newest - days * 86_400_000) for days in (300, 200, 100, 1)]
    held = [sum(one["people"] for one in found) for found in year]
    assert held == sorted(held)
    assert [found[0]["population"] for found in year] == sorted(f[0]["population"] for f in year)
    for one in year[-1]:
        assert one["share_low"] <= one["share"] <= one["share_high"]


def test_a_version_that_nothing_is_claimed_of_has_the_name_that_the_persona_had(told: Told) -> None:
    with Lake.open(told.path) as lake:
        worded = {(row["persona_id"], row["version"]) for row in lake.arrow("wordings").to_pylist()}
        found = views.personas(lake)
        assert {(one["persona_id"], one["version"]) for one in found} - worded
        assert {one["name"] for one in found} == {f"Named {one['persona_id']}" for one in found}
        shown = views.one_persona(lake, f"Named {found[0]['persona_id']}")
    assert shown["persona_id"] == found[0]["persona_id"]


def test_a_family_does_not_give_away_how_few_hold_one_of_its_personas(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lake.open(told.path) as lake:
        least = min(row["people"] for row in lake.arrow("personas").to_pylist())
        before = [one["family"]["people"] for one in views.personas(lake) if one["family"]]
        monkeypatch.setattr("kg.personas.statistics.MIN_PEOPLE", least + 1000)
        found = views.personas(lake)
    assert all(before)
    assert before
    families = [one["family"] for one in found if one["family"]]
    assert {family["people"] for family in families} == {None}
    assert all(one["people"] is None for one in found)


def test_a_workspace_without_a_run_has_no_history(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w"):
        pass
    with Lake.open(tmp_path / "w") as lake:
        assert views.history(lake) == {"runs": [], "personas": []}
        assert personas_at(lake, 0) == []


def test_of_fewer_than_twenty_people_at_a_date_nothing_more_is_said(told: Told) -> None:
    with Lake.open(told.path) as lake:
        _, at_ms = known_ms(lake) or (0, 0)
        last = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
        exact = {one["persona_id"]: one for one in personas_at(lake, at_ms)}
        with pytest.MonkeyPatch.context() as patched:
            least = max(one["people"] for one in exact.values())
            patched.setattr("kg.personas.statistics.MIN_PEOPLE", least)
            shown = views.personas_at(lake, last, last)["personas"]
            told_now = [*views.personas(lake), views.named_persona(lake, shown[0]["persona_id"])]
            through = [v for one in views.history(lake)["personas"] for v in one["versions"]]
    figures = ("people", "share", "share_low", "share_high")
    for one in shown:
        whole = exact[one["persona_id"]]
        is_few = whole["people"] < least
        assert one == whole | (dict.fromkeys(figures) if is_few else {})
        assert ("fewer than 20 people (of" in heading(one)) == is_few
    for told_of in (shown, told_now, through):
        assert {one["people"] is None for one in told_of} == {True, False}
        assert all((one["share"] is None) == (one["people"] is None) for one in told_of)
        assert all(one["people"] is None or one["people"] >= least for one in told_of)
