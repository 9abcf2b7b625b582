"""Drift: silent where nothing has changed, loud where much has."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.gnn import ruled
from tests.gnn.planted import Planted


@pytest.fixture(scope="module")
def world() -> Planted:
    return ruled.small_world()


@pytest.fixture(scope="module")
def first(world: Planted, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("drift") / "w"
    return path, ruled.search(path, ruled.before(world, 0.85))


@pytest.fixture
def at(first: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    return shutil.copytree(first[0], tmp_path / "w"), first[1]


def _late(world: Planted) -> np.ndarray:
    started = world.intents["started_at_ms"].to_numpy()
    return np.asarray(started >= np.quantile(started, 0.85))


def test_more_of_the_same_proposes_no_search(at: tuple[Path, str], world: Planted) -> None:
    summary = ruled.updated(*at, world)
    assert summary["proposed"] == []
    assert not any(one["has_drifted"] for one in summary["drift"].values())


def test_when_people_are_after_other_things_a_search_is_proposed(
    at: tuple[Path, str], world: Planted
) -> None:
    topic = world.intents["topic"].to_numpy(zero_copy_only=False)
    rare = np.argsort(np.unique(topic, return_counts=True)[1])[:6]
    other = np.unique(topic)[rare][np.arange(len(topic)) % 6]
    moved = ruled.with_column(world, "topic", np.where(_late(world), other, topic).tolist())
    summary = ruled.updated(*at, moved)
    assert summary["drift"]["types"]["has_drifted"]
    assert any("what people are after" in reason for reason in summary["proposed"])


def test_of_a_few_people_nothing_is_said(at: tuple[Path, str], world: Planted) -> None:
    few = np.isin(ruled.owners(world), sorted(set(ruled.owners(world)))[:15])
    summary = ruled.updated(*at, ruled.intents_of(world, ~_late(world) | few))
    assert summary["drift"] is None
    assert summary["proposed"] == []
