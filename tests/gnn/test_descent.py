"""Descent over hand-made labels: what is called continued, split, merged, born and retired."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gnn.descent import UNKNOWN, Common, Link, again, common, descend, keeps

Labels = NDArray[np.int64]


def labels(*runs: tuple[int, int]) -> Labels:
    """Labels by value and count."""
    values, counts = np.array(runs, np.int64).reshape(-1, 2).T
    return np.repeat(values, counts)


def compared(before: Labels, now: Labels, gone: dict[int, int] | None = None) -> Common:
    """Two runs over the same intents; `gone`: more intents of a persona before, not here now."""
    count = int(before.max(initial=-1)) + 1
    sizes = np.bincount(before[before >= 0], minlength=count)
    for persona, more in (gone or {}).items():
        sizes[persona] += more
    return common(before, now, sizes, int(now.max(initial=-1)) + 1)


def told(both: Common) -> set[tuple[int, int, str]]:
    return {(line.before, line.now, line.kind) for line in descend(both)}


def test_what_is_mostly_the_same_continues_with_its_overlap() -> None:
    before = labels((0, 100), (1, 100), (-1, 50))
    now = labels((1, 90), (-1, 10), (0, 100), (1, 10), (-1, 40))
    both = compared(before, now)
    assert descend(both) == [
        Link(0, 1, "continued", pytest.approx(90 / 110)),
        Link(1, 0, "continued", 1.0),
    ]
    assert keeps(both) == {1: 0, 0: 1}


def test_in_a_split_the_larger_part_keeps_the_id() -> None:
    both = compared(labels((0, 100), (1, 80)), labels((0, 40), (1, 60), (2, 80)))
    assert told(both) == {(0, 0, "split"), (0, 1, "split"), (1, 2, "continued")}
    assert keeps(both) == {1: 0, 2: 1}


def test_in_a_merge_the_larger_source_keeps_the_id() -> None:
    both = compared(labels((0, 40), (1, 60)), labels((0, 100)))
    assert told(both) == {(0, 0, "merged"), (1, 0, "merged")}
    assert [line.overlap for line in descend(both)] == [0.4, 0.6]
    assert keeps(both) == {0: 1}


def test_a_persona_may_fall_into_many_parts() -> None:
    both = compared(labels((0, 100)), labels(*((part, 20) for part in range(5))))
    assert told(both) == {(0, part, "split") for part in range(5)}
    assert len(keeps(both)) == 1


def test_split_and_merged_at_once_no_id_is_given_twice() -> None:
    both = compared(labels((0, 100), (1, 30)), labels((0, 60), (1, 40), (1, 30)))
    assert told(both) == {(0, 0, "split"), (0, 1, "split"), (1, 1, "merged")}
    assert keeps(both) == {0: 0, 1: 1}


def test_a_persona_out_of_nothing_is_born_and_one_into_nothing_retires() -> None:
    before = labels((0, 100), (-1, 100))
    now = labels((-1, 95), (0, 5), (0, 95), (-1, 5))
    assert told(compared(before, now)) == {(-1, 0, "born"), (0, -1, "retired")}
    overlaps = [line.overlap for line in descend(compared(before, now))]
    assert overlaps == [pytest.approx(5 / 195)] * 2  # that with the nearest


def test_the_strays_of_a_persona_that_has_gone_do_not_make_it_merge() -> None:
    before, now = labels((0, 100), (1, 15)), labels((0, 115))
    assert (1, 0, "merged") in told(compared(before, now))  # a small one, all of it still there
    assert told(compared(before, now, gone={1: 200})) == {
        (0, 0, "continued"),
        (1, -1, "retired"),
    }


def test_few_old_intents_of_a_new_persona_do_not_make_it_a_part() -> None:
    before = labels((0, 100), (UNKNOWN, 300))
    now = labels((0, 85), (1, 15), (1, 300))
    assert told(compared(before, now)) == {(0, 0, "continued"), (-1, 1, "born")}


def test_what_the_run_before_did_not_know_counts_for_nothing() -> None:
    before = labels((0, 50), (UNKNOWN, 500))
    both = compared(before, labels((0, 550)))
    assert descend(both) == [Link(0, 0, "continued", 1.0)]


@pytest.mark.parametrize(("strangers", "kind"), [(199, "continued"), (201, "retired")])
def test_a_lone_link_says_the_same_from_a_third_on(strangers: int, kind: str) -> None:
    both = compared(labels((0, 100), (-1, strangers)), labels((0, 100 + strangers)))
    assert kind in {line.kind for line in descend(both)}


@pytest.mark.parametrize(("shared", "kind"), [(9, "retired"), (10, "continued")])
def test_fewer_than_ten_shared_intents_are_an_accident(shared: int, kind: str) -> None:
    both = compared(labels((0, shared)), labels((0, shared)))
    assert kind in {line.kind for line in descend(both)}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (labels(), labels(), set()),
        (labels((-1, 20)), labels((-1, 20)), set()),
        (labels((-1, 20)), labels((0, 20)), {(-1, 0, "born")}),
        (labels((0, 20)), labels((-1, 20)), {(0, -1, "retired")}),
        (labels((UNKNOWN, 20)), labels((0, 20)), {(-1, 0, "born")}),
    ],
    ids=["nothing", "never any", "first", "last", "first run"],
)
def test_runs_without_personas(
    before: Labels, now: Labels, expected: set[tuple[int, int, str]]
) -> None:
    both = compared(before, now)
    assert told(both) == expected
    assert keeps(both) == {}


def test_every_persona_of_either_run_has_a_line() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        k, m = rng.integers(1, 7, 2)
        before, now = rng.integers(-2, k, 400), rng.integers(-1, m, 400)
        moved = rng.random(400) < 0.7
        now[moved] = np.minimum(np.maximum(before[moved], -1), m - 1)
        lines = descend(common(before, now, np.bincount(before[before >= 0], minlength=k), m))
        assert {line.before for line in lines} >= set(range(k))
        assert {line.now for line in lines} >= set(range(m))


def test_one_that_comes_back_is_known_by_more_than_half() -> None:
    free = np.array([True, True, False])
    sizes = np.array([100, 100])
    shared = np.array([[80, 0, 0], [0, 40, 90]])
    now = np.array([[90, 60, 90], [90, 60, 90]])
    assert again(Common(shared, sizes, now, sizes, now), free) == {0: 0}
