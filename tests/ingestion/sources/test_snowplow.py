import base64
import json
from pathlib import Path
from typing import Any

from folders import Read, fill
from vendors import (
    AT_MS,
    SNOWPLOW_LAMP,
    snowplow_cells,
    snowplow_entities,
    snowplow_event,
    snowplow_flat,
    snowplow_row,
    text_lines,
    uid,
)

PLAIN = "2026-01-05 10:00:00.000"


def cells(number: int, **values: Any) -> dict[str, Any]:
    usual = {"event": "page_view", "platform": "web", "page_urlpath": "/"}
    own = {"event_id": uid(number), "collector_tstamp": PLAIN, "derived_tstamp": PLAIN}
    return {**usual, **own, "domain_userid": f"d{number}", **values}


def read(tmp_path: Path, *rows: dict[str, Any]) -> Read:
    lines = text_lines(snowplow_row(**row) for row in rows)
    return Read(fill(tmp_path / "data", {"e.tsv": lines}), tmp_path / "workspace")


def key(number: int) -> str:
    return f"e.tsv#{uid(number)}"


def test_who_a_row_names(tmp_path: Path) -> None:
    client = {"schema": "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2",
              "data": {"userId": "device-7"}}  # fmt: skip
    buyer = snowplow_entities(user={"id": "u7", "email": "Ann@Mail.org"})
    found = read(
        tmp_path,
        cells(1, user_id="u1", domain_userid="d1", network_userid="n1", domain_sessionid=uid(9)),
        cells(2, domain_userid="", contexts=json.dumps({"data": [client]}), platform="mob"),
        cells(3, domain_userid="", contexts=buyer),
        # Decorated links: one followed at once, one that was passed on an hour ago.
        cells(4, refr_domain_userid="d9", refr_device_tstamp="2026-01-05 09:59:58.000"),
        cells(5, refr_domain_userid="d8", refr_device_tstamp="2026-01-05 08:59:58.000"),
        cells(6, domain_userid="0000", network_userid="00000000-0000-0000-0000-000000000000"),
    )
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        (key(1), "domain_userid", "d1"), (key(1), "network_userid", "n1"),
        (key(1), "user_id", "u1"),
        (key(2), "device_id", "device-7"),
        (key(3), "email", "ann@mail.org"), (key(3), "user_id", "u7"),
        (key(4), "domain_userid", "d4"), (key(4), "domain_userid", "d9"),
        (key(5), "domain_userid", "d5"),
    ]  # fmt: skip
    (dataset,) = found.report.datasets
    assert (dataset.dropped_identifiers, dataset.anonymous) == (2, 1)
    assert dataset.placeholders == 1, "of the other another id is left"
    assert dict(found.rows("events", "record_key", "channel"))[key(2)] == "app"


def test_the_same_id_with_another_fingerprint_is_another_event(tmp_path: Path) -> None:
    later = "2026-01-05 10:00:09.000"
    found = read(
        tmp_path,
        cells(1, event_fingerprint="f1", collector_tstamp=later),
        cells(1, event_fingerprint="f1"),
        cells(1, event_fingerprint="f2"),
    )
    file = found.file("e.tsv")
    assert (file.accepted, file.duplicate) == (2, 1)
    kept = found.rows("records", "position", "status")
    assert kept == [(1, "duplicate"), (2, "accepted"), (3, "accepted")]  # the earliest is kept


def test_the_true_time_counts_then_the_derived_one_then_the_device_s_put_right(
    tmp_path: Path,
) -> None:
    slow = {"dvce_created_tstamp": "2026-01-05 08:00:00.000",
            "dvce_sent_tstamp": "2026-01-05 08:00:03.000",
            "collector_tstamp": "2026-01-05 10:00:03.000"}  # fmt: skip
    found = read(
        tmp_path,
        cells(1, true_tstamp="2026-01-05 10:00:01.000"),
        cells(2, derived_tstamp="", **slow),
        cells(3, derived_tstamp="", dvce_created_tstamp="", dvce_sent_tstamp=""),
        cells(4, derived_tstamp="yesterday"),
        cells(5, event="transaction_item", ti_sku="p1", ti_price="ten"),
    )
    assert found.rows("events", "record_key", "occurred_at_ms") == [
        (key(1), AT_MS + 1000), (key(2), AT_MS), (key(3), AT_MS)]  # fmt: skip
    assert dict(found.rows("records", "record_key", "recorded_at_ms"))[key(2)] == AT_MS + 3000
    assert found.reasons() == {4: "unreadable_time", 5: "not_a_number"}


