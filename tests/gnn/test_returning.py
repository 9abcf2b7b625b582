import numpy as np
import pytest

from gnn.returning import compare, of_twice_as_many, returned
from gnn.tensors import Episodes
from tests.gnn.planted import Story, arranged, plant


@pytest.fixture(scope="module")
def world() -> tuple[Episodes, np.ndarray]:
    return arranged(plant(5, Story(people=200, personas=5, topics=24)))


def _soft(labels: np.ndarray, count: int) -> np.ndarray:
    return np.eye(count + 1)[labels + 1]


def test_a_rule_comes_back_in_itself_whatever_its_personas_are_called(
    world: tuple[Episodes, np.ndarray],
) -> None:
    episodes, truth = world
    rows = np.arange(len(episodes))
    renamed = np.where(truth < 0, -1, 4 - truth)
    back = compare(episodes, rows, (_soft(truth, 5), _soft(renamed, 5)), 0.7)
    assert back.correlation == pytest.approx(np.ones(5))
    assert back.back(0.7).tolist() == [0, 1, 2, 3, 4]
    assert back.information > 0.5


def test_groups_that_are_the_topics_over_again_come_back_and_say_nothing(
    world: tuple[Episodes, np.ndarray],
) -> None:
    episodes, _ = world
    rows = np.arange(len(episodes))
    labels = episodes.type_parts[episodes.type, 1] % 5
    back = compare(episodes, rows, (_soft(labels, 5), _soft(labels, 5)), 0.7)
    assert back.back(0.7).tolist() == [0, 1, 2, 3, 4]
    assert back.information == pytest.approx(0, abs=1e-9)


def test_what_is_dealt_at_random_does_not_come_back(
    world: tuple[Episodes, np.ndarray],
) -> None:
    episodes, truth = world
    rows = np.arange(len(episodes))
    mixed = np.random.default_rng(0).permutation(truth)
    back = compare(episodes, rows, (_soft(truth, 5), _soft(mixed, 5)), 0.7)
    assert not len(back.back(0.7))
    assert back.information == pytest.approx(0, abs=1e-9)


def test_a_persona_without_a_partner_does_not_come_back(
    world: tuple[Episodes, np.ndarray],
) -> None:
    episodes, truth = world
    rows = np.arange(len(episodes))
    joined = np.where(truth == 3, 2, truth)
    joined = np.where(joined == 4, 3, joined)
    back = compare(episodes, rows, (_soft(truth, 5), _soft(joined, 4)), 0.7)
    assert (back.correlation == -1).sum() == 1
    assert back.correlation[4] == pytest.approx(1)


def test_two_rules_without_personas_say_nothing(world: tuple[Episodes, np.ndarray]) -> None:
    episodes, _ = world
    rows = np.arange(len(episodes))
    back = compare(episodes, rows, (np.ones((len(rows), 1)), np.ones((len(rows), 1))), 0.7)
    assert len(back.correlation) == 0
    assert back.information == 0


def test_what_one_half_does_not_have_has_not_returned(
    world: tuple[Episodes, np.ndarray],
) -> None:
    episodes, truth = world
    renamed = np.where(truth < 0, -1, 4 - truth)
    torn = np.where(truth == 3, -1, truth)
    torn[np.random.default_rng(0).choice(np.flatnonzero(truth != 3), (truth == 3).sum())] = 3
    found = returned(episodes.user, _soft(truth, 5), (_soft(renamed, 5), _soft(torn, 5)))
    assert found[[0, 1, 2, 4]].min() > 0.7 > found[3]
    fewer = np.where(truth == 4, -1, truth)
    found = returned(episodes.user, _soft(truth, 5), (_soft(renamed, 5), _soft(fewer, 4)))
    assert found.tolist() == pytest.approx([1, 1, 1, 1, -1])


def test_rules_of_twice_as_many_people_agree_better() -> None:
    rng = np.random.default_rng(0)
    truth, noise = rng.normal(size=200_000), rng.normal(size=(4, 200_000))
    halves = np.corrcoef(truth + noise[0], truth + noise[1])[0, 1]
    # Twice the people: the mean of two such estimates has half the variance.
    whole = np.corrcoef(truth + noise[:2].mean(0), truth + noise[2:].mean(0))[0, 1]
    assert of_twice_as_many(np.array([halves]))[0] == pytest.approx(whole, abs=0.01)
    assert of_twice_as_many(np.array([-1.0, 0.0, 1.0])).tolist() == [-1, 0, 1]
