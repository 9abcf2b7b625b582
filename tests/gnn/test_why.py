"""Why somebody holds a persona: recounted from what the lake says, and ended by what is told to."""

import shutil
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from gnn.why import Why, why
from kg.errors import NotFound
from kg.lake import Lake
from tests.gnn import ruled
from tests.gnn.planted import Planted

PAUSE_MS = 12 * 3_600_000


@pytest.fixture(scope="module")
def world() -> Planted:
    return ruled.small_world()


@pytest.fixture(scope="module")
def searched(world: Planted, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("why") / "w"
    return path, ruled.search(path, world)


@pytest.fixture(scope="module")
def told(searched: tuple[Path, str]) -> list[Why]:
    """Of forty holdings."""
    with Lake.open(searched[0]) as lake:
        held = [row for row in lake.arrow("holdings").to_pylist() if row["valid_to_ms"] is None]
        return [why(lake, row["user_id"], row["persona_id"]) for row in held[:40]]


def occasions(path: Path, user_id: str) -> dict[str, int]:
    """The occasion of each intent of a person, from 1, by the clock alone."""
    with Lake.open(path) as lake:
        rows = [row for row in lake.arrow("intents").to_pylist() if row["user_id"] == user_id]
    rows.sort(key=lambda row: (row["started_at_ms"], row["intent_id"]))
    times = np.array([row["started_at_ms"] for row in rows])
    numbers = 1 + np.concatenate([[0], np.cumsum(np.diff(times) > PAUSE_MS)])
    return {row["intent_id"]: int(n) for row, n in zip(rows, numbers, strict=True)}


def test_what_is_counted_is_what_the_lake_says(searched: tuple[Path, str], told: list[Why]) -> None:
    with Lake.open(searched[0]) as lake:
        held = {
            (row["user_id"], row["persona_id"]): row
            for row in lake.arrow("holdings").to_pylist()
            if row["valid_to_ms"] is None
        }
    members = ruled.persona_of(searched[0])
    for one in told:
        number = occasions(searched[0], one.user_id)
        inside = [intent for intent in number if members[intent] == one.persona_id]
        assert one.intents == len(inside) == held[one.user_id, one.persona_id]["intents"]
        assert one.intents / one.all_intents == held[one.user_id, one.persona_id]["weight"]
        assert one.all_intents == len(number)
        assert one.all_occasions == max(number.values())
        counted = Counter(number[intent] for intent in inside)
        assert one.occasions == len(counted) >= one.least_occasions
        assert one.episodes == len(one.reasons) >= one.least_share * one.all_episodes
        said: Counter[int] = Counter()
        for reason in one.reasons:
            assert number[reason.intent_id] == reason.occasion
            said[reason.occasion] += reason.intents
            assert 0 < reason.probability <= 1
        assert said == counted
        assert set(one.change) <= set(counted)


def test_without_the_occasions_of_the_change_an_update_ends_it_and_without_fewer_it_does_not(
    searched: tuple[Path, str], world: Planted, told: list[Why], tmp_path: Path
) -> None:
    one = next(one for one in told if one.is_smallest and len(one.change) == 2 < one.occasions - 1)
    number = occasions(searched[0], one.user_id)

    def holds_without(name: str, gone: tuple[int, ...]) -> bool:
        ids = {intent for intent, occasion in number.items() if occasion in gone}
        stays = np.array([each not in ids for each in world.intents["intent_id"].to_pylist()])
        path = shutil.copytree(searched[0], tmp_path / name)
        ruled.updated(path, searched[1], ruled.intents_of(world, stays))
        return any(
            row["valid_to_ms"] is None
            for row in ruled.rows(path, "holdings").to_pylist()
            if (row["user_id"], row["persona_id"]) == (one.user_id, one.persona_id)
        )

    assert not holds_without("smallest", one.change)
    for place, fewer in enumerate(combinations(one.change, len(one.change) - 1)):
        assert holds_without(f"fewer{place}", fewer)


def test_of_who_does_not_hold_it_nothing_is_explained(
    searched: tuple[Path, str], told: list[Why]
) -> None:
    with Lake.open(searched[0]) as lake:
        for user in (told[0].user_id, "u_nobody"):
            with pytest.raises(NotFound, match="does not hold"):
                why(lake, user, "p_00000000")