def test_events_of_every_kind_have_a_verb_and_what_they_are_about(tmp_path: Path) -> None:
    link = snowplow_event("link_click", {"targetUrl": "https://y.org/"})
    refund = snowplow_event("snowplow_ecommerce_action", {"type": "refund"}, ".ecommerce")
    found = read(
        tmp_path,
        cells(1, event="struct", se_category="help", se_action="Open Chat", se_label="orders"),
        cells(2, **link),
        cells(3, event="transaction", tr_orderid="o1", tr_total="20"),
        cells(4, event="transaction_item", ti_orderid="o1", ti_sku="p1", ti_name="Lamp",
              ti_category="Light", ti_price="10", ti_quantity="2"),
        cells(5, **refund, contexts=snowplow_entities(
            product=SNOWPLOW_LAMP, refund={"transaction_id": "o1", "refund_amount": 20})),
        cells(6, event="page_ping"),
        cells(7, mkt_campaign="spring"),
        cells(8, event="transaction", tr_orderid="o2", tr_total="30"),
    )  # fmt: skip
    events = found.rows("events", "verb", "object", "category", "item_id", "basket_id", "value",
                        "campaign_id")  # fmt: skip
    assert events == [
        ("bought", "/", None, None, "o2", 30.0, None),
        ("bought", None, None, "p1", "o1", 20.0, None),  # what the items say is said once
        ("clicked", "https://y.org/", None, None, None, None, None),
        ("open_chat", "orders", "help", None, None, None, None),
        ("returned", None, None, "p1", "o1", -20.0, None),
        ("viewed", "/", None, None, None, None, "spring"),
    ]
    (dataset,) = found.report.datasets
    assert dataset.left_out == 1  # a ping says that a page is open


def test_consent_events_are_consent(tmp_path: Path) -> None:
    def consent(number: int, **data: Any) -> dict[str, Any]:
        return cells(number, **snowplow_event("consent_preferences", data))

    found = read(
        tmp_path,
        consent(1, eventType="allow_selected", consentScopes=["analytics", 'a"b']),
        consent(2, eventType="deny_all", consentScopes=["necessary"]),
        consent(3, eventType="pending", consentScopes=["analytics"]),
        cells(4, **snowplow_event("consent_withdrawn", {"all": True})),
        cells(5, **snowplow_event("consent_granted", {})),
    )
    assert found.rows("consents", "record_key", "purpose", "granted") == [
        (key(1), "analytics", True), (key(2), "all", False), (key(4), "all", False),
        (key(5), "all", True),
    ]  # fmt: skip


def test_flattened_json_and_tracker_payloads_say_the_same_as_the_tsv(tmp_path: Path) -> None:
    whole = [snowplow_row(**row) for row in snowplow_cells()]
    later = [{**one, "event_id": uid(100 + n)} for n, one in enumerate(snowplow_flat())]
    event = {"schema": "iglu:x/unstruct_event/jsonschema/1-0-0", "data": {
        "schema": "iglu:com.acme/lamp_lit/jsonschema/1-0-0", "data": {"name": "hall"}}}  # fmt: skip
    packed = base64.urlsafe_b64encode(json.dumps(event).encode()).decode().rstrip("=")
    payload = {
        "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
        "data": [
            {"e": "ue", "ue_px": packed, "eid": uid(201), "uid": "u1", "p": "pc",
             "dtm": str(AT_MS), "stm": str(AT_MS)},
            {"e": "ue", "ue_px": "!!! no base64", "eid": uid(202), "uid": "u1",
             "dtm": str(AT_MS)},
            {"e": "pv", "url": "https://x.org/lamps?utm_campaign=spring%20sale#top",
             "eid": uid(203), "duid": "d1", "dtm": str(AT_MS)},
        ],
    }  # fmt: skip
    files = {
        "a.tsv": text_lines(whole), "b.json": text_lines(map(json.dumps, later)),
        "c.json": json.dumps(payload) + "\n",
    }  # fmt: skip
    found = Read(fill(tmp_path / "data", files), tmp_path / "workspace")
    columns = ("source", "verb", "object", "item_id", "value", "campaign_id")
    told = found.rows("events", *columns)
    assert [row[1:] for row in told if row[0] == "a.tsv"] == [
        row[1:] for row in told if row[0] == "b.json"
    ]
    assert [row for row in told if row[0] == "c.json"] == [
        ("c.json", "lamp_lit", "hall", None, None, None),
        ("c.json", "viewed", "/lamps", None, None, "spring sale"),
    ]
    assert found.file("c.json").reasons == {"unknown_type": 1}


def test_a_row_that_is_short_is_ragged_and_one_that_is_longer_is_read(tmp_path: Path) -> None:
    short = "\t".join(["x"] * 130)
    grown = snowplow_row(**cells(2)) + "\tnew"
    lines = text_lines([snowplow_row(**cells(1)), short, grown])
    found = Read(fill(tmp_path / "data", {"e.tsv": lines}), tmp_path / "workspace")
    assert found.reasons() == {2: "ragged"}
    (dataset,) = found.report.datasets
    assert (dataset.accepted, dataset.new_fields) == (2, {"column_132": 1})
