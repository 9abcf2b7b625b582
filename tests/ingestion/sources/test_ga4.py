from pathlib import Path
from typing import Any

from folders import Read, fill
from vendors import AT_MS, MINUTE, ga4, jsonl


def event(number: int, name: str = "page_view", **fields: Any) -> dict[str, Any]:
    stamp = str((AT_MS + number * MINUTE) * 1000)
    return {**ga4()[0], "event_timestamp": stamp, "event_name": name,
            "batch_event_index": str(number), **fields}  # fmt: skip


def params(**values: str | int | float) -> list[dict[str, Any]]:
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return [{"key": key, "value": {kinds[type(one)]: one}} for key, one in values.items()]


def read(tmp_path: Path, *events: dict[str, Any]) -> Read:
    return Read(fill(tmp_path / "data", {"day.json": jsonl(events)}), tmp_path / "workspace")


def test_an_event_is_known_by_its_author_time_name_and_place_in_its_batch(tmp_path: Path) -> None:
    old: dict[str, Any] = {"batch_event_index": None, "batch_page_id": None,
                           "batch_ordering_id": None}  # fmt: skip
    source = {"session_traffic_source_last_click": {"manual_campaign": {"campaign_name": "x"}}}
    found = read(
        tmp_path,
        event(1), event(1, **source), event(1, user_pseudo_id="7.8"), event(1, batch_page_id="2"),
        event(2, **old, event_params=params(a=1)), event(2, **old, event_params=params(a=1)),
        event(2, **old, event_params=params(a=2)),
    )  # fmt: skip
    # What is attributed later is no other event.
    statuses = dict(found.rows("records", "position", "status"))
    assert [place for place, status in statuses.items() if status == "duplicate"] == [2, 6]
    assert "7.8" not in str(found.rows("records", "record_key"))


def test_a_day_that_is_exported_anew_replaces_its_earlier_reading(tmp_path: Path) -> None:
    files = {"events_20260104.json": jsonl([event(1)]), "events_20260105.json": jsonl([event(2)])}
    folder = fill(tmp_path / "data", files)
    Read(folder, tmp_path / "workspace")
    fill(tmp_path / "data", {"events_20260105.json": jsonl([event(2), event(3)])})
    found = Read(folder, tmp_path / "workspace")
    assert [one.received for one in found.report.files] == [1, 2]
    assert len(found.rows("events")) == 3


def test_parameters_items_and_traits_lie_in_lists(tmp_path: Path) -> None:
    lamp = {"item_name": "Lamp", "item_category": "Home", "price": 10, "quantity": 1}
    other = {"item_id": "p2", "item_name": "Desk", "price_in_usd": 30.5}
    found = read(
        tmp_path,
        event(1, "view_item_list", items=[lamp, other]),
        event(2, "refund", items=[other], ecommerce={"transaction_id": "o1"}),
        event(3, "purchase", event_params=params(value=12.5, transaction_id="o2")),
        event(4, "search", event_params=params(search_term="red lamp", campaign="spring"),
              collected_traffic_source={}),
        event(5, "page_view", event_params=params(page_location="https://x.org/a/b?c=d")),
        event(6, "screen_view", platform="IOS", event_params=params(firebase_screen="Home")),
        event(7, "user_engagement"), event(8, "session_start"),
        event(9, "login", user_properties=[
            {"key": "plan", "value": {"string_value": "pro", "set_timestamp_micros": "1"}},
            {"key": "email", "value": {"string_value": "a@b.org"}}, {"value": {}}, 7]),
    )  # fmt: skip
    columns = ("verb", "object", "item_id", "basket_id", "value", "campaign_id", "channel")
    assert found.rows("events", *columns) == [
        ("bought", None, None, "o2", 12.5, None, "web"),
        ("listed", None, "Lamp", None, None, None, "web"),
        ("listed", None, "p2", None, None, None, "web"),
        ("login", "/", None, None, None, None, "web"),
        ("returned", None, "p2", "o1", -30.5, None, "web"),
        ("searched", "red lamp", None, None, None, "spring", "web"),
        ("viewed", "/a/b", None, None, None, None, "web"),
        ("viewed", "Home", None, None, None, None, "app"),
    ]
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']
    assert found.report.datasets[0].left_out == 2


