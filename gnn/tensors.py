"""Episodes as arrays of small integers: who, when, of which type, in which manner.

An *episode* is what a person was after on one occasion: all their intents on one topic there. Who
views a thing, puts it into the basket and buys it has three intents and one aim, and three
witnesses that always speak together would count as three (tried: personas fell apart into topics).
What is answered in one sitting of a survey is one episode too, about the question that most people
answer. An *occasion* is what a person did with no pause over half a day, over all channels. An
episode's *type* is its topic and the rarest of its verbs; a *manner* is how it was done (channel,
hour, price ...), in a few bins. Rows are sorted by user, time and id, so that the order of a table
never matters.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kg.errors import InputError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SURVEY = "survey"
"""The channel of answers."""
INTENT_COLUMNS = (
    *("intent_id", "user_id", "session_id", "verb", "topic", "channel", "position"),
    *("started_at_ms", "event_count", "quantity", "value", "hour", "weekday"),
)
"""What of the lake's intents an episode is made of."""
OCCASION_PAUSE_MS = 12 * 3_600_000
HOURS_PER_BIN = 3
LEVELS = 3
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LOW_TO_HIGH = ("low", "middle", "high")


@dataclass(frozen=True)
class Manner:
    """One way in which episodes differ beside their type.

    Attributes:
        name: of the manner.
        bins: what its values are called.
        values: (n,) the bin of each episode.
    """

    name: str
    bins: tuple[str, ...]
    values: Ints


@dataclass(frozen=True)
class Intents:
    """The intents that episodes are made of, sorted by user, time and id.

    Shapes: n intents; every array (n,). `episode` is a place in `Episodes`.
    """

    ids: pa.Array
    episode: Ints
    started_at_ms: Ints

    def __len__(self) -> int:
        return len(self.episode)


@dataclass(frozen=True)
class Episodes:
    """All episodes of everyone.

    Shapes: n episodes, u users, t types; every array (n,) but `fit` (u,) and `type_parts` (t, 2).
    `leading` is the place of the intent that speaks for each, of the rarest verb.
    """

    intents: Intents
    user: Ints
    occasion: Ints
    type: Ints
    leading: Ints
    manners: tuple[Manner, ...]
    user_ids: tuple[str, ...]
    fit: NDArray[np.bool_]
    verbs: tuple[str, ...]
    topics: tuple[str, ...]
    type_parts: Ints

    def __len__(self) -> int:
        return len(self.user)

    @property
    def type_count(self) -> int:
        """How many types there are."""
        return len(self.type_parts)

    def manner(self, name: str) -> Manner:
        """The manner of this name."""
        return next(manner for manner in self.manners if manner.name == name)

    def type_name(self, number: int) -> str:
        """`verb|topic`, the name of a type in rules and signatures."""
        verb, topic = self.type_parts[number]
        return f"{self.verbs[verb]}|{self.topics[topic]}"


def load(step: Any) -> Episodes:
    """Read the intents of a lake, or of a step, that may shape personas as episodes; see `arrange`.

    Raises:
        InputError: an older version wrote the intents.
    """
    intents = step.arrow("intents", list(INTENT_COLUMNS))
    if intents["weekday"].null_count:
        raise InputError(
            "The intents of this workspace were written by an older version.",
            hint="Run it again with its files, with the program of today.",
        )
    out = step.arrow("kept_out", ["intent_id"])["intent_id"]
    return arrange(intents, step.arrow("users", ["user_id", "half"]), out)


def arrange(intents: pa.Table, users: pa.Table, out: Any = ()) -> Episodes:
    """Make the arrays.

    Args:
        intents: rows of the lake's `intents`.
        users: user_id and half of at least everyone who has an intent.
        out: ids of intents that are in no episode; their people are people all the same.
    """
    people = intents["user_id"]
    if len(out):
        intents = intents.filter(pc.invert(pc.is_in(intents["intent_id"], value_set=_flat(out))))
    order = [("user_id", "ascending"), ("started_at_ms", "ascending"), ("intent_id", "ascending")]
    intents = intents.sort_by(order)
    user, user_ids = _codes(intents["user_id"], people)
    verb, verbs = _codes(intents["verb"])
    topic, topics = _codes(intents["topic"])
    topic = _one_per_sitting(topic, intents)
    started = intents["started_at_ms"].to_numpy()
    occasion = _occasions(user, started)
    episode, leading = _episodes(occasion, topic, verb)
    pairs = np.stack([verb, topic], 1)[leading]
    parts, kind = np.unique(pairs, axis=0, return_inverse=True)
    half = dict(zip(users["user_id"].to_pylist(), users["half"].to_pylist(), strict=True))
    return Episodes(
        intents=Intents(intents["intent_id"].combine_chunks(), episode, started),
        user=user[leading],
        occasion=occasion[leading],
        type=kind.reshape(-1).astype(np.int64),
        leading=leading,
        manners=_manners(intents, started, topic, leading),
        user_ids=user_ids,
        fit=np.array([half.get(user_id) == "fit" for user_id in user_ids], bool),
        verbs=verbs,
        topics=topics,
        type_parts=parts.reshape(-1, 2).astype(np.int64),
    )


