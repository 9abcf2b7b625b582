import json
from pathlib import Path
from typing import Any

from folders import HEAD, Read, fill, lines

MAPPING = HEAD + "tables:\n  web: {files: web*, format: segment, describe: [plan]}\n"
AT = "2026-01-05T10:00:00.000Z"
AT_MS = 1767607200000


def message(number: int, kind: str = "track", **fields: Any) -> dict[str, Any]:
    usual = {"type": kind, "messageId": f"m{number}", "userId": "u1", "timestamp": AT}
    return {**usual, **({"event": "Thing Done"} if kind == "track" else {}), **fields}


def read(tmp_path: Path, *messages: dict[str, Any]) -> Read:
    folder = fill(tmp_path / "data", {"web.jsonl": lines(messages)}, MAPPING)
    return Read(folder, tmp_path / "workspace")


def test_an_order_is_one_record_and_an_event_for_each_product(tmp_path: Path) -> None:
    products = [
        {
            "product_id": "p1",
            "name": "Lamp",
            "category": "Home > Light",
            "price": 10.5,
            "quantity": 2,
        },
        {"sku": "p2", "price": "3"},
        {"product_id": "p3", "price": None},
    ]  # fmt: skip
    order = message(1, event="Order Completed", properties={"order_id": "o1", "products": products})
    found = read(tmp_path, order)
    assert found.rows("records", "record_key") == ["web.jsonl#m1"]
    assert found.rows(
        "events", "record_key", "verb", "item_id", "basket_id", "quantity", "value"
    ) == [
        ("web.jsonl#m1", "bought", "p1", "o1", 2.0, 21.0),
        ("web.jsonl#m1", "bought", "p2", "o1", None, 3.0),
        ("web.jsonl#m1", "bought", "p3", "o1", None, None),
    ]
    assert found.rows("items", "item_id", "title", "categories")[0] == (
        "p1", "Lamp", ["Home", "Light"])  # fmt: skip
    assert found.report.total("received") == 1


def test_what_says_nothing_in_a_list_of_products_is_no_product(tmp_path: Path) -> None:
    lamp, desk = ({"product_id": name, "price": 10} for name in ("lamp", "desk"))
    orders = [[lamp, desk, "junk", None, {}], [None, lamp], [{}, {"other": 1}]]
    found = read(
        tmp_path,
        *[message(n, event="Order Completed", properties={"order_id": f"o{n}", "products": one})
          for n, one in enumerate(orders)],
    )  # fmt: skip
    assert found.rows("events", "basket_id", "item_id", "value") == [
        ("o0", "desk", 10.0), ("o0", "lamp", 10.0), ("o1", "lamp", 10.0), ("o2", None, None),
    ]  # fmt: skip


def test_events_of_the_spec_have_verbs_and_others_keep_their_name(tmp_path: Path) -> None:
    product = {"product_id": "p1", "name": "Lamp", "price": 2, "quantity": 3}
    found = read(
        tmp_path,
        message(1, event="Product Viewed", properties=product),
        message(2, event="Order Refunded", properties={"order_id": "o", "products": [product]}),
        message(3, event="exportStarted", properties={"feature": "csv export"}),
        message(4, "page", name="Pricing", properties={"path": "/pricing"}),
        message(5, "screen", name="Home"),
        message(6, event="Products Searched", properties={"query": "red lamp"}),
    )
    assert found.rows("events", "record_key", "verb", "object", "value", "channel") == [
        ("web.jsonl#m1", "viewed", None, None, "web"),
        ("web.jsonl#m2", "returned", None, -6.0, "web"),
        ("web.jsonl#m3", "export_started", "csv export", None, "web"),
        ("web.jsonl#m4", "viewed", "Pricing", None, "web"),
        ("web.jsonl#m5", "viewed", "Home", None, "app"),
        ("web.jsonl#m6", "searched", "red lamp", None, "web"),
    ]


