from dataclasses import replace

import numpy as np
import pytest

from gnn.recurrence import Having, RecurrenceConfig, recurrence, shuffled

CONFIG = RecurrenceConfig(permutations=60)


def _people(seed: int, planted: bool) -> Having:
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
    return _having(person, kind)


def _having(person: np.ndarray, kind: np.ndarray) -> Having:
    """Every pair on an occasion of its own, in one channel; a topic for every kind."""
    count = len(person)
    return Having(person, kind, np.arange(count), np.zeros(count, np.int64), np.arange(30))


GROUPS = [np.arange(6), np.arange(6, 12), np.arange(20, 30)]


def test_what_recurs_passes_and_nothing_else() -> None:
    found = recurrence(_people(0, planted=True), GROUPS, CONFIG, 0)
    assert [one.passed for one in found] == [True, False, False]
    assert found[0].lift > 1.2


@pytest.mark.parametrize("seed", range(6))
def test_nothing_passes_where_nothing_was_planted(seed: int) -> None:
    found = recurrence(_people(seed, planted=False), GROUPS, CONFIG, seed)
    assert not any(one.passed for one in found)


def test_one_topic_done_in_several_ways_is_no_persona() -> None:
    topics = np.where(np.arange(30) < 6, 0, np.arange(30))
    people = replace(_people(0, planted=True), topic_of_kind=topics)
    found = recurrence(people, GROUPS[:1], CONFIG, 0)
    assert found[0].together == 0
    assert not found[0].passed


def test_what_is_done_on_one_occasion_only_is_no_persona() -> None:
    people = _people(0, planted=True)
    found = recurrence(replace(people, occasion=people.person), GROUPS[:1], CONFIG, 0)
    assert found[0].together == 0
    assert not found[0].passed


def test_kinds_that_one_source_alone_records_do_not_recur_by_that() -> None:
    """Half of the people are known to one source, which alone records kinds 0 to 9."""
    rng = np.random.default_rng(0)
    pairs = [
        (person, kind)
        for person in range(400)
        for kind in rng.choice(10, 5, replace=False) + 10 * (person % 2)
    ]
    person, kind = np.array(pairs).T
    people = _having(person, kind)
    assert recurrence(people, GROUPS[:1], CONFIG, 0)[0].passed
    apart = replace(people, channel=kind // 10)
    assert not recurrence(apart, GROUPS[:1], CONFIG, 0)[0].passed


def test_shuffling_keeps_margins_in_every_channel_and_deals_nothing_twice() -> None:
    people = _people(1, planted=True)
    people = replace(people, channel=people.kind % 2)
    dealt = shuffled(people, np.random.default_rng(0))
    assert np.array_equal(np.bincount(dealt), np.bincount(people.kind))
    assert np.array_equal(dealt % 2, people.channel)
    assert len(np.unique(people.person * 30 + dealt)) == len(dealt)
    assert (dealt != people.kind).mean() > 0.5


def test_no_groups_have_no_tests() -> None:
    assert recurrence(_people(0, planted=False), [], CONFIG, 0) == []
