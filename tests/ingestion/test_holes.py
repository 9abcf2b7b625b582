"""Tables that say nothing for a while, though others do."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from ingestion.holes import Days, Hole, holes

YEAR = range(365)


def days(*spans: Iterable[int]) -> Days:
    return np.unique(np.concatenate([np.fromiter(span, np.int64) for span in spans]))


def found(table: Days, *others: Days) -> list[Hole]:
    """The holes of one table beside others, of which none may have any."""
    named = {f"o{place}": other for place, other in enumerate(others)}
    told = holes({"table": table, **named})
    assert all(one.dataset == "table" for one in told)
    return told


def test_a_month_that_is_missing_is_a_hole_and_its_days_are_told() -> None:
    month = days(range(31), range(59, 365))  # all but February
    assert found(month, days(YEAR)) == [
        Hole("table", "1970-02-01", "1970-02-28", 28, 0, is_open=False, others=("o0",))
    ]


def test_a_last_month_that_never_arrived_is_a_hole_as_long_as_others_go_on() -> None:
    (hole,) = found(days(range(334)), days(YEAR))
    assert (hole.first, hole.last, hole.days) == ("1970-12-01", "1970-12-31", 31)
    assert hole.is_open


def test_several_holes_are_told_each() -> None:
    assert [one.days for one in found(days(range(60), range(90, 200), range(230, 365)),
                                      days(YEAR))] == [30, 30]  # fmt: skip


def test_where_nothing_else_goes_on_there_is_no_hole() -> None:
    month = days(range(31), range(59, 365))
    assert found(month) == []
    assert found(month, month, days(range(20), [40], range(70, 80))) == []


@pytest.mark.parametrize(
    ("what", "spans"),
    [
        ("weekly, one missing", [range(0, 140, 7), range(147, 365, 7)]),
        ("weekly, a month missing", [range(0, 140, 7), range(168, 365, 7)]),
        ("on weekdays, a week off", [[d for d in YEAR if d % 7 < 5 and not 200 <= d < 207]]),
        ("ten days missing", [range(100), range(110, 365)]),
        ("waves of three weeks", [range(21), range(90, 111), range(180, 201), range(270, 291)]),
        ("one wave", [range(100, 114)]),
        ("two waves", [range(30), range(200, 230)]),
        ("begun late", [range(300, 365)]),
        ("ended long ago", [range(60)]),
        ("monthly", [range(0, 365, 30)]),
        ("one day", [[7]]),
        ("one stray day", [[0], range(200, 365)]),
    ],
)  # fmt: skip
def test_what_is_not_regular_beside_it_has_no_hole(
    what: str, spans: Sequence[Iterable[int]]
) -> None:
    assert found(days(*spans), days(YEAR)) == [], what


def test_a_weekly_table_has_a_hole_once_five_weeks_are_missing() -> None:
    (hole,) = found(days(range(0, 140, 7), range(175, 365, 7)), days(YEAR))
    assert (hole.days, hole.usual_days) == (41, 6)


def test_a_table_whose_last_day_is_a_stray_one_hides_no_hole_of_another() -> None:
    stray = days(YEAR, [9_000])
    told = holes({"table": days(range(334)), "whole": days(YEAR), "stray": stray})
    assert [(one.dataset, one.days) for one in told] == [("table", 31)]


def test_events_by_chance_are_seldom_called_a_hole() -> None:
    rng = np.random.default_rng(0)
    told = 0
    for a_day in (0.1, 0.2, 0.3, 0.5, 1.0):
        for _ in range(100):
            some = np.unique(rng.integers(0, 365, 2 + rng.poisson(a_day * 365)))
            told += bool(holes({"sparse": some, "whole": days(YEAR)}))
    assert told <= 5  # of 500 years