def test_every_identifier_of_a_message_is_kept(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        message(
            1, "identify", anonymousId="a1",
            traits={"email": " Ann@Mail.ORG ", "phone": "+44 20 7946 0018"},
            context={"externalIds": [{"id": "003A", "type": "crm"}, {"id": "0", "type": "crm"}],
                     "device": {"id": "d-1", "advertisingId": "ad-1"}},
        ),
        message(
            2, userId="bob@mail.org",
            context={"device": {"advertisingId": "ad-2", "adTrackingEnabled": True}},
        ),
        message(3, "alias", userId="u1", previousId="a9"),
        message(4, userId=17.0),
    )  # fmt: skip
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        ("web.jsonl#m1", "anonymous_id", "a1"),
        ("web.jsonl#m1", "crm", "003A"),
        ("web.jsonl#m1", "device_id", "d-1"),
        ("web.jsonl#m1", "email", "ann@mail.org"),
        ("web.jsonl#m1", "phone", "442079460018"),
        ("web.jsonl#m1", "user_id", "u1"),
        ("web.jsonl#m2", "advertising_id", "ad-2"),
        ("web.jsonl#m2", "email", "bob@mail.org"),
        ("web.jsonl#m2", "user_id", "bob@mail.org"),
        ("web.jsonl#m3", "anonymous_id", "a9"),
        ("web.jsonl#m3", "user_id", "u1"),
        ("web.jsonl#m4", "user_id", "17"),
    ]
    assert dict(found.rows("records", "record_key", "kind"))["web.jsonl#m3"] == "profile"


def test_identify_traits_are_kept_without_the_personal_ones(tmp_path: Path) -> None:
    traits = {"email": "a@b.org", "name": "Ann", "plan": "pro", "seats": 3}
    found = read(tmp_path, message(1, "identify", traits=traits))
    assert found.rows("profiles", "traits") == ['{"plan":"pro","seats":3}']


def test_the_device_s_clock_is_put_right_by_its_skew(tmp_path: Path) -> None:
    own = {"timestamp": None, "originalTimestamp": "2026-01-05T09:00:00Z"}
    found = read(
        tmp_path,
        message(1, **own, sentAt="2026-01-05T09:00:05Z", receivedAt="2026-01-05T10:00:05Z"),
        message(2, **own),
        message(3, timestamp=None, receivedAt=AT),
        message(4, receivedAt="2026-01-05T10:00:09Z"),
        message(5, timestamp=None),
    )
    hour = 3_600_000
    assert found.rows("events", "record_key", "occurred_at_ms") == [
        ("web.jsonl#m1", AT_MS), ("web.jsonl#m2", AT_MS - hour), ("web.jsonl#m3", AT_MS),
        ("web.jsonl#m4", AT_MS),
    ]  # fmt: skip
    assert (
        dict(found.rows("records", "record_key", "recorded_at_ms"))["web.jsonl#m4"] == AT_MS + 9000
    )
    assert found.reasons() == {5: "missing_time"}


def test_a_batch_is_its_messages_with_the_times_of_the_envelope(tmp_path: Path) -> None:
    batch = {
        "batch": [message(1, timestamp=None), message(2), message(2)],
        "receivedAt": AT, "sentAt": AT, "context": {"batch": 1},
    }  # fmt: skip
    found = read(tmp_path, batch, message(3))
    assert found.file("web.jsonl").received == 4
    assert found.file("web.jsonl").duplicate == 1
    assert found.rows("events", "record_key") == ["web.jsonl#m1", "web.jsonl#m2", "web.jsonl#m3"]


def test_a_message_is_known_by_its_id_over_all_files(tmp_path: Path) -> None:
    files = {"web-1.jsonl": lines([message(1)]), "web-2.jsonl": lines([message(1), message(2)])}
    found = Read(fill(tmp_path / "data", files, MAPPING), tmp_path / "workspace")
    assert found.file("web-2.jsonl").duplicate == 1


def test_messages_without_an_id_are_told_apart_by_their_row(tmp_path: Path) -> None:
    same = {key: value for key, value in message(1).items() if key != "messageId"}
    found = read(tmp_path, same, same)
    assert found.rows("events", "record_key") == ["web.jsonl#1", "web.jsonl#2"]