def test_what_is_not_set_is_no_item_no_category_and_no_basket(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("item_id", "item_name", "item_category"), "(not set)")
    lamp = {"item_id": "p1", "item_name": "Lamp", "item_category": "Home", "price": 10,
            "item_category2": "(not set)"}  # fmt: skip
    found = read(
        tmp_path,
        event(1, "purchase", items=[lamp], ecommerce={"transaction_id": "(not set)"}),
        event(2, "purchase", items=[{**nothing, "price": 2}], ecommerce={"transaction_id": "o2"}),
    )
    assert found.rows("events", "item_id", "basket_id", "value") == [
        ("p1", None, 10.0), (None, "o2", 2.0)]  # fmt: skip
    assert found.rows("items", "item_id", "categories") == [("p1", ["Home"])]


def test_a_purchase_in_an_app_is_told_in_millionths(tmp_path: Path) -> None:
    coins = {"product_id": "coins", "product_name": "100 coins", "quantity": 1}
    found = read(
        tmp_path,
        event(1, "in_app_purchase", event_params=params(price=1990000, value=1990000, **coins)),
        event(2, "in_app_purchase", event_params=params(value=1.5, **coins)),
        event(3, "purchase", event_params=params(value=1990000)),
    )
    assert found.rows("events", "item_id", "value") == [
        ("coins", 1.5), ("coins", 1.99), (None, 1990000.0)]  # fmt: skip
    assert found.rows("items", "item_id", "title") == [("coins", "100 coins")]


def test_lists_that_a_writer_of_parquet_has_wrapped_are_lists(tmp_path: Path) -> None:
    def wrapped(listed: list[Any]) -> dict[str, Any]:
        return {"list": [{"element": one} for one in listed]}

    lamp = {"item_id": "p1", "price": 10, "quantity": 1}
    story = event(1, "purchase", items=wrapped([lamp]),
                  event_params=wrapped(params(transaction_id="o1")))  # fmt: skip
    found = read(tmp_path, story, event(2, "purchase", items=7))
    assert found.rows("events", "item_id", "basket_id", "value") == [("p1", "o1", 10.0)]
    assert found.reasons() == {2: "wrong_type"}


def test_ids_and_consent(tmp_path: Path) -> None:
    phone = {"advertising_id": "ad-1", "vendor_id": "idfv-1"}
    no = {"analytics_storage": "No", "ads_storage": "Unset"}
    found = read(
        tmp_path,
        event(1, user_id="u1"),
        event(2, user_pseudo_id=None, privacy_info=no),
        event(3, device={**phone, "is_limited_ad_tracking": False}),
        event(4, device={**phone, "is_limited_ad_tracking": True}),
        event(5, user_pseudo_id=7.25),
    )
    told = sorted(set(found.rows("identifiers", "namespace", "value")))
    assert told == [
        ("advertising_id", "ad-1"), ("device_id", "idfv-1"), ("user_id", "u1"),
        ("user_pseudo_id", "123.456"), ("user_pseudo_id", "7.25"),
    ]  # fmt: skip
    consents = found.rows("consents", "purpose", "granted")
    assert consents.count(("analytics_storage", False)) == 1
    assert ("ads_storage", True) not in consents
    assert found.report.datasets[0].anonymous == 1


def test_times_are_microseconds_and_must_be_possible(tmp_path: Path) -> None:
    found = read(tmp_path, event(1), event(2, event_timestamp="4102444800000000"),
                 event(3, event_timestamp=None), event(4, event_timestamp="today"),
                 event(5, event_name=None), event(6, privacy_info="Yes"))  # fmt: skip
    assert found.rows("events", "occurred_at_ms") == [AT_MS + MINUTE]
    assert found.reasons() == {
        2: "time_out_of_range", 3: "missing_time", 4: "unreadable_time", 5: "unknown_type",
        6: "wrong_type",
    }  # fmt: skip
