import base64
import json
from pathlib import Path
from typing import Any

from folders import HEAD, Read, fill
from vendors import AT, AT_MS, LAMP, jsonl


def event(number: int, kind: str = "org.example.thing.done", **fields: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": f"c{number}", "source": "/shop", "type": kind, "time": AT,
            "data": {}, **fields}  # fmt: skip


def read(tmp_path: Path, *events: Any, mapping: str | None = None) -> Read:
    folder = fill(tmp_path / "data", {"bus.jsonl": jsonl(events)}, mapping)
    return Read(folder, tmp_path / "workspace")


def test_source_and_id_together_say_which_event_it_is(tmp_path: Path) -> None:
    found = read(tmp_path, event(1), event(1), event(1, source="/other"), [event(2), event(1)])
    assert found.rows("events", "record_key") == [
        "bus.jsonl#/other|c1", "bus.jsonl#/shop|c1", "bus.jsonl#/shop|c2"]  # fmt: skip
    assert found.file("bus.jsonl").duplicate == 2


def test_the_verb_is_the_end_of_the_type(tmp_path: Path) -> None:
    types = ["com.example.someevent", "org.example.shop.order.completed.v2", "order.completed",
             "io.example.orderRefunded.v1.2", "Microsoft.Storage.BlobCreated"]  # fmt: skip
    found = read(tmp_path, *(event(number, kind) for number, kind in enumerate(types)))
    assert [verb for _, verb in found.rows("events", "record_key", "verb")] == [
        "someevent", "bought", "bought", "returned", "storage_blob_created"]  # fmt: skip


def test_who_and_what_stand_in_the_data_or_where_the_mapping_says(tmp_path: Path) -> None:
    mapping = HEAD + (
        "tables:\n  bus:\n    files: bus*\n    format: cloudevents\n"
        "    identifiers: {crm: data.customer.number}\n"
    )
    found = read(
        tmp_path,
        event(1, data={"userId": "u1", "email": "a@b.org", "customer": {"number": 17}}),
        event(2, data=json.dumps({"userId": "not looked into"}), subject="invoices/7"),
        event(3, authtype="app_user", authid="u3", data=None),
        event(4, authtype="service_account", authid="robot", data=LAMP),
        event(5, data_base64="AAAA", datacontenttype="application/octet-stream"),
        event(6, data={"page": "/prices"}),
        event(7, data={"page": {"path": "/help"}}, subject="visits/1"),
        event(8, data={"page": {"path": "/help"}}),
        mapping=mapping,
    )
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        ("bus.jsonl#/shop|c1", "crm", "17"), ("bus.jsonl#/shop|c1", "email", "a@b.org"),
        ("bus.jsonl#/shop|c1", "user_id", "u1"), ("bus.jsonl#/shop|c3", "user_id", "u3"),
    ]  # fmt: skip
    told = {key[-1]: rest for key, *rest in
            found.rows("events", "record_key", "object", "item_id", "channel")}  # fmt: skip
    assert told["2"] == ["invoices/7", None, "web"]
    assert told["4"] == [None, "p1", "web"]
    assert [told[key][0] for key in "678"] == ["/prices", "visits/1", "/help"]


def test_when_and_what_is_no_event_of_version_1(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event(1, recordedtime="2026-01-05T10:00:09Z"),
        event(2, time=None, recordedtime="2026-01-05T10:00:07Z"),
        event(3, time=None), event(4, time="2026-01-05T10:00:00"), event(5, specversion="0.3"),
        event(6, id={"a": 1}), event(7, myextension="x"),
    )  # fmt: skip
    assert found.rows("events", "occurred_at_ms") == [AT_MS, AT_MS, AT_MS + 7000]
    assert AT_MS + 9000 in found.rows("records", "recorded_at_ms")
    assert found.reasons() == {
        3: "missing_time", 4: "naive_time", 5: "unknown_type", 6: "wrong_type"}  # fmt: skip
    assert found.report.datasets[0].new_fields == {"myextension": 1}


def test_data_that_is_packed_as_bytes_is_read_where_it_is_json(tmp_path: Path) -> None:
    packed = base64.b64encode(json.dumps({"userId": "u7"}).encode()).decode()
    found = read(
        tmp_path,
        event(1, data=None, data_base64=packed), event(2, data=None, data_base64="\x01 no base64"),
        event(3, data=None, data_base64="AAAA"), event(4, data={"userId": "u4"}),
    )  # fmt: skip
    assert found.rows("identifiers", "value") == ["u4", "u7"]
    assert found.file("bus.jsonl").accepted == 4