def test_consent_and_campaign_stand_in_the_context(tmp_path: Path) -> None:
    context = {
        "consent": {"categoryPreferences": {"Advertising": False, "Functional": True}},
        "campaign": {"name": "spring"},
    }
    found = read(tmp_path, message(1, context=context), message(2, context=context))
    assert found.rows("consents", "record_key", "purpose", "granted", "at_ms") == [
        ("web.jsonl#m1", "Advertising", False, AT_MS),
        ("web.jsonl#m1", "Functional", True, AT_MS),
    ]
    assert found.rows("events", "campaign_id") == ["spring", "spring"]
    assert found.rows("items", "role", "item_id") == [("campaign", "spring")]


def test_free_text_is_scrubbed_and_strange_types_are_quarantined(tmp_path: Path) -> None:
    text = {"text": "write to bob@mail.org"}
    found = read(tmp_path, message(1, properties=text), message(2, "delete"), {"type": 5})
    assert found.rows("events", "text") == ["write to <email>"]
    assert found.reasons() == {2: "unknown_type", 3: "unknown_type"}


def test_a_field_whose_type_has_changed_is_quarantined_and_strange_values_break_nothing(
    tmp_path: Path,
) -> None:
    found = read(
        tmp_path,
        message(1, properties="text", context=[1, 2], traits=7),
        message(2, properties={"products": "none", "product_id": {"a": 1}}),
        message(3, properties={"products": [1, "x", None]}, context={"externalIds": {"id": 1}}),
        message(4, context={"consent": {"categoryPreferences": [True]}}),
        message(5, userId={"id": 1}),
        message(6, userId="[u6]"),
        message(7, "identify", traits="{broken"),
    )
    assert found.reasons() == dict.fromkeys((1, 2, 5, 7), "wrong_type")
    details = dict(found.rows("records", "position", "detail"))
    assert [details[place] for place in (1, 2, 5, 7)] == [
        "context: no object", "products: no list", "user_id: no text", "traits: no object",
    ]  # fmt: skip
    assert ("web.jsonl#m6", "[u6]") in found.rows("identifiers", "record_key", "value")


def test_numbers_matter_where_something_is_sold_and_nowhere_else(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        message(1, event="Theme Changed", properties={"value": "dark", "quantity": "some"}),
        message(2, event="Product Added", properties={"product_id": "p1", "price": "cheap"}),
        message(3, event="Order Completed", properties={"total": "much"}),
        message(4, event="Order Completed", properties={"total": "7.5"}),
    )
    assert found.reasons() == {2: "not_a_number", 3: "not_a_number"}
    assert found.rows("events", "verb", "value") == [("bought", 7.5), ("theme_changed", None)]


def test_a_product_in_a_list_whose_price_is_no_number_costs_its_message(tmp_path: Path) -> None:
    good = {"product_id": "p1", "price": "2", "quantity": "3"}
    odd = [{"price": "12,50"}, {"price": "NaN"}, {"quantity": "two"}]
    found = read(
        tmp_path,
        *[message(n, event="Order Completed", properties={"products": [good, {**good, **one}]})
          for n, one in enumerate([{}, *odd], 1)],
        message(9, event="Theme Changed", properties={"products": [{"price": "dear"}]}),
    )  # fmt: skip
    assert found.reasons() == dict.fromkeys((2, 3, 4), "not_a_number")
    assert found.rows("events", "verb", "value") == [
        ("bought", 6.0), ("bought", 6.0), ("theme_changed", None)
    ]  # fmt: skip


def test_the_only_product_of_an_order_cost_what_the_order_cost(tmp_path: Path) -> None:
    lamp, desk = {"product_id": "lamp", "quantity": 2}, {"product_id": "desk"}
    bought = [[lamp], [lamp, desk], [{**lamp, "price": 10}]]
    found = read(
        tmp_path,
        *[message(n, event="Order Completed", properties={"revenue": 25.5, "products": one})
          for n, one in enumerate(bought)],
        message(8, event="Order Refunded", properties={"total": 25.5, "products": [lamp]}),
        message(9, event="Product Viewed", properties={"total": 25.5, "products": [lamp]}),
    )  # fmt: skip
    assert found.rows("events", "record_key", "item_id", "value") == [
        ("web.jsonl#m0", "lamp", 25.5), ("web.jsonl#m1", "desk", None),
        ("web.jsonl#m1", "lamp", None), ("web.jsonl#m2", "lamp", 20.0),
        ("web.jsonl#m8", "lamp", -25.5), ("web.jsonl#m9", "lamp", None),
    ]  # fmt: skip