def _one_per_sitting(topic: Ints, intents: pa.Table) -> Ints:
    """Topics, those of a survey's answers replaced by the commonest of their session. (n,)"""
    rows = np.flatnonzero(intents["channel"].to_numpy(zero_copy_only=False) == SURVEY)
    if not len(rows):
        return topic
    asked = np.bincount(topic[rows])[topic[rows]]
    session = _codes(intents["session_id"].take(rows))[0]
    order = np.lexsort((topic[rows], -asked, session))
    _, first, place = np.unique(session[order], return_index=True, return_inverse=True)
    one = topic.copy()
    one[rows[order]] = topic[rows[order[first[place.reshape(-1)]]]]
    return one


def _episodes(occasion: Ints, topic: Ints, verb: Ints) -> tuple[Ints, Ints]:
    """The episode of each intent, and the intent that speaks for each: of the rarest verb, first.

    Shapes: (n,) -> (n,), (episodes,).
    """
    width = int(topic.max(initial=-1)) + 1
    episode = np.unique(occasion * width + topic, return_inverse=True)[1].reshape(-1)
    common = np.bincount(verb)[verb] if len(verb) else verb
    order = np.lexsort((np.arange(len(verb)), common, episode))
    first = np.concatenate([[True], np.diff(episode[order]) != 0]) if len(order) else order
    return episode.astype(np.int64), order[np.flatnonzero(first)].astype(np.int64)


def _codes(column: Any, every: Any = None) -> tuple[Ints, tuple[str, ...]]:
    """Numbers in the order of the names, so that they do not depend on the rows' order.

    Args:
        every: values that all have a number, whether or not they are in the column.
    """
    names = sorted(pc.unique(column if every is None else every).to_pylist())
    codes = pc.index_in(_flat(column), value_set=pa.array(names, pa.string()))
    return np.asarray(codes.to_numpy(zero_copy_only=False), np.int64), tuple(names)


