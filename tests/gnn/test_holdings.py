"""Who held what from when until when, by hand and against the rule read at every date."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from gnn.found import PersonaConfig, holders
from gnn.holdings import Spells, spells, table_of
from gnn.tensors import OCCASION_PAUSE_MS, Episodes, arrange
from tests.clock import with_clock
from tests.gnn.planted import Story, arranged, plant

DAY_MS = 86_400_000
CONFIG = PersonaConfig()


def story(*lives: str, apart_ms: int = DAY_MS) -> tuple[Episodes, Any]:
    """People who do one thing a day: `a` in persona 0, `b` in persona 1, `.` in none."""
    rows = [(user, day, did) for user, life in enumerate(lives) for day, did in enumerate(life)]
    count = len(rows)
    columns = {
        "intent_id": [f"i_{n:04d}" for n in range(count)],
        "session_id": [f"s_{n:04d}" for n in range(count)],
        "user_id": [f"u_{user}" for user, _, _ in rows],
        "verb": ["viewed"] * count,
        "topic": [did for _, _, did in rows],
        "channel": ["web"] * count,
        "position": [1] * count,
        "started_at_ms": [day * apart_ms for _, day, _ in rows],
        "event_count": [1] * count,
        "quantity": [1.0] * count,
        "value": [1.0] * count,
    }
    users = pa.table({"user_id": sorted(set(columns["user_id"])), "half": ["fit"] * len(lives)})
    episodes = arrange(with_clock(pa.table(columns)), users)
    topic = np.array([".ab".index(name) for name in episodes.topics])
    return episodes, np.eye(3)[topic[episodes.type_parts[episodes.type, 1]]]


def days(found: Spells) -> list[tuple[int, int, int, int | None]]:
    """(user, persona, first day, day it ended) of each spell."""
    until = np.where(found.holds, -1, found.until // DAY_MS).tolist()
    rows = zip(
        found.user.tolist(), found.persona.tolist(), found.since // DAY_MS, until, strict=True
    )
    return sorted((u, p, int(s), None if e < 0 else e) for u, p, s, e in rows)


def test_a_persona_is_held_from_the_second_occasion_on() -> None:
    assert days(spells(*story(".a.a.", "a....", "bab.b"), CONFIG)) == [
        (0, 0, 3, None),
        (2, 1, 2, None),
    ]


def test_it_ends_when_the_share_is_too_small_for_good() -> None:
    # Two of 40 are one in twenty, two of 41 are less.
    life = "aa" + 38 * "b" + "b"
    found = spells(*story(life), CONFIG)
    assert days(found) == [(0, 0, 1, 40), (0, 1, 3, None)]
    ended = found.persona == 0
    assert (found.inside[ended], found.intents[ended], found.episodes[ended]) == (2, 40, 40)


def test_what_stops_and_begins_again_never_ended() -> None:
    life = "aa" + 45 * "b" + "aaaa"
    assert days(spells(*story(life), CONFIG))[0] == (0, 0, 1, None)


def test_two_times_in_one_visit_are_one_occasion() -> None:
    episodes, soft = story("a.a..a", apart_ms=OCCASION_PAUSE_MS // 6)
    assert len(spells(episodes, soft, CONFIG).user) == 0


def test_what_happens_at_one_moment_counts_together() -> None:
    """At the moment of the last two, persona 0 was held for none of the time."""
    episodes, soft = story("a" + 38 * "b" + "ab")
    times = episodes.intents.started_at_ms.copy()
    times[-1] = times[-2]
    episodes = replace(episodes, intents=replace(episodes.intents, started_at_ms=times))
    found = spells(episodes, soft, CONFIG)
    assert days(found) == [(0, 1, 2, None)]
    assert not holders(episodes, soft, CONFIG)[0, 0]


def test_nobody_holds_anything_where_there_is_nothing() -> None:
    episodes, soft = story("...")
    for width in (1, 3):
        assert len(spells(episodes, soft[:, :width], CONFIG).user) == 0
    rows = table_of(spells(episodes, soft, CONFIG), episodes.user_ids, ["p_0", "p_1"])
    assert rows.num_rows == 0


def _until(episodes: Episodes, at_ms: int) -> Any:
    """Which episodes had happened by a date."""
    last = np.zeros(len(episodes), np.int64)
    np.maximum.at(last, episodes.intents.episode, episodes.intents.started_at_ms)
    return last <= at_ms


def _held_then(episodes: Episodes, soft: Any, at_ms: int) -> set[tuple[int, int]]:
    """The rule, read over what had happened by a date: plain counts."""
    rows = np.flatnonzero(_until(episodes, at_ms))
    held = set()
    for user in np.unique(episodes.user[rows]):
        mine = rows[episodes.user[rows] == user]
        for number in range(1, soft.shape[1]):
            inside = mine[soft.argmax(1)[mine] == number]
            is_often = len(np.unique(episodes.occasion[inside])) >= CONFIG.least_occasions
            if is_often and len(inside) >= CONFIG.least_share * len(mine):
                held.add((int(user), number - 1))
    return held


def test_at_the_end_and_at_every_first_date_it_is_what_the_rule_says() -> None:
    world = plant(5, Story(people=60, personas=5, topics=24))
    episodes, truth = arranged(world)
    soft = np.eye(int(truth.max()) + 2)[truth + 1]
    found = spells(episodes, soft, CONFIG)
    now = set(map(tuple, np.argwhere(holders(episodes, soft, CONFIG)).tolist()))
    holds = found.holds
    pairs = list(zip(found.user.tolist(), found.persona.tolist(), strict=True))
    assert {pair for pair, is_held in zip(pairs, holds, strict=True) if is_held} == now
    assert len(now) > 50
    for pair, since, until, is_held in list(
        zip(pairs, found.since.tolist(), found.until.tolist(), holds, strict=True)
    )[::7]:
        assert pair in _held_then(episodes, soft, since)
        assert pair not in _held_then(episodes, soft, since - 1)
        if not is_held:
            assert pair not in _held_then(episodes, soft, until)
            assert pair in _held_then(episodes, soft, until - 1)


def test_a_weight_is_that_of_the_time_when_it_ended() -> None:
    life = "aa" + 39 * "b"
    found = spells(*story(life), CONFIG)
    rows = table_of(found, ("u_0",), ["p_a", "p_b"]).to_pylist()
    ended = next(row for row in rows if row["persona_id"] == "p_a")
    held = next(row for row in rows if row["persona_id"] == "p_b")
    assert ended["weight"] == 2 / 40
    assert ended["valid_to_ms"] == 40 * DAY_MS
    assert ended["low"] < ended["weight"] < ended["high"]
    assert (held["weight"], held["valid_to_ms"]) == (39 / 41, None)
