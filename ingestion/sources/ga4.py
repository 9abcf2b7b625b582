"""Google Analytics 4: the BigQuery export, as JSON lines or Parquet.

Source: the BigQuery Export schema of Google Analytics (events, event_params, items, user,
privacy_info, collected_traffic_source). There is no event id: what an event is known by are its
author, time, name and place in its batch, or what it says where it has no place. Daily tables are
rewritten for three days: a file that has changed replaces its earlier reading.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import json_by_key, json_shaped, json_values, md5
from ingestion.record import Rows
from ingestion.sources.formats import NOT_SET, Format, Product, Texts, words
from ingestion.table import Table
from ingestion.values import Time

_NOTHING = ibis.null("string")
_LISTS = ("event_params", "user_properties", "items")
_VALUES = ("string_value", "int_value", "double_value", "float_value")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is a row of the export."""
    return {"event_name", "event_timestamp", "event_params"} <= set(found)


def _objects(rows: Rows) -> Texts:
    """The lists of key and value as objects."""
    lists = json_shaped(rows.line, dict.fromkeys(_LISTS, "JSON"))
    params, properties, items = (_plain(lists[name].cast("string")) for name in _LISTS)
    return {"params": _by_key(params), "traits": _by_key(properties), "bought": items}


def _by_key(listed: Any) -> Any:
    return json_by_key(listed, _VALUES, spelled=lambda key: key).nullif("{}")


def _plain(listed: Any) -> Any:
    """A list as a list: some writers of Parquet wrap it, `{"list": [{"element": …}]}`."""
    inside = json_values(listed, "$.list[*].element").join(",")
    wrapped = ibis.literal("[") + inside + ibis.literal("]")
    return listed.startswith('{"list":').ifelse(wrapped, listed)


def _finished(rows: Rows, _table: Table, salt: str) -> Texts:
    batch = [rows.batch_page, rows.batch_order, rows.batch_index]
    placed = ibis.or_(*[one.notnull() for one in batch])
    said = placed.ifelse(_NOTHING, md5(rows.params.fill_null("") + rows.products.fill_null("")))
    parts = [rows["given:user_pseudo_id"], rows.original, rows.event, *batch, said]
    key = ibis.literal("\x1f").join([ibis.literal(salt), *[part.fill_null("") for part in parts]])
    limited = (rows.limited == "true").fill_null(False)
    # What Firebase tells of a purchase in an app by itself is in millionths, as whole numbers.
    in_app = (rows.event == "in_app_purchase") & rows.value.re_search("^-?[0-9]+$")
    whole = (rows.value.try_cast("float64") / 1e6).cast("string")
    return {
        "id": rows.event.notnull().ifelse(md5(key).substr(0, 20), _NOTHING),
        # What developers try out, and what an internal filter of the property marks.
        "nobody": rows.debug.isin(("1", "true")).fill_null(False)
        | rows.traffic.isin(("internal", "developer")).fill_null(False),
        "time": rows.original,
        "original": _NOTHING,
        "value": in_app.fill_null(False).ifelse(whole, rows.value),
        "basket": rows.basket.nullif(NOT_SET),
        "consent": _consent({"analytics_storage": rows.analytics, "ads_storage": rows.ads}),
        "object": ibis.coalesce(
            rows.object, rows.url.re_extract(r"^[a-z]+://[^/?#]+([^?#]*)", 1).nullif(""),
            rows.page_title,
        ),
        "given:advertising_id": limited.ifelse(_NOTHING, rows["given:advertising_id"]),
    }  # fmt: skip


def _consent(answers: Mapping[str, Any]) -> Any:
    """Yes and No as purpose -> granted; Unset says nothing."""
    parts = [
        ibis.cases(
            (answer.lower() == "yes", f'"{purpose}":true'),
            (answer.lower() == "no", f'"{purpose}":false'),
            else_=_NOTHING,
        )
        for purpose, answer in answers.items()
    ]
    said = ibis.array(parts).filter(lambda part: part.notnull())
    whole = ibis.literal("{") + said.join(",") + ibis.literal("}")
    return (said.length() > 0).ifelse(whole, _NOTHING)


_MICROSECONDS = ("epoch_us",)
FORMAT = Format(
    fields=frozenset(
        words("""
            event_date event_timestamp event_previous_timestamp event_name event_value_in_usd
            event_bundle_sequence_id event_server_timestamp_offset event_params item_params
            is_active_user user_id user_pseudo_id user_first_touch_timestamp privacy_info
            user_properties user_ltv device geo app_info collected_traffic_source
            traffic_source session_traffic_source_last_click stream_id platform
            event_dimensions ecommerce items batch_event_index batch_page_id batch_ordering_id
            publisher
        """)
    ),
    places={
        "event": ("event_name",),
        "name": ("params.firebase_screen", "params.screen_name"),
        "original": ("event_timestamp",),
        "traits": ("traits",),
        "platform": ("platform",),
        "campaign_id": (
            "collected_traffic_source.manual_campaign_id", "params.campaign_id",
            "collected_traffic_source.manual_campaign_name", "params.campaign",
        ),
        "products": ("bought",),
        "item_id": ("params.product_id",),
        "title": ("params.product_name",),
        "value": (
            "ecommerce.purchase_revenue", "ecommerce.refund_value", "params.value",
        ),
        "quantity": ("params.quantity",),
        "basket": ("ecommerce.transaction_id", "params.transaction_id"),
        "object": (
            "params.search_term", "params.page_path", "params.link_url", "params.file_name",
            "params.video_title",
        ),
        "url": ("params.page_location",),
        "page_title": ("params.page_title",),
        "params": ("params",),
        "debug": ("params.debug_mode",),
        "traffic": ("params.traffic_type",),
        "analytics": ("privacy_info.analytics_storage",),
        "ads": ("privacy_info.ads_storage",),
        "limited": ("device.is_limited_ad_tracking",),
        "batch_page": ("batch_page_id",),
        "batch_order": ("batch_ordering_id",),
        "batch_index": ("batch_event_index",),
    },
    identifiers={
        "user_id": ("user_id",),
        "user_pseudo_id": ("user_pseudo_id",),
        "device_id": ("device.vendor_id",),
        "advertising_id": ("device.advertising_id",),
    },
    times={"time": Time(column="time", formats=_MICROSECONDS)},
    objects=frozenset({"privacy_info", "device", "ecommerce", "collected_traffic_source"}),
    left_out=frozenset(
        {"session_start", "first_visit", "first_open", "user_engagement", "scroll"}
    ),
    product=Product(
        id=("item_id", "item_name"),
        title=("item_name",),
        categories=("item_category", *(f"item_category{level}" for level in range(2, 6))),
        price=("price", "price_in_usd"),
    ),
    objects_of=_objects,
    finished=_finished,
)  # fmt: skip
