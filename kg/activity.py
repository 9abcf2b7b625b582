"""How active people are, in strata: what claims compare within, so that like is set beside like.

A holder of a persona is somebody who comes more often than others and does more, and so does more
of everything. One function cuts people into strata by the days on which they were seen and, among
those seen on about as many days, by their number of intents; the graph's `User.activity` and the
lake's counts are both made of it, so that they agree. (Tried: intents alone. A wholesaler's holders
had come on nearly twice as many days as others with as many intents, and what takes a second visit,
such as returning something, looked like theirs.)
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kg.lake import Lake

Whole = NDArray[np.int64]

BANDS = 4
"""Of people seen on several days, each cut once more in two."""
STRATA = 1 + 2 * BANDS
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Cuts:
    """Where strata end.

    Attributes:
        days: the most days of those seen on one day, and of all bands but the last.
        intents: the most intents of the less active half of each band.
    """

    days: tuple[int, ...]
    intents: tuple[int, ...]

    def stratum(self, days: Whole, intents: Whole) -> Whole:
        """The stratum of people. Shapes: (n,), (n,) -> (n,)."""
        band = np.searchsorted(self.days, days)  # how many ends are below
        busy = intents > np.array([0, *self.intents])[band]
        return np.where(band > 0, 2 * band - 1 + busy, 0)

    def told(self) -> dict[str, list[int]]:
        """As JSON."""
        return {"days": list(self.days), "intents": list(self.intents)}


def strata(lake: "Lake") -> Any:
    """user_id, activity (0: the least active, to 8): everybody with an intent; an Ibis table."""
    person, ends = _per_person(lake), cuts(lake)
    activity = sum(((person.days > end).cast("int64") * 2 for end in ends.days), start=0)
    last = (*ends.days[1:], None)
    for least, most, end in zip(ends.days, last, ends.intents, strict=True):
        busy = (person.days > least) & (person.intents > end)
        activity += (busy if most is None else busy & (person.days <= most)).cast("int64")
    activity = (activity - 1).clip(lower=0)
    return person.select("user_id", activity=activity.cast("int64"))


def cuts(lake: "Lake") -> Cuts:
    """Bands end at the quartiles of days of those who hold any persona now, halves at their median.

    Of the holders, because the others are weighted as the holders lie; of everybody where nobody
    holds any. Who was seen on one day only is a stratum of their own: a persona takes two
    occasions, so they are no measure for its holders. Equal cuts leave a stratum empty.
    """
    person, holdings = _per_person(lake), lake.table("holdings")
    person = person.filter(person.days > 1)
    holders = person.semi_join(holdings.filter(holdings.valid_to_ms.isnull()), "user_id")
    rows = _counted(lake, holders)
    rows = rows if rows.num_rows else _counted(lake, person)
    return cut(*(rows[name].to_numpy() for name in ("days", "intents", "people")))


def cut(days: Whole, intents: Whole, people: Whole) -> Cuts:
    """The cuts for so many people of each kind, all seen on several days. Shapes: (n,) each."""
    ends = (1, *_quantiles(days, people, BANDS))
    band = np.searchsorted(ends, days)
    halves = [_quantiles(intents[band == n], people[band == n], 2) for n in range(1, BANDS + 1)]
    return Cuts(ends, tuple(half[0] for half in halves))


def _per_person(lake: "Lake") -> Any:
    users = lake.table("users")
    intents = lake.table("intents").semi_join(users.filter(~users.consent_denied), "user_id")
    day = intents.started_at_ms // DAY_MS
    return intents.group_by("user_id").agg(days=day.nunique(), intents=intents.count())


def _counted(lake: "Lake", person: Any) -> Any:
    rows = person.group_by("days", "intents").agg(people=person.count())
    return lake.run(rows.order_by("intents", "days"))


def _quantiles(number: Any, people: Any, parts: int) -> tuple[int, ...]:
    """The least number that 1, 2, ... of so many equal parts of the people do not exceed."""
    if not len(number):
        return (0,) * (parts - 1)
    order = np.argsort(number, kind="stable")
    below = np.cumsum(people[order])
    # In integers: the same people give the same cuts on every machine.
    places = [np.searchsorted(parts * below, part * below[-1]) for part in range(1, parts)]
    return tuple(int(number[order][place]) for place in places)
