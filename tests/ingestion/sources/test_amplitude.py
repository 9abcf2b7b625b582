import gzip
from pathlib import Path
from typing import Any

from folders import Read, fill
from vendors import AT_MS, MINUTE, amplitude, jsonl, zipped

PLAIN = "2026-01-05 10:00:00.000000"


def event(number: int, name: str = "Thing Done", **fields: Any) -> dict[str, Any]:
    usual = amplitude()[0]
    return {**usual, "uuid": f"u-{number}", "$insert_id": f"i{number}", "event_type": name,
            "event_time": PLAIN, "event_properties": {}, **fields}  # fmt: skip


def read(tmp_path: Path, *events: dict[str, Any]) -> Read:
    return Read(fill(tmp_path / "data", {"app.json": jsonl(events)}), tmp_path / "workspace")


def test_an_archive_is_read_as_its_files_one_after_the_other(tmp_path: Path) -> None:
    story = amplitude()
    archive = zipped({
        "1/1_2026-01-05_11#0.json.gz": gzip.compress(jsonl(story[2:])),
        "1/1_2026-01-05_10#0.json.gz": gzip.compress(jsonl(story[:2]).rstrip(b"\n")),
        "__MACOSX/1/._x": b"\x00\x05", "1/empty.json": b"",
    })  # fmt: skip
    found = Read(fill(tmp_path / "data", {"export.zip": archive}), tmp_path / "workspace")
    assert found.file("export.zip").accepted == 4
    assert found.rows("records", "position") == [1, 2, 3, 4]


def test_an_insert_id_is_unique_to_a_device_of_a_project(tmp_path: Path) -> None:
    bare = {"$insert_id": None, "uuid": None}
    found = read(
        tmp_path,
        event(1), event(1), event(1, device_id="dev-2"), event(1, app=2),
        event(2, **{"$insert_id": None}), event(2, **{"$insert_id": None}),
        event(3, **bare), event(3, **bare),
    )  # fmt: skip
    statuses = dict(found.rows("records", "position", "status"))
    assert [place for place, status in statuses.items() if status == "duplicate"] == [2, 6]


def test_ids_and_merged_ids_are_claims(tmp_path: Path) -> None:
    merge = {"scope": 7, "merge_time": AT_MS, "merge_server_time": AT_MS + MINUTE,
             "amplitude_id": 900001, "merged_amplitude_id": 900002}  # fmt: skip
    found = read(
        tmp_path,
        event(1, user_id="ann@mail.org"),
        event(2, data={"merged_amplitude_id": 900003}, device_id="00000000-0000-0000"),
        event(3, user_properties={"email": "ann@mail.org"}, device_id=None),
        merge, merge,
    )  # fmt: skip
    identifiers = found.rows("identifiers", "record_key", "namespace", "value")
    told = [(key.partition("#")[2].partition("/")[0], *rest) for key, *rest in identifiers]
    assert told == [
        ("900001+900002", "amplitude_id", "900001"), ("900001+900002", "amplitude_id", "900002"),
        ("i1", "amplitude_id", "900001"), ("i1", "device_id", "dev-1"),
        ("i1", "email", "ann@mail.org"), ("i1", "user_id", "ann@mail.org"),
        ("i2", "amplitude_id", "900001"), ("i2", "amplitude_id", "900003"),
        ("i3", "amplitude_id", "900001"), ("i3", "email", "ann@mail.org"),
    ]  # fmt: skip
    assert found.file("app.json").duplicate == 1
    assert found.report.datasets[0].dropped_identifiers == 1


def test_the_server_s_time_counts_and_a_clock_is_put_right_where_it_is_missing(
    tmp_path: Path,
) -> None:
    wrong = {"client_event_time": "2026-01-05 08:00:00.000000",
             "client_upload_time": "2026-01-05 08:00:05.000000",
             "server_received_time": "2026-01-05 10:00:05.000000"}  # fmt: skip
    found = read(tmp_path, event(1, **wrong), event(2, event_time=None, **wrong),
                 event(3, event_time=None, client_event_time=None, server_received_time=None,
                       server_upload_time=None))  # fmt: skip
    assert found.rows("events", "occurred_at_ms") == [AT_MS, AT_MS]
    assert found.rows("records", "recorded_at_ms")[:2] == [AT_MS + 5000, AT_MS + 5000]
    assert found.reasons() == {3: "missing_time"}


def test_traits_are_kept_when_they_change_and_without_the_personal_ones(tmp_path: Path) -> None:
    pro = {"plan": "pro", "email": "a@b.org", "$name": "Ann"}
    later = {"event_time": "2026-01-05 10:05:00.000000"}
    found = read(
        tmp_path,
        event(1, user_properties=pro), event(2, user_properties=pro, **later),
        event(3, user_properties={"plan": "team"}, event_time="2026-01-05 10:06:00.000000"),
    )  # fmt: skip
    assert found.rows("profiles", "occurred_at_ms", "traits") == [
        (AT_MS, '{"plan":"pro"}'), (AT_MS + 6 * MINUTE, '{"plan":"team"}')]  # fmt: skip


def test_calls_of_the_http_api_are_read_as_the_export_is(tmp_path: Path) -> None:
    body = {"api_key": "k", "events": [
        {"event_type": "$identify", "user_id": "user-1", "insert_id": "h1", "time": AT_MS,
         "user_properties": {"$set": {"plan": "pro"}}},
        {"event_type": "revenue_amount", "user_id": "user-1", "insert_id": "h2", "time": AT_MS,
         "platform": "iOS", "adid": "ad-1", "event_properties":
             {"$productId": "p1", "$price": 3.5, "$quantity": 2}},
    ]}  # fmt: skip
    found = read(tmp_path, body)
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']
    assert found.rows("events", "verb", "item_id", "value", "channel") == [
        ("bought", "p1", 7.0, "app")]  # fmt: skip


def test_a_session_s_own_marks_are_no_acts(tmp_path: Path) -> None:
    found = read(tmp_path, event(1, "[Amplitude] Start Session"), event(2, "session_start"),
                 event(3, "[Amplitude] Element Clicked", event_properties={
                     "[Amplitude] Element Text": "Buy", "utm_campaign": "spring"}))  # fmt: skip
    assert found.rows("events", "verb", "object", "campaign_id") == [("clicked", "Buy", "spring")]
    assert found.report.datasets[0].left_out == 2


def test_what_exports_usually_have_is_not_new(tmp_path: Path) -> None:
    found = read(tmp_path, event(1, **{"$insert_key": None, "shoe": 39}))
    assert list(found.report.datasets[0].new_fields) == ["shoe"]


def test_a_purchase_has_many_names(tmp_path: Path) -> None:
    names = ["purchase completed", "Completed Order", "Placed Order", "Purchase", "Order Canceled"]
    found = read(tmp_path, *[event(n, name) for n, name in enumerate(names)])
    assert found.rows("events", "verb") == [*["bought"] * 4, "cancelled"]
