"""On which device a visit happened, and whether its person was logged in there."""

from dataclasses import dataclass

import numpy as np

from ingestion.simulate import world
from ingestion.simulate.behaviour import CHANNEL, Intents
from ingestion.simulate.people import MAX_DEVICES, Flags, Ints, People


@dataclass(frozen=True)
class Visits:
    """Visits on a device (not those in a store, by mail or by survey).

    Shapes:
        (visits,): person, start_ms, app, device (place; kiosks are -1 - number), logged_in,
        first_login (an identify call is sent); `of` maps a visit number to its row, -1: none.
    """

    person: Ints
    start_ms: Ints
    app: Flags
    device: Ints
    logged_in: Flags
    first_login: Flags
    of: Ints

    def anonymous_ids(self, people: People) -> list[str]:
        """The anonymous id of each visit."""
        return [
            people.device_id[person][device] if device >= 0 else world.KIOSKS[-1 - device]
            for person, device in zip(self.person.tolist(), self.device.tolist(), strict=True)
        ]


def make_visits(rng: np.random.Generator, people: People, intents: Intents) -> Visits:
    """Spread visits over the devices of their people and let them log in."""
    number, first = np.unique(intents.visit, return_index=True)
    on_device = intents.channel[first] == CHANNEL["visit"]
    number, first = number[on_device], first[on_device]
    of = np.full(int(intents.visit.max(initial=-1)) + 1, -1)
    of[number] = np.arange(number.size)
    person, start, app = intents.person[first], intents.start_ms[first], intents.app[first]
    device = _devices(rng, people, person, app)
    order = np.lexsort((start, device, person))
    rank = np.empty(person.size, np.int64)
    rank[order] = _rank(person[order] * MAX_DEVICES + device[order])
    login_at = rng.geometric(world.COVERAGE.login_at_visit, (len(people), MAX_DEVICES)) - 1
    never = rng.random((len(people), MAX_DEVICES)) < world.COVERAGE.device_never_logged_in
    never[:, 0] = False
    possible = people.known[person] & ~never[person, device]
    after = rank - login_at[person, device]
    stays = rng.random(person.size) < world.COVERAGE.logged_in_visit
    logged_in, first_login = (
        possible & (after >= 0) & (stays | (after == 0)),
        possible & (after == 0),
    )
    kiosk = _kiosk_visits(rng, people, person, app)
    device[kiosk] = -1 - rng.integers(0, len(world.KIOSKS), kiosk.size)
    logged_in[kiosk] = first_login[kiosk] = people.known[person[kiosk]] & (
        rng.random(kiosk.size) < 0.7
    )
    return Visits(person, start, app, device, logged_in, first_login, of)


def _devices(rng: np.random.Generator, people: People, person: Ints, app: Flags) -> Ints:
    """The app is on the last device; the others share the web visits, the first most of them."""
    browsers = people.device_count[person] - people.has_app[person]
    other = rng.integers(0, np.maximum(browsers, 1))
    web = np.where(rng.random(person.size) < 0.65, 0, other)
    return np.where(app, people.device_count[person] - 1, web)


def _rank(groups: Ints) -> Ints:
    """Place within runs of equal values."""
    new = np.r_[True, groups[1:] != groups[:-1]] if groups.size else np.zeros(0, bool)
    at = np.arange(groups.size)
    rank: Ints = at - np.maximum.accumulate(np.where(new, at, 0))
    return rank


def _kiosk_visits(rng: np.random.Generator, people: People, person: Ints, app: Flags) -> Ints:
    """One web visit of each person who once used a store's kiosk."""
    uses = rng.random(len(people)) < world.DIRT.kiosk_people
    rows = rng.permutation(np.flatnonzero(uses[person] & ~app))
    _, first = np.unique(person[rows], return_index=True)
    picked: Ints = np.sort(rows[first])
    return picked
