"""Who held which persona from when until when, by the rule of `gnn.personas.holders`.

A person holds a persona from the moment the rule was first met by what they had done until then,
until the moment it stopped being met for good. An episode counts from its last intent on, because
what it was is not known before; what happened at one moment counts together. Who holds what at the
end is exactly what `holders` says. All of it by today's rule and assignments: what an earlier run
believed is read in the lake as that run left it.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gnn.found import PersonaConfig
from gnn.memberships import Soft
from gnn.tensors import Episodes, Ints

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Spells:
    """One row per person and persona that was ever held; every array (n,).

    Attributes:
        user, persona: places in `Episodes.user_ids`, and from 0.
        since, until: epoch ms; `until` means nothing where `holds`.
        holds: still held at the end.
        inside, intents, episodes: what they had done by the end of it: intents in the persona, all
            intents, all episodes.
    """

    user: Ints
    persona: Ints
    since: Ints
    until: Ints
    holds: Flags
    inside: Ints
    intents: Ints
    episodes: Ints


@dataclass(frozen=True)
class _Course:
    """Episodes in the order in which they became known, each person's together."""

    user: Ints
    time: Ints
    persona: Ints
    size: Ints
    is_new: Flags  # the first of its occasion in its persona
    first: Ints  # where the person begins
    settled: Ints  # places after which the clock moves on
    last: Flags  # the person's last place

    def so_far(self, values: Ints | Flags) -> Ints:
        """Sums over a person's episodes up to and with each. (n,) -> (n,)"""
        total = np.concatenate([[0], np.cumsum(values)])
        return np.asarray(total[1:] - total[self.first])


def _course(episodes: Episodes, soft: Soft) -> _Course:
    count = len(episodes)
    known = np.zeros(count, np.int64)
    np.maximum.at(known, episodes.intents.episode, episodes.intents.started_at_ms)
    order = np.lexsort((np.arange(count), known, episodes.user))
    user, time, persona = episodes.user[order], known[order], soft.argmax(1)[order]
    is_new = np.zeros(count, bool)
    is_new[np.unique(episodes.occasion[order] * soft.shape[1] + persona, return_index=True)[1]] = 1
    ends_person = np.append(np.diff(user) != 0, True)[:count]
    ends_moment = np.append(np.diff(time) != 0, True)[:count] | ends_person
    return _Course(
        user=user,
        time=time,
        persona=persona,
        size=np.bincount(episodes.intents.episode, minlength=count)[order],
        is_new=is_new,
        first=np.searchsorted(user, user),
        settled=np.flatnonzero(ends_moment),
        last=ends_person,
    )


def spells(episodes: Episodes, soft: Soft, config: PersonaConfig) -> Spells:
    """Who held what, when. Shapes: soft (n, k + 1), column 0 no persona."""
    course = _course(episodes, soft)
    found = [_spells_of(course, number, config) for number in range(1, soft.shape[1])]
    table = np.concatenate(found, 1) if found else np.zeros((8, 0), np.int64)
    user, persona, since, until, holds, *done = table
    return Spells(user, persona, since, until, holds.astype(bool), *done)


def _spells_of(course: _Course, number: int, config: PersonaConfig) -> Ints:
    """One persona's spells, a row for each field of `Spells`. -> (8, spells)"""
    mine = course.persona == number
    seen = course.so_far(np.ones(len(mine), np.int64))
    met = course.so_far(mine & course.is_new) >= config.least_occasions
    met &= course.so_far(mine) >= config.least_share * seen
    rows = course.settled[met[course.settled]]
    start = rows[np.unique(course.user[rows], return_index=True)[1]]
    end = rows[::-1][np.unique(course.user[rows][::-1], return_index=True)[1]]
    # The next moment of anyone; of the same person wherever the spell has ended.
    place = np.searchsorted(course.settled, end, side="right")
    after = course.settled[np.minimum(place, len(course.settled) - 1)]
    return np.stack(
        [
            course.user[start],
            np.full(len(start), number - 1),
            course.time[start],
            course.time[after],
            course.last[end].astype(np.int64),
            course.so_far(course.size * mine)[end],
            course.so_far(course.size)[end],
            seen[end],
        ]
    )


def table_of(found: Spells, user_ids: tuple[str, ...], ids: list[str]) -> pa.Table:
    """Spells as rows of the lake's `holdings`, in no order.

    The weight is the share of a person's intents when it ended, or now. Its interval is that of
    the share of *episodes*, since the intents of one are no independent witnesses.
    """
    from scipy.special import betaincinv

    # Jeffreys' interval of a share (Brown et al. 2001, doi:10.1214/ss/1009213286).
    weight = found.inside / found.intents
    yes = weight * found.episodes
    low, high = (betaincinv(yes + 0.5, found.episodes - yes + 0.5, p) for p in (0.025, 0.975))
    high = np.where(found.inside == found.intents, 1.0, high)  # as Brown et al. mend it
    return pa.table(
        {
            "user_id": pa.array([user_ids[number] for number in found.user], pa.string()),
            "persona_id": pa.array([ids[number] for number in found.persona], pa.string()),
            "weight": pa.array(weight, pa.float64()),
            "low": pa.array(low, pa.float64()),
            "high": pa.array(high, pa.float64()),
            "intents": pa.array(found.inside, pa.int64()),
            "valid_from_ms": pa.array(found.since, pa.int64()),
            "valid_to_ms": pa.array(found.until, pa.int64(), mask=found.holds),
        }
    )