def test_fields_that_are_new_are_accepted_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, message(1, tenant="x"), message(2, tenant="y", **{"a@b.org": 1}))
    (dataset,) = found.report.datasets
    assert (dataset.accepted, dataset.new_fields) == (2, {"tenant": 2, "(other names)": 1})
    assert any("'tenant' is new to this format: 2 records" in one for one in dataset.warnings)


def test_what_rudderstack_writes_otherwise_is_read_as_well(tmp_path: Path) -> None:
    rudder = {"channel": "mobile", "rudderId": "r", "request_ip": "203.0.113.9"}
    merge = [{"type": "email", "value": "a@b.org"}, {"type": "crm", "value": "003A"}]
    found = read(
        tmp_path,
        message(1, "identify", context={
            "traits": {"plan": "pro", "email": "a@b.org"},
            "externalId": [{"type": "crm", "id": "003A"}],
        }, **rudder),
        message(2, context={"consentManagement": {
            "allowedConsentIds": ["functional"], "deniedConsentIds": ["ads", 'x"y'],
        }}, **rudder),
        {"type": "merge", "messageId": "m3", "mergeProperties": merge},
    )  # fmt: skip
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']
    assert found.rows("events", "channel") == ["app"]
    assert found.rows("consents", "purpose", "granted") == [
        ("ads", False), ("functional", True), ('x"y', False)]  # fmt: skip
    identifiers = found.rows("identifiers", "record_key", "namespace", "value")
    assert [one for one in identifiers if one[1] != "user_id"] == [
        ("web.jsonl#m1", "crm", "003A"), ("web.jsonl#m1", "email", "a@b.org"),
        ("web.jsonl#m3", "crm", "003A"), ("web.jsonl#m3", "email", "a@b.org"),
    ]  # fmt: skip


def test_messages_of_a_batch_without_an_id_keep_keys_of_their_own(tmp_path: Path) -> None:
    bare = {name: value for name, value in message(1).items() if name != "messageId"}
    other = {**bare, "event": "Other Thing"}
    found = read(tmp_path, {"batch": [bare, other], "context": {"campaign": {"name": "spring"}}})
    assert found.rows("events", "record_key", "verb", "campaign_id") == [
        ("web.jsonl#1.1", "thing_done", "spring"), ("web.jsonl#1.2", "other_thing", "spring"),
    ]  # fmt: skip


def test_a_group_says_where_its_person_belongs_and_not_who_they_are(tmp_path: Path) -> None:
    traits = {"name": 'Initech "North"', "email": "post@initech.test", "plan": "gold"}
    found = read(tmp_path, message(1, "group", groupId="g7", traits=traits))
    assert found.rows("identifiers", "namespace", "value") == [("user_id", "u1")]
    assert found.rows("person_details", "name", "organisation") == [(None, 'Initech "North"')]
    (told,) = found.rows("profiles", "traits")
    assert json.loads(told) == {"account": "g7", "company": {"name": 'Initech "North"'}}


def test_a_time_that_nobody_has_put_right_is_put_right(tmp_path: Path) -> None:
    sent = {"userId": "u1", "sentAt": "2027-01-05T10:00:30Z", "receivedAt": "2026-01-05T10:00:30Z"}
    found = read(
        tmp_path,
        message(1, timestamp="2027-01-05T10:00:00Z", **sent),  # as a library sends it
        message(2, timestamp="2026-01-05T09:00:00Z", originalTimestamp="2027-01-05T09:00:00Z",
                **sent),
    )  # fmt: skip
    assert found.rows("events", "occurred_at_ms") == [1767603600000, 1767607200000]