def _flat(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _occasions(user: Ints, started: Ints) -> Ints:
    if not len(user):
        return user
    new = (np.diff(user) != 0) | (np.diff(started) > OCCASION_PAUSE_MS)
    return np.concatenate([[0], np.cumsum(new)]).astype(np.int64)


def _manners(intents: pa.Table, started: Ints, topic: Ints, leading: Ints) -> tuple[Manner, ...]:
    channel, channels = _codes(intents["channel"])
    hours = tuple(f"{h:02d}-{h + HOURS_PER_BIN:02d} h" for h in range(0, 24, HOURS_PER_BIN))
    hour = pc.fill_null(pc.divide(intents["hour"], HOURS_PER_BIN), len(hours))
    hour, weekday = (one.to_numpy().astype(np.int64) for one in (hour, intents["weekday"]))
    order = np.minimum(_number(intents, started), LEVELS - 1)
    found = [
        Manner("channel", channels, channel[leading]),
        Manner("hour", (*hours, "unknown"), hour[leading]),
        Manner("weekday", WEEKDAYS, weekday[leading]),
        Manner("order", ("first", "second", "later"), order[leading]),
    ]
    value, quantity, events = (
        intents[name].to_numpy().astype(float) for name in ("value", "quantity", "event_count")
    )
    price = np.abs(value) / np.where(quantity == 0, 1, np.abs(quantity))
    for name, figure in (("price", price), ("amount", np.abs(quantity) / np.maximum(events, 1))):
        levels = _levels(figure, topic)[leading]
        if len(np.unique(levels)) > 1:
            found.append(Manner(name, (*LOW_TO_HIGH, "none"), levels))
    return tuple(found)


def _number(intents: pa.Table, started: Ints) -> Ints:
    """How many earlier moments of its session each intent has before it, from 0.

    What happened at one moment (a basket) has no order.
    """
    session, _ = _codes(intents["session_id"])
    order = np.lexsort((started, session))
    if not len(order):
        return order
    first = np.concatenate([[True], np.diff(session[order]) != 0])
    later = np.concatenate([[False], np.diff(started[order]) != 0]) & ~first
    moment = np.cumsum(later)
    number = np.empty(len(order), np.int64)
    number[order] = moment - np.maximum.accumulate(np.where(first, moment, 0))
    return number


def _levels(figure: Floats, topic: Ints) -> Ints:
    """Thirds within each topic: 0 low, 1 middle, 2 high, 3 where there is no figure."""
    level = np.full(len(figure), LEVELS, np.int64)
    there = np.flatnonzero(figure > 0)
    there = there[np.lexsort((figure[there], topic[there]))]
    if not len(there):
        return level
    first = np.searchsorted(topic[there], topic[there], side="left")
    last = np.searchsorted(topic[there], topic[there], side="right")
    # Equal figures share the place of the first of them, so a tie is never cut in two.
    new = np.concatenate([[True], (np.diff(figure[there]) != 0) | (np.diff(topic[there]) != 0)])
    place = np.maximum.accumulate(np.where(new, np.arange(len(there)), 0))
    level[there] = (place - first) * LEVELS // (last - first)
    return level


def informative(
    episodes: Episodes, rows: Ints, least_z: float = 3.0, least_ratio: float = 1.3
) -> tuple[tuple[Manner, ...], dict[str, float]]:
    """The manners that go with the company a person keeps, the most telling first.

    For each manner: how far it goes, beyond what the type explains, with the types of the same
    person's episodes on *other* occasions; against the manners of another, equally active person.
    So a mere habit does not count (who has the app uses the app, whatever for; a shop orders on
    Mondays): it tells people apart, but not what they are after. Everyone counts alike, however
    busy. (Tried, as a control: manners permuted within types. Every habit passed, and wholesale
    orders fell apart into weekdays.) Always the same others: a manner on the fence must not come
    and go with the seed. (Tried: drawn by it. In a world of 1,000 people the amount counted with
    every other seed, and the personas of events agreed to .79, else to .98.)

    Args:
        rows: the episodes to look at.
        least_z: how far above the control, in its standard deviations.
        least_ratio: how many times the control.

    Returns:
        The manners that carry information, and how many times the control every one came to.
    """
    company, ratios, kept = _Company(episodes, rows), {}, []
    for manner in episodes.manners:
        rng = np.random.default_rng(0)
        true, control = company.goes_with(manner.values[rows], len(manner.bins), rng)
        usual, spread = float(np.mean(control)), float(np.std(control))
        ratios[manner.name] = round(true / usual, 2) if usual > 0 else 1.0
        if ratios[manner.name] >= least_ratio and true - usual >= least_z * spread:
            kept.append((usual - true, manner))
    kept.sort(key=lambda found: found[0])
    return tuple(manner for _, manner in kept), ratios


class _Company:
    """What people do on other occasions, for asking what goes with it."""

    people_per_block = 20
    controls = 60

    def __init__(self, episodes: Episodes, rows: Ints) -> None:
        self.kind, self.types = episodes.type[rows], episodes.type_count
        self.person, self.occasion = (
            np.unique(group[rows], return_inverse=True)[1].reshape(-1)
            for group in (episodes.user, episodes.occasion)
        )
        self.count = np.bincount(self.person)
        self.of_person, self.of_occasion = map(self._counts, (self.person, self.occasion))
        self.usual = np.bincount(self.kind, minlength=self.types) / max(len(rows), 1)

    def _counts(self, group: Ints) -> Any:
        from scipy.sparse import csr_array

        shape = (int(group.max(initial=-1)) + 1, self.types)
        return csr_array((np.ones(len(group)), (group, self.kind)), shape=shape)

    def goes_with(
        self, values: Ints, bins: int, rng: np.random.Generator
    ) -> tuple[float, list[float]]:
        """How far a manner (n,) goes with the company, and how far with that of other people.

        In shares of the manner's own variance, so that manners can be compared.
        """
        table = np.bincount(self.kind * bins + values, minlength=self.types * bins)
        table = table.reshape(self.types, bins)
        deviation = -(table / np.maximum(table.sum(1, keepdims=True), 1))[self.kind]
        deviation[np.arange(len(values)), values] += 1
        deviation /= np.sqrt(max(float((deviation**2).mean()), 1e-12))
        deviation /= self.count[self.person][:, None]
        habit, here = (
            np.stack([np.bincount(group, column) for column in deviation.T], 1)
            for group in (self.person, self.occasion)
        )
        together = self._surplus(self.of_person, habit)
        true = self._surprise(together - self._surplus(self.of_occasion, here))
        control = [
            self._surprise(self._surplus(self.of_person, habit[self._others(rng)]))
            for _ in range(self.controls)
        ]
        return true, control

    def _others(self, rng: np.random.Generator) -> Ints:
        """For each person another one of about the same activity."""
        order = np.argsort(self.count, kind="stable")
        blocks = np.array_split(order, max(len(order) // self.people_per_block, 1))
        other = np.empty_like(order)
        for block in blocks:
            other[block] = rng.permutation(block)
        return other

    def _surplus(self, counts: Any, deviation: Any) -> Floats:
        """(types, bins): how much more of each type there is beside each bin than by popularity."""
        return np.asarray(counts.T @ deviation - np.outer(self.usual, counts.sum(1) @ deviation))

    def _surprise(self, surplus: Floats) -> float:
        return float(((surplus**2).sum(1) / np.maximum(self.usual * len(self.kind), 1)).sum())
