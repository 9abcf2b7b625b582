import numpy as np
import pytest

from gnn.recurrence import RecurrenceConfig, false_discovery, recurrence, shuffled

CONFIG = RecurrenceConfig(permutations=60)


def _people(seed: int, planted: bool) -> tuple[np.ndarray, np.ndarray]:
    """400 people with 3 to 9 of 30 kinds; if planted, a third have most of kinds 0 to 5."""
    rng = np.random.default_rng(seed)
    popular = rng.dirichlet(np.full(30, 2.0))
    pairs = []
    for person in range(400):
        kinds = set(rng.choice(30, rng.integers(3, 10), replace=False, p=popular).tolist())
        if planted and person % 3 == 0:
            kinds |= set(rng.choice(6, 4, replace=False).tolist())
        pairs += [(person, kind) for kind in sorted(kinds)]
    person, kind = np.array(pairs).T
    return person, kind


GROUPS = [np.arange(6), np.arange(6, 12), np.arange(20, 30)]


def test_what_recurs_passes_and_nothing_else() -> None:
    found = recurrence(*_people(0, planted=True), np.arange(30), GROUPS, CONFIG, 0)
    assert [one.passed for one in found] == [True, False, False]
    assert found[0].lift > 1.3


@pytest.mark.parametrize("seed", range(6))
def test_nothing_passes_where_nothing_was_planted(seed: int) -> None:
    found = recurrence(*_people(seed, planted=False), np.arange(30), GROUPS, CONFIG, seed)
    assert not any(one.passed for one in found)


def test_one_topic_done_in_several_ways_is_no_persona() -> None:
    topics = np.where(np.arange(30) < 6, 0, np.arange(30))
    found = recurrence(*_people(0, planted=True), topics, GROUPS[:1], CONFIG, 0)
    assert found[0].pairs == 0
    assert not found[0].passed


def test_shuffling_keeps_both_margins_and_deals_nothing_twice() -> None:
    person, kind = _people(1, planted=True)
    dealt = shuffled(person, kind, (400, 30), np.random.default_rng(0))
    assert np.array_equal(np.bincount(dealt), np.bincount(kind))
    assert len(np.unique(person * 30 + dealt)) == len(person)
    assert (dealt != kind).mean() > 0.5


def test_no_groups_have_no_tests() -> None:
    assert recurrence(*_people(0, planted=False), np.arange(30), [], CONFIG, 0) == []


def test_false_discovery_is_benjamini_and_hochberg() -> None:
    q = false_discovery(np.array([0.01, 0.04, 0.03, 0.5]))
    assert np.allclose(q, [0.04, 0.16 / 3, 0.16 / 3, 0.5])
