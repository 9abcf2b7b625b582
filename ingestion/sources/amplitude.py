"""Amplitude events: the export (zip of gzipped JSON lines), bodies of its HTTP API, merged ids.

Source: the Export API, the Amazon S3 destination (events, merged Amplitude ids) and the HTTP V2 API
of the Amplitude documentation. `event_time` is the client's time already put right. `amplitude_id`
is whom Amplitude took an event's author for; a merge of two is a claim like any other.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import md5
from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts, commerce, iso_utc, most_fit, words
from ingestion.table import Table

_NOTHING = ibis.null("string")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is an event, a body with events or a pair of merged ids."""
    if most_fit(found.get("events"), lambda one: "event_type" in one):
        return True
    if {"amplitude_id", "merged_amplitude_id"} <= set(found):
        return True
    marks = {"amplitude_id", "$insert_id", "insert_id", "event_properties"}
    return "event_type" in found and bool(marks & set(found))


def _finished(rows: Rows, _table: Table, _salt: str) -> Texts:
    # An id is unique to a device of a project.
    scope = md5(rows.app.fill_null("") + ibis.literal("/") + rows.device.fill_null(""))
    scoped = rows.insert_id + ibis.literal("/") + scope.substr(0, 8)
    merge = rows.event.isnull() & rows["given:amplitude_id.merged"].notnull()
    pair = rows["given:amplitude_id"] + ibis.literal("+") + rows["given:amplitude_id.merged"]
    own = rows.event.re_replace(r"^\[Amplitude\]\s*", "")
    return {
        "id": ibis.coalesce(scoped, rows.id, merge.ifelse(pair, _NOTHING)),
        "event": ibis.coalesce(own, merge.ifelse("merged_ids", _NOTHING)),
        "campaign_id": ibis.coalesce(rows.campaign_id, rows.user_campaign),
    }


_PROPERTIES = commerce("event_properties")
FORMAT = Format(
    fields=frozenset(
        words("""
            server_received_time app device_carrier $schema city user_id uuid event_time
            platform os_version amplitude_id processed_time user_creation_time version_name
            ip_address paying dma group_properties user_properties client_upload_time
            $insert_id $insert_key event_type library amplitude_attribution_ids device_type
            device_manufacturer start_version location_lng server_upload_time event_id
            location_lat os_name amplitude_event_type device_brand groups event_properties
            data device_id language device_model country region is_attribution_event adid
            session_id device_family sample_rate idfa client_event_time scope merge_time
            merge_server_time merged_amplitude_id insert_id time api_key events options
            app_version carrier ip price quantity revenue productId revenueType idfv
            android_id plan data_type partner_id global_user_properties source_id currency
            version_id receivedAt ingestion_metadata
        """)
    ),
    places={
        **_PROPERTIES,
        "id": ("uuid",),
        "insert_id": ("$insert_id", "insert_id"),
        "event": ("event_type",),
        "time": ("event_time", "time", "merge_time"),
        "original": ("client_event_time",),
        "sent": ("client_upload_time",),
        "received": (
            "server_received_time", "server_upload_time", "merge_server_time", "receivedAt",
        ),
        "traits": ("user_properties.$set", "user_properties.$setOnce", "user_properties"),
        "platform": ("platform", "os_name"),
        "user_campaign": ("user_properties.utm_campaign",),
        "item_id": (
            "event_properties.product_id", "event_properties.sku", "event_properties.item_id",
            "event_properties.$productId", "productId",
        ),
        "price": ("event_properties.price", "event_properties.$price", "price"),
        "quantity": ("event_properties.quantity", "event_properties.$quantity", "quantity"),
        "value": (
            "event_properties.value", "event_properties.revenue", "event_properties.total",
            "event_properties.$revenue", "revenue",
        ),
        "object": (
            *_PROPERTIES["object"], "event_properties.[Amplitude] Page Path",
            "event_properties.[Amplitude] Page Title", "event_properties.[Amplitude] Element Text",
        ),
        "app": ("app",),
        "device": ("device_id",),
    },
    identifiers={
        "user_id": ("user_id",),
        "device_id": ("device_id",),
        "amplitude_id": ("amplitude_id",),
        "amplitude_id.merged": ("merged_amplitude_id", "data.merged_amplitude_id"),
        "email": ("user_properties.$set.email", "user_properties.email", "event_properties.email"),
        "phone": ("user_properties.$set.phone", "user_properties.phone"),
        "advertising_id": ("adid", "idfa"),
    },
    merged={"amplitude_id": "amplitude_id.merged"},
    times=iso_utc("time", "original", "sent", "received", formats=("iso", "epoch_ms")),
    objects=frozenset({"event_properties", "user_properties"}),
    profiles=frozenset({"identify", "groupidentify", "merged_ids"}),
    left_out=frozenset({"session_start", "session_end", "start_session", "end_session"}),
    batch="events",
    envelope=("receivedAt",),
    finished=_finished,
)  # fmt: skip
