from pathlib import Path
from typing import Any

from folders import HEAD, Read, fill
from vendors import AT_MS, jsonl

SECONDS = AT_MS // 1000


def event(number: int, name: str = "Thing Done", who: str | None = "u1", /, **more: Any) -> Any:
    usual = {"time": SECONDS, "distinct_id": who, "$insert_id": f"i{number}"}
    return {"event": name, "properties": {**usual, **more}}


def read(tmp_path: Path, *events: Any, mapping: str | None = None) -> Read:
    folder = fill(tmp_path / "data", {"raw.jsonl": jsonl(events)}, mapping)
    return Read(folder, tmp_path / "workspace")


def test_an_event_is_known_by_its_name_author_time_and_insert_id(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1), event(1), event(1, "Other"), event(1, "Thing Done", "u2"),
        event(1, time=SECONDS + 1), event(2, **{"$insert_id": None}),
        event(2, **{"$insert_id": None}),
    )  # fmt: skip
    file = found.file("raw.jsonl")
    assert (file.accepted, file.duplicate) == (6, 1)


def test_both_ways_of_merging_ids_are_claims(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, "Thing Done", "$device:dev-1"),
        event(2, "Thing Done", "u1", **{"$user_id": "u1", "$device_id": "dev-1"}),
        event(3, "$identify", "u1", **{"$identified_id": "u1", "$anon_id": "dev-2"}),
        event(4, "$create_alias", "u1", alias="old-1"),
        event(5, "$merge", None, **{"$distinct_ids": ["d1", 'd"2', 7], "time": None}),
        event(6, "Thing Done", "u1", alias="a property of the customer's own"),
        event(7, "Thing Done", "u1", **{"$distinct_id_before_identity": "dev-9"}),
    )
    keys = {row: key.partition("#")[2][:2] for key, row in
            found.rows("records", "record_key", "position")}  # fmt: skip
    rows = found.rows("identifiers", "record_key", "namespace", "value")
    told = [(key.partition("#")[2].partition("/")[0], *rest) for key, *rest in rows]
    assert told == [
        ("i1", "device_id", "dev-1"),
        ("i2", "device_id", "dev-1"), ("i2", "distinct_id", "u1"), ("i2", "user_id", "u1"),
        ("i3", "device_id", "dev-2"), ("i3", "distinct_id", "u1"),
        ("i4", "distinct_id", "old-1"), ("i4", "distinct_id", "u1"),
        ("i5", "distinct_id", 'd"2'), ("i5", "distinct_id", "d1"),
        ("i6", "distinct_id", "u1"),
        ("i7", "distinct_id", "dev-9"), ("i7", "distinct_id", "u1"),
    ]  # fmt: skip
    assert len(keys) == 7
    assert found.rows("records", "kind").count("profile") == 3


def test_a_device_is_one_wherever_its_id_stands_for_somebody(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, "Thing Done", "$device:d1", **{"$device_id": "d1"}),
        event(2, "Thing Done", "u1", **{"$distinct_id_before_identity": "$device:d1"}),
        event(3, "$create_alias", "u1", alias="$device:d2"),
        event(4, "$identify", "u1", **{"$identified_id": "$device:d3"}),
        event(5, "$merge", None, **{"$distinct_ids": ["$device:d4", "u1"], "time": None}),
        event(6, "Thing Done", None),
    )
    rows = found.rows("identifiers", "record_key", "namespace", "value")
    assert [(key.partition("#")[2][:2], *rest) for key, *rest in rows] == [
        ("i1", "device_id", "d1"),
        *((f"i{n}", *one) for n in (2, 3, 4, 5)
          for one in (("device_id", f"d{n - 1 if n > 2 else 1}"), ("distinct_id", "u1"))),
    ]  # fmt: skip


def test_times_are_seconds_or_milliseconds_since_1970(tmp_path: Path) -> None:
    found = read(
        tmp_path, event(1), event(2, time=AT_MS), event(3, time=SECONDS + 0.25),
        event(4, time="noon"), event(5, time=None, mp_processing_time_ms=AT_MS + 7),
        event(6, time=None), event(7, mp_processing_time_ms=AT_MS + 9), event(8, time=1e308),
        event(9, time="NaN"),
    )  # fmt: skip
    assert found.rows("events", "occurred_at_ms") == [
        AT_MS, AT_MS, AT_MS, AT_MS + 7, AT_MS + 250]  # fmt: skip
    assert found.reasons() == {
        4: "unreadable_time", 6: "missing_time", 8: "unreadable_time", 9: "unreadable_time",
    }  # fmt: skip
    assert AT_MS + 9 in found.rows("records", "recorded_at_ms")


def test_an_old_project_s_clock_is_read_in_the_zone_the_mapping_gives(tmp_path: Path) -> None:
    mapping = HEAD + (
        "tables:\n  app:\n    files: raw*\n    format: mixpanel\n"
        "    time: {column: properties.time, zone: America/New_York}\n"
    )
    found = read(tmp_path, event(1), mapping=mapping)
    assert found.rows("events", "occurred_at_ms") == [AT_MS + 5 * 3_600_000]


def test_updates_of_profiles_tell_traits_and_addresses(tmp_path: Path) -> None:
    update = {"$token": "t", "$distinct_id": "u1", "$time": SECONDS,
              "$set": {"$email": "Ann@Mail.org", "$name": "Ann", "plan": "pro"}}  # fmt: skip
    found = read(tmp_path, update, {"$distinct_id": "$device:dev-1", "$add": {"visits": 1}})
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']
    assert found.rows("identifiers", "namespace", "value") == [
        ("device_id", "dev-1"), ("distinct_id", "u1"), ("email", "ann@mail.org")]  # fmt: skip
    assert found.rows("events") == []


def test_pages_campaigns_and_apps(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, "$mp_web_page_view", current_url_path="/lamps", utm_campaign="spring"),
        event(2, "Purchase", mp_lib="swift", product_id="p1", price=2, quantity=3),
        event(3, "$session_start"),
    )
    assert found.rows("events", "verb", "object", "item_id", "value", "campaign_id", "channel") == [
        ("bought", None, "p1", 6.0, None, "app"), ("viewed", "/lamps", None, None, "spring", "web"),
    ]  # fmt: skip
    assert found.report.datasets[0].left_out == 1


def test_that_a_profile_was_deleted_is_told_of_and_not_followed(tmp_path: Path) -> None:
    known = {"$token": "t", "$distinct_id": "u1", "$set": {"plan": "pro"}}
    gone = {"$token": "t", "$distinct_id": "u1", "$delete": "", "$ignore_alias": False}
    found = read(tmp_path, event(1), known, gone)
    assert found.reasons() == {3: "unknown_type"}
    assert "type: $delete" in found.rows("records", "detail")
    assert len(found.rows("profiles")) == 1
