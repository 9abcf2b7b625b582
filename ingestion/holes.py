"""Holes: spans of time of which a table says nothing, though it does before and other tables do.

A month of which no file arrived looks like a month in which nobody did anything, and every figure
that follows is of what is left. Whether it is a hole only a person can tell; what can be measured
is whether the table is otherwise too regular for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kg.lake import Step

LEAST_DAYS = 14
TIMES = 6
"""A hole is so many times as long as anything without an event beside it. (Of made-up sources whose
events come by chance, one in ten days to two a day, at most one in two hundred has such a span in a
year; at 4 it is one in fourteen. A weekly source is told of once five in a row are missing.)"""

_EPOCH = date(1970, 1, 1)
_DAY_MS = 86_400_000
Days = NDArray[np.int64]


@dataclass(frozen=True)
class Hole:
    """Days of which a table has no event.

    Attributes:
        dataset: the table.
        first, last: the first and the last of these days (UTC), YYYY-MM-DD.
        days: how many they are.
        usual_days: the most days without an event that the table has beside them.
        is_open: nothing came after them; they last as long as the other tables do.
        others: the tables that go on.
    """

    dataset: str
    first: str
    last: str
    days: int
    usual_days: int
    is_open: bool
    others: tuple[str, ...]


def find(step: "Step") -> list[dict[str, Any]]:
    """The holes of the tables of events, as JSON values; reads `events`."""
    events = step.table("events")
    days = events.select("dataset", day=events.occurred_at_ms // _DAY_MS).distinct()
    found = step.lake.run(days.order_by("dataset", "day"))
    of_each = {
        name: found.filter(pc.equal(found["dataset"], name))["day"].to_numpy()
        for name in found["dataset"].unique().to_pylist()
    }
    return [asdict(hole) for hole in holes(of_each)]


def holes(days: Mapping[str, Days]) -> list[Hole]:
    """The holes of tables that are regular before and, if they go on, after them.

    A span is a hole if it lasts `LEAST_DAYS` or more; if for as long before it, and for as long
    after it, the table has no span without an event longer than one part in `TIMES` of it; and if
    another table has none within it. A table that begins later, ends for good, comes in waves or
    is sparse is none the worse.

    Args:
        days: of each table, the days (since 1970) that have an event, ascending, each once.
    """
    return [hole for name in sorted(days) for hole in _of(name, days)]


def _of(name: str, days: Mapping[str, Days]) -> Iterator[Hole]:
    own = days[name]
    others = {other: found for other, found in days.items() if other != name}
    for place in np.flatnonzero(np.diff(own) > LEAST_DAYS):
        yield from _hole(name, own, int(own[place]) + 1, int(own[place + 1]) - 1, others)
    ends = {int(found[-1]) for found in others.values()}
    for end in sorted((end for end in ends if end - own[-1] >= LEAST_DAYS), reverse=True):
        if found := list(_hole(name, own, int(own[-1]) + 1, end, others)):
            yield from found
            return


def _hole(
    name: str, own: Days, first: int, last: int, others: Mapping[str, Days]
) -> Iterator[Hole]:
    """The span from its first to its last day, if it is a hole."""
    length = last - first + 1
    is_open = last >= int(own[-1])
    usual = _longest(own, first - length, first - 1)
    if not is_open:
        usual = max(usual, _longest(own, last + 1, last + length))
    on = [
        other for other, found in others.items() if _longest(found, first, last) * TIMES <= length
    ]
    if on and usual * TIMES <= length:
        yield Hole(name, _on(first), _on(last), length, usual, is_open, tuple(sorted(on)))


def _longest(days: Days, first: int, last: int) -> int:
    """The most days in a row, from a first to a last one, that are none of `days`."""
    low, high = np.searchsorted(days, [first, last + 1])
    within = np.concatenate([[first - 1], days[low:high], [last + 1]])
    return int(np.diff(within).max()) - 1


def _on(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
