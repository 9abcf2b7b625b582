"""How active people are, in strata: what claims compare within, so that like is set beside like.

A holder of a persona is somebody who does more than others, and so does more of everything. One
function cuts people into strata by their number of intents; the graph's `User.activity` and the
lake's counts are both made of it, so that they agree.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kg.lake import Lake

STRATA = 5


def strata(lake: "Lake") -> Any:
    """user_id, activity (0: the least active, to 4): everybody with an intent; an Ibis table."""
    per_person = _intents_per_person(lake)
    activity = sum(
        ((per_person.n > cut).cast("int64") for cut in cuts(lake)), start=0 * per_person.n
    )
    return per_person.select("user_id", activity=activity.cast("int64"))


def cuts(lake: "Lake") -> tuple[int, ...]:
    """The most intents of strata 0 to 3: quintiles of those who hold any persona now.

    Of the holders, because the others are weighted as the holders lie, and because most people
    with one intent, who can hold none, would else fill several strata that compare nothing. Of
    everybody where nobody holds any. Equal cuts leave a stratum empty.
    """
    per_person = _intents_per_person(lake)
    holdings = lake.table("holdings")
    holders = per_person.semi_join(holdings.filter(holdings.valid_to_ms.isnull()), "user_id")
    return _quintiles(lake, holders) or _quintiles(lake, per_person) or (0,) * (STRATA - 1)


def _intents_per_person(lake: "Lake") -> Any:
    users = lake.table("users")
    intents = lake.table("intents").semi_join(users.filter(~users.consent_denied), "user_id")
    return intents.group_by("user_id").agg(n=intents.count())


def _quintiles(lake: "Lake", per_person: Any) -> tuple[int, ...]:
    """The least number that a fifth, two fifths, ... of the people do not exceed."""
    rows = lake.run(per_person.group_by("n").agg(people=per_person.count()).order_by("n"))
    if not rows.num_rows:
        return ()
    number, below = rows["n"].to_numpy(), np.cumsum(rows["people"].to_numpy())
    # In integers: the same people give the same cuts on every machine.
    places = [np.searchsorted(STRATA * below, fifth * below[-1]) for fifth in range(1, STRATA)]
    return tuple(int(number[place]) for place in places)
