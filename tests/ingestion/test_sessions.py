"""Where a session begins and ends."""

from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from rows import put, put_people

from ingestion.identity import resolve
from ingestion.sessions import behaviour, sessionize, sessions
from kg.lake import Lake

MINUTE = 60_000


def split(*rows: tuple[str, int] | tuple[str, int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Sessions of one user's events, each (record_key, minute, more)."""
    plain = {"user_id": "u", "channel": "web", "basket_id": None, "value": 1.0}
    events = [
        plain | {"record_key": key, "occurred_at_ms": minute * MINUTE} | (more[0] if more else {})
        for key, minute, *more in rows
    ]
    schema = pa.schema(
        {"record_key": pa.string(), "user_id": pa.string(), "channel": pa.string(),
         "occurred_at_ms": pa.int64(), "basket_id": pa.string(), "value": pa.float64()}
    )  # fmt: skip
    table = ibis.memtable(pa.Table.from_pylist(events, schema=schema))
    found: list[dict[str, Any]] = (
        ibis.duckdb.connect().to_pyarrow(sessions(sessionize(table))).to_pylist()
    )
    return found


def counts(found: list[dict[str, Any]]) -> list[int]:
    return [row["event_count"] for row in sorted(found, key=lambda row: row["number"])]


def test_a_pause_of_half_an_hour_is_still_one_session_and_a_longer_one_is_not() -> None:
    assert counts(split(("a", 0), ("b", 30), ("c", 60), ("d", 91))) == [3, 1]


def test_channels_are_sessions_of_their_own() -> None:
    found = split(("a", 0), ("b", 1, {"channel": "store"}), ("c", 2))
    assert sorted((row["channel"], row["event_count"]) for row in found) == [
        ("store", 1),
        ("web", 2),
    ]


def test_people_are_sessions_of_their_own() -> None:
    found = split(("a", 0), ("b", 1, {"user_id": "v"}))
    assert {row["user_id"]: row["number"] for row in found} == {"u": 1, "v": 1}


def test_a_basket_is_never_split_and_takes_in_what_lies_between() -> None:
    basket = {"basket_id": "x"}
    assert counts(split(("a", 0, basket), ("b", 100), ("c", 200, basket), ("d", 231))) == [3, 1]


def test_the_same_basket_number_of_another_person_is_another_basket() -> None:
    mine, theirs = {"basket_id": "x"}, {"basket_id": "x", "user_id": "v"}
    assert counts(split(("a", 0, mine), ("b", 100, theirs), ("c", 200)))[:2] == [1, 1]


def test_a_session_says_when_how_often_and_for_how_much() -> None:
    first, second = split(("a", 5), ("b", 5), ("c", 9, {"value": None}), ("d", 60, {"value": -2.5}))
    assert (first["started_at_ms"], first["ended_at_ms"]) == (5 * MINUTE, 9 * MINUTE)
    assert (first["number"], first["event_count"], first["value"]) == (1, 3, 2.0)
    assert (second["number"], second["value"]) == (2, -2.5)
    assert first["session_id"].startswith("s_")


def test_an_event_that_comes_late_changes_only_the_session_it_falls_into() -> None:
    known = [("a", 0), ("b", 10), ("c", 300), ("d", 310), ("e", 305, {"user_id": "v"})]
    before = {row["session_id"]: row for row in split(*known)}
    inside = {row["session_id"]: row for row in split(*known, ("late", 5))}
    assert [row["event_count"] for key, row in inside.items() if row != before[key]] == [3]
    between = {row["session_id"]: row for row in split(*known, ("late", 100))}
    (new,) = between.keys() - before.keys()
    assert between[new]["event_count"] == 1
    for key, row in before.items():  # the later ones of this person count one more before them
        moves = row["user_id"] == "u" and row["number"] > 1
        assert between[key] == row | {"number": row["number"] + moves}


@pytest.mark.parametrize("granted", [True, False])
def test_only_behaviour_of_people_who_may_be_profiled_counts(tmp_path: Path, granted: bool) -> None:
    event = {"record_key": "a", "ids": {"user_id": "1"}}
    with Lake.writer(tmp_path / "shop") as lake:
        with lake.step("ingest") as step:
            put_people(step, [event, event | {"record_key": "b", "verb": "received"},
                              event | {"record_key": "c", "ids": {}}])  # fmt: skip
            put(step, consents=[{"record_key": "a", "granted": granted}])
        with lake.step("identity") as step:
            resolve(step, bytes(32))
            keys = lake.run(behaviour(step))["record_key"].to_pylist()
    assert keys == (["a"] if granted else [])
