from pathlib import Path
from typing import Any

import pyarrow as pa
from folders import Read, fill
from vendors import AT, AT_MS, MINUTE, at, jsonl, parquet, uid

from ingestion.detect import recognise
from ingestion.propose import is_needed


def event(number: int, name: str = "Thing Done", who: str = "u1", /, **fields: Any) -> Any:
    return {"uuid": uid(number), "event": name, "distinct_id": who, "timestamp": AT,
            "created_at": AT, "properties": fields}  # fmt: skip


def read(tmp_path: Path, *events: dict[str, Any]) -> Read:
    return Read(fill(tmp_path / "data", {"app.jsonl": jsonl(events)}), tmp_path / "workspace")


def named(found: Read) -> list[tuple[str, ...]]:
    rows = found.rows("identifiers", "record_key", "namespace", "value")
    return [(key[-1], space, value) for key, space, value in rows]


def test_merges_name_two_ids_in_one_record(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, "$identify", "u1", **{"$anon_distinct_id": "anon-1", "$user_id": "u1"}),
        event(2, "$create_alias", "u1", alias="old-1"),
        event(3, "$merge_dangerously", "u1", alias="old-2"),
        event(4, "Thing Done", "u1", alias="a property of the customer's own"),
        event(5, "$groupidentify", "made-up-for-a-group", **{"$group_key": "c1"}),
    )
    assert named(found) == [
        ("1", "anonymous_id", "anon-1"), ("1", "distinct_id", "u1"), ("1", "user_id", "u1"),
        ("2", "distinct_id", "old-1"), ("2", "distinct_id", "u1"),
        ("3", "distinct_id", "old-2"), ("3", "distinct_id", "u1"),
        ("4", "distinct_id", "u1"),
    ]  # fmt: skip
    kinds = found.rows("records", "kind")
    assert kinds.count("profile") == 4


def test_somebody_who_is_not_identified_is_anonymous(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, "$pageview", "x1", **{"$device_id": "x1", "$pathname": "/"}),
        event(2, "$pageview", "x2", **{"$is_identified": False}),
        event(3, "$pageview", "x3", **{"$process_person_profile": False}),
        {**event(4, "$screen", "u4", **{"$screen_name": "Home", "$lib": "posthog-ios"}),
         "person_id": uid(77)},
    )  # fmt: skip
    assert named(found) == [
        ("1", "anonymous_id", "x1"), ("2", "anonymous_id", "x2"), ("3", "anonymous_id", "x3"),
        ("4", "distinct_id", "u4"), ("4", "person_id", uid(77)),
    ]  # fmt: skip
    events = found.rows("events", "verb", "object", "channel")
    assert ("viewed", "Home", "app") in events


def test_a_library_s_clock_is_put_right_when_it_is_known_when_it_was_received(
    tmp_path: Path,
) -> None:
    inside = {"event": "Thing Done", "timestamp": at(0), "properties": {"distinct_id": "u1"}}
    batch = {"api_key": "k", "batch": [{**inside, "uuid": uid(1)}], "sent_at": at(1)}
    found = read(
        tmp_path,
        {**batch, "receivedAt": at(31)},
        {**batch, "batch": [{**inside, "uuid": uid(2)}]},
        event(3), {**event(4), "timestamp": "soon", "created_at": None},
        {**event(5), "timestamp": None},
    )  # fmt: skip
    assert found.rows("events", "occurred_at_ms") == [
        AT_MS, AT_MS, AT_MS, AT_MS + 30 * MINUTE]  # fmt: skip
    assert found.reasons() == {4: "unreadable_time"}
    assert (AT_MS + 31 * MINUTE) in found.rows("records", "recorded_at_ms")


