from pathlib import Path
from typing import Any

from folders import Read, fill
from vendors import AT_MS, MINUTE, jsonl, otel_attributes, otel_request, otel_span


def spans(*inside: dict[str, Any]) -> dict[str, Any]:
    return otel_request("resourceSpans", "scopeSpans", "spans", *inside)


def logs(*inside: dict[str, Any]) -> dict[str, Any]:
    return otel_request("resourceLogs", "scopeLogs", "logRecords", *inside)


def log(number: int, name: str | None = "thing.done", **attributes: Any) -> dict[str, Any]:
    stamp = str((AT_MS + number * MINUTE) * 1_000_000)
    named = {"eventName": name} if name else {}
    return {"timeUnixNano": stamp, "body": {"stringValue": "x"}, **named,
            "attributes": otel_attributes(**attributes)}  # fmt: skip


def read(tmp_path: Path, *requests: dict[str, Any]) -> Read:
    return Read(fill(tmp_path / "data", {"otel.jsonl": jsonl(requests)}), tmp_path / "workspace")


GET = {"http__request__method": "GET", "url__path": "/lamps"}


def test_what_is_done_again_with_nothing_in_between_is_one_event(tmp_path: Path) -> None:
    one = {"session__id": "s-1"}
    found = read(
        tmp_path,
        spans(*(otel_span(minute, 10 + minute, **GET, **one) for minute in (0, 1, 2))),
        logs(log(3, "order.completed", **one, user__id="u1")),
        spans(otel_span(4, 20, **GET, **one), otel_span(4, 21, **GET, session__id="s-2")),
    )
    events = found.rows("events", "occurred_at_ms", "verb", "object", "quantity")
    assert events == [
        (AT_MS, "viewed", "/lamps", 3.0),
        (AT_MS + 3 * MINUTE, "bought", None, None),
        (AT_MS + 4 * MINUTE, "viewed", "/lamps", None),
        (AT_MS + 4 * MINUTE, "viewed", "/lamps", None),
    ]
    assert found.file("otel.jsonl").accepted == 6
    # Whom a session names once did all of it; another session is nobody's.
    assert found.rows("identifiers", "value") == ["u1"] * 5


def test_a_session_that_names_two_people_is_neither_s(tmp_path: Path) -> None:
    one = {"session__id": "s-1"}
    found = read(tmp_path, logs(log(0, **one, user__id="u1"), log(1, **one, user__id="u2"),
                                log(2, "other.thing", **one)))  # fmt: skip
    assert found.rows("identifiers", "value") == ["u1", "u2"]
    assert len(found.rows("events")) == 2


def test_inside_a_trace_only_who_is_named_acts(tmp_path: Path) -> None:
    child = {"parentSpanId": f"{1:016x}"}
    found = read(
        tmp_path,
        spans(otel_span(0, 1, **GET),
              {**otel_span(1, 1, db__system__name="x"), **child, "name": "SELECT"},
              {**otel_span(2, 1, enduser__id="u1"), **child, "name": "pay invoice"}),
        logs(log(3, None, session__id="s-1"), log(4), log(5, user__email="Ann@Mail.org")),
    )  # fmt: skip
    assert found.rows("events", "verb", "object") == [
        ("pay_invoice", None), ("thing_done", None), ("viewed", "/lamps")]  # fmt: skip
    assert found.report.datasets[0].left_out == 3
    assert sorted(set(found.rows("identifiers", "namespace", "value"))) == [
        ("email", "ann@mail.org"), ("user_id", "u1")]  # fmt: skip


def test_ids_times_and_what_is_no_span_or_log(tmp_path: Path) -> None:
    metrics = {"resourceMetrics": [{"scopeMetrics": []}]}
    same = otel_span(0, 1, **GET, user__id="u1")
    late = {**log(1, user__id="u1"), "observedTimeUnixNano": str((AT_MS + 9 * MINUTE) * 1_000_000)}
    found = read(
        tmp_path,
        spans(same, same), metrics, logs(late, late), {"resourceSpans": []},
        spans({**otel_span(2, 3, **GET), "startTimeUnixNano": "x", "endTimeUnixNano": None}),
        logs({**log(5, user__id="u1"), "timeUnixNano": None}, 7),
    )  # fmt: skip
    file = found.file("otel.jsonl")
    assert (file.received, file.duplicate) == (9, 2)
    reasons = found.rows("records", "position", "reason")
    assert [row for row in reasons if row[1]] == [
        (2, "unknown_type"), (4, "unknown_type"), (5, "unreadable_time"), (6, "missing_time"),
        (6, "missing_time"),
    ]  # fmt: skip
    assert AT_MS + 9 * MINUTE in found.rows("records", "recorded_at_ms")
