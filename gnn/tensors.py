"""Intents as arrays of small integers: who, when together, of which type, in which manner.

A *type* is a verb and a topic. A *manner* is how an intent was done (channel, hour, price ...), in
a few bins. An *occasion* is what a person did with no pause over half a day, over all channels.
Rows are sorted by user, time and id, so that the order of a table never matters.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

OCCASION_PAUSE_MS = 12 * 3_600_000
HOURS_PER_BIN = 3
LEVELS = 3
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LOW_TO_HIGH = ("low", "middle", "high")


@dataclass(frozen=True)
class Manner:
    """One way in which intents differ beside their type.

    Attributes:
        name: of the manner.
        bins: what its values are called.
        values: (n,) the bin of each intent.
    """

    name: str
    bins: tuple[str, ...]
    values: Ints


@dataclass(frozen=True)
class Intents:
    """All intents of everyone.

    Shapes: n intents, u users, t types; every array (n,) but `fit` (u,) and `type_parts` (t, 2).
    """

    ids: pa.Array
    user: Ints
    occasion: Ints
    type: Ints
    started_at_ms: Ints
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

    def type_name(self, number: int) -> str:
        """`verb|topic`, the name of a type in rules and signatures."""
        verb, topic = self.type_parts[number]
        return f"{self.verbs[verb]}|{self.topics[topic]}"


def load(step: Any) -> Intents:
    """Read the intents of a step's lake; see `arrange`."""
    names = ["intent_id", "user_id", "verb", "topic", "channel", "position", "started_at_ms"]
    intents = step.arrow("intents", [*names, "session_id", "event_count", "quantity", "value"])
    return arrange(intents, step.arrow("users", ["user_id", "half"]))


def arrange(intents: pa.Table, users: pa.Table) -> Intents:
    """Make the arrays.

    Args:
        intents: rows of the lake's `intents`.
        users: user_id and half of at least everyone who has an intent.
    """
    order = [("user_id", "ascending"), ("started_at_ms", "ascending"), ("intent_id", "ascending")]
    intents = intents.sort_by(order)
    user, user_ids = _codes(intents["user_id"])
    verb, verbs = _codes(intents["verb"])
    topic, topics = _codes(intents["topic"])
    parts, kind = np.unique(np.stack([verb, topic], 1), axis=0, return_inverse=True)
    started = intents["started_at_ms"].to_numpy()
    half = dict(zip(users["user_id"].to_pylist(), users["half"].to_pylist(), strict=True))
    return Intents(
        ids=intents["intent_id"].combine_chunks(),
        user=user,
        occasion=_occasions(user, started),
        type=kind.reshape(-1).astype(np.int64),
        started_at_ms=started,
        manners=_manners(intents, user, started, topic),
        user_ids=user_ids,
        fit=np.array([half.get(user_id) == "fit" for user_id in user_ids], bool),
        verbs=verbs,
        topics=topics,
        type_parts=parts.reshape(-1, 2).astype(np.int64),
    )


def _codes(column: Any) -> tuple[Ints, tuple[str, ...]]:
    """Numbers in the order of the names, so that they do not depend on the rows' order."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    rank = np.argsort(np.argsort(names, kind="stable"), kind="stable")
    codes = rank[encoded.indices.to_numpy(zero_copy_only=False)] if len(names) else np.zeros(0)
    return np.asarray(codes, np.int64), tuple(sorted(names))


def _occasions(user: Ints, started: Ints) -> Ints:
    if not len(user):
        return user
    new = (np.diff(user) != 0) | (np.diff(started) > OCCASION_PAUSE_MS)
    return np.concatenate([[0], np.cumsum(new)]).astype(np.int64)


def _manners(intents: pa.Table, user: Ints, started: Ints, topic: Ints) -> tuple[Manner, ...]:
    channel, channels = _codes(intents["channel"])
    hour = (started // 3_600_000) % 24 // HOURS_PER_BIN
    hours = tuple(f"{h:02d}-{h + HOURS_PER_BIN:02d} h" for h in range(0, 24, HOURS_PER_BIN))
    weekday = (started // 86_400_000 + 3) % 7
    order = np.minimum(_number(intents, started), LEVELS - 1)
    found = [
        Manner("channel", channels, channel),
        Manner("hour", hours, hour),
        Manner("weekday", WEEKDAYS, weekday),
        Manner("order", ("first", "second", "later"), order),
    ]
    value, quantity, events = (
        intents[name].to_numpy().astype(float) for name in ("value", "quantity", "event_count")
    )
    price = np.abs(value) / np.where(quantity == 0, 1, np.abs(quantity))
    for name, figure in (("price", price), ("amount", np.abs(quantity) / np.maximum(events, 1))):
        levels = _levels(figure, topic)
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
    intents: Intents, rows: Ints, seed: int, least_z: float = 6.0, least_share: float = 0.01
) -> tuple[tuple[Manner, ...], dict[str, float]]:
    """The manners in which people are like themselves across occasions, beyond what types explain.

    For each manner: the correlation between two intents of one person on different occasions, of
    what deviates from the average of the intents' types; against manners permuted within types.

    Args:
        rows: the intents to look at.
        least_z: how far above the permuted control, in its standard deviations.
        least_share: smallest correlation worth a split.

    Returns:
        The manners that carry information, and the correlation of every one.
    """
    rng = np.random.default_rng(seed)
    share: dict[str, float] = {}
    kept = []
    for manner in intents.manners:
        values = manner.values[rows]
        true = _likeness(intents, rows, values, len(manner.bins))
        by_type = np.argsort(intents.type[rows], kind="stable")
        control = []
        for _ in range(8):
            shuffled = np.empty_like(values)
            mixed = np.lexsort((rng.random(len(rows)), intents.type[rows]))
            shuffled[by_type] = values[mixed]
            control.append(_likeness(intents, rows, shuffled, len(manner.bins)))
        share[manner.name] = round(float(true - np.mean(control)), 4)
        if share[manner.name] > max(least_share, least_z * float(np.std(control))):
            kept.append(manner)
    return tuple(kept), share


def _likeness(intents: Intents, rows: Ints, values: Ints, bins: int) -> float:
    user, occasion, kind = (a[rows] for a in (intents.user, intents.occasion, intents.type))
    table = np.zeros((intents.type_count, bins))
    np.add.at(table, (kind, values), 1)
    expected = table / np.maximum(table.sum(1, keepdims=True), 1)
    deviation = -expected[kind]
    deviation[np.arange(len(rows)), values] += 1
    pairs = variance = together = 0.0
    for group, sign in ((user, 1.0), (occasion, -1.0)):
        groups = np.unique(group, return_inverse=True)[1]
        sums = np.zeros((groups.max(initial=-1) + 1, bins))
        np.add.at(sums, groups, deviation)
        together += sign * float((sums**2).sum())
        pairs += sign * float((np.bincount(groups).astype(float) ** 2).sum())
    variance = float((deviation**2).sum()) / max(len(rows), 1)
    return together / pairs / variance if pairs > 0 and variance > 0 else 0.0