def test_ids_traits_campaigns_and_noise(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, "$set", **{"$set": {"plan": "pro", "email": "a@b.org", "name": "Ann"}}),
        event(1, "$set", **{"$set": {"plan": "pro"}}),
        event(2, "$pageview", utm_campaign="spring", **{"$current_url": "https://x.org/a?b#c"}),
        event(3, "$autocapture", **{"$el_text": "Buy"}),
        event(4, "$feature_flag_called"),
        event(5, "$pageleave"),
        {**event(6), "person_properties": {"plan": "team"}},
    )
    assert found.file("app.jsonl").duplicate == 1
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}', '{"plan":"team"}']
    assert found.rows("events", "verb", "object", "campaign_id") == [
        ("clicked", "Buy", None), ("thing_done", None, None), ("viewed", "/a", "spring"),
    ]  # fmt: skip
    assert found.report.datasets[0].left_out == 2


def test_properties_that_are_no_json_in_parquet_are_told_of(tmp_path: Path) -> None:
    rows = [{**event(n), "properties": text, "created_at": None}
            for n, text in ((1, '{"$lib": "web"}'), (2, "{broken"), (3, None))]  # fmt: skip
    content = parquet(pa.Table.from_pylist(rows))
    found = Read(fill(tmp_path / "data", {"events": content}), tmp_path / "workspace")
    assert found.reasons() == {2: "wrong_type"}


def test_the_persons_of_an_export_are_profiles(tmp_path: Path) -> None:
    rows = [{"team_id": 1, "distinct_id": f"u{n}", "person_id": uid(9), "person_version": 3,
             "properties": '{"plan": "pro", "email": "a@b.org"}', "is_deleted": False,
             "person_distinct_id_version": 0, "created_at": AT} for n in (1, 2)]  # fmt: skip
    content = parquet(pa.Table.from_pylist(rows))
    found = Read(fill(tmp_path / "data", {"persons": content}), tmp_path / "workspace")
    assert found.rows("records", "kind", "status") == [("profile", "accepted")] * 2
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}'] * 2
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        (f"persons#{who}", space, value)
        for who in ("u1", "u2")
        for space, value in (("distinct_id", who), ("email", "a@b.org"), ("person_id", uid(9)))
    ]


def test_tables_of_a_batch_export_saved_as_csv_are_events_and_persons(tmp_path: Path) -> None:
    events = (
        "uuid,event,properties,elements,set,set_once,distinct_id,team_id,ip,site_url,timestamp\n"
        f'{uid(1)},Plan Viewed,"{{""plan"": ""pro"", ""$device_id"": ""d1""}}",,,,u1,7,,,'
        "2026-01-05 10:00:00+00\n"
        f'{uid(2)},$set,{{}},,"{{""email"": ""a@x.org""}}",,u1,7,,,2026-01-05 10:01:00.5+00:00\n'
        f"{uid(3)},Thing Done,no JSON,,,,u1,7,,,2026-01-05T10:02:00Z\n"
    )
    persons = f"team_id,distinct_id,person_id,properties,person_version\n7,u1,{uid(77)},{{}},1\n"
    more = jsonl([event(4)])
    folder = fill(tmp_path / "data", {"e.csv": events, "p.csv": persons, "m.jsonl": more})
    assert not is_needed(folder)
    found = Read(folder, tmp_path / "workspace")
    assert found.file("e.csv").reasons == {"wrong_type": 1}
    assert found.rows("events", "occurred_at_ms", "verb") == [
        (AT_MS, "plan_viewed"), (AT_MS, "thing_done")]  # fmt: skip
    identifiers = set(found.rows("identifiers", "namespace", "value"))
    assert identifiers == {("distinct_id", "u1"), ("device_id", "d1"), ("email", "a@x.org"),
                           ("person_id", uid(77))}  # fmt: skip


def test_other_tables_of_events_are_not_taken_for_posthog_s(tmp_path: Path) -> None:
    others = "id,event,distinct_id,time\n1,seen,u1,2026-01-05\n"
    assert recognise(fill(tmp_path, {"a.csv": others}) / "a.csv") is None
