"""PostHog events: batch exports (JSON lines, Parquet, tables saved as CSV) and the bodies its
libraries send to capture.

Source: the batch exports to S3, Postgres and BigQuery (events and persons models) and the capture
and batch endpoints of the PostHog documentation. `person_id` in an export is the person at the time
of ingestion and is never updated, so it is one identifier among others; `$identify`,
`$create_alias` and `$merge_dangerously` name two ids in one record.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts, commerce, iso_utc, most_fit, words
from ingestion.sources.robots import is_robot
from ingestion.table import Table

_MERGES = ("$create_alias", "$merge_dangerously")
_NOTHING = ibis.null("string")
_VERSIONS = 1 << 31  # more than one person has
_EVENT = {"uuid", "event", "properties", "distinct_id", "timestamp"}
_PERSON = {"distinct_id", "person_id", "person_version"}


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is an event, a batch of them, or a row of the persons model."""
    if most_fit(found.get("batch"), lambda one: fits({"api_key": "", **one})):
        return True
    if set(found) >= _PERSON:
        return True
    inside = found.get("properties")
    inside = inside if isinstance(inside, dict) else {}
    if "event" not in found or "time" in inside:
        return False
    return "distinct_id" in found or ("distinct_id" in inside and "api_key" in found)


def fits_row(found: Mapping[str, Any]) -> bool:
    """Whether a row of texts is one of the events or the persons model."""
    return set(found) >= _EVENT or set(found) >= _PERSON


def _finished(rows: Rows, _table: Table, _salt: str) -> Texts:
    distinct = rows["given:distinct_id"]
    device = rows["given:device_id"]
    anonymous = (
        (rows.identified == "false") | (rows.profiled == "false") | (distinct == device)
    ).fill_null(False)
    merge = rows.event.isin(_MERGES).fill_null(False)
    grouped = (rows.event == "$groupidentify").fill_null(False)
    person = rows.event.isnull() & distinct.notnull() & rows.person_version.notnull()
    return {
        "event": ibis.coalesce(rows.event, person.ifelse("$set", _NOTHING)),
        "id": ibis.coalesce(rows.id, person.ifelse(distinct, _NOTHING)),
        "newest": person.ifelse(_version(rows), None),
        # A person who was deleted stays in the export, under a later version.
        "nobody": is_robot(rows.agent) | rows.deleted.lower().isin(("true", "1")).fill_null(False),
        # Whoever is made up for a group's sake is nobody.
        "given:distinct_id": (anonymous | grouped).ifelse(_NOTHING, distinct),
        "given:anonymous_id": (anonymous & ~grouped).ifelse(distinct, _NOTHING),
        "given:device_id": (distinct == device).fill_null(False).ifelse(_NOTHING, device),
        "given:distinct_id.alias": merge.ifelse(rows["given:distinct_id.alias"], _NOTHING),
        # What PostHog exports it has put right; what a library sends is its device's clock.
        "time": (rows.created.notnull() & ~person).ifelse(
            ibis.coalesce(rows.original, rows.created), _NOTHING
        ),
        "object": ibis.coalesce(
            rows.object, rows.url.re_extract(r"^[a-z]+://[^/?#]+([^?#]*)", 1).nullif("")
        ),
        "traits": ibis.coalesce(rows.traits, person.ifelse(rows.properties, _NOTHING)),
    }


def _version(rows: Rows) -> Any:
    """How new a row of the persons model is: whose the id is, then what is said of them."""
    whose, said = (rows[name].try_cast("int64") for name in ("id_version", "person_version"))
    return whose.fill_null(0) * _VERSIONS + said


_PROPERTIES = commerce("properties")
FORMAT = Format(
    fields=frozenset(
        words("""
            uuid event distinct_id person_id properties person_properties elements_chain
            elements timestamp created_at _inserted_at set set_once team_id ip site_url
            api_key batch sent_at historical_migration $set $set_once type library
            library_version messageId context offset person_distinct_id_version person_version
            is_deleted token receivedAt person_mode
        """)
    ),
    places={
        **_PROPERTIES,
        "id": ("uuid",),
        "event": ("event",),
        "name": ("properties.$screen_name",),
        "original": ("timestamp",),
        "sent": ("sent_at",),
        "created": ("created_at", "_inserted_at"),
        "received": ("created_at", "_inserted_at", "receivedAt"),
        "traits": (
            "$set", "properties.$set", "set", "$set_once", "properties.$set_once", "set_once",
            "person_properties",
        ),
        "platform": ("properties.$lib", "properties.$os_name"),
        "campaign_id": (
            "properties.campaign_id", "properties.utm_campaign", "properties.$utm_campaign",
        ),
        "object": (*_PROPERTIES["object"], "properties.$pathname", "properties.$el_text"),
        "url": ("properties.$current_url",),
        "properties": ("properties",),
        "identified": ("properties.$is_identified",),
        "profiled": ("properties.$process_person_profile",),
        "agent": ("properties.$raw_user_agent",),
        "deleted": ("is_deleted",),
        "person_version": ("person_version",),
        "id_version": ("person_distinct_id_version",),
    },
    identifiers={
        "user_id": ("properties.$user_id",),
        "distinct_id": ("distinct_id", "properties.distinct_id"),
        "anonymous_id": (),
        "distinct_id.alias": ("properties.alias",),
        "anonymous_id.before": ("properties.$anon_distinct_id",),
        "person_id": ("person_id",),
        "device_id": ("properties.$device_id",),
        "email": (
            "$set.email", "properties.$set.email", "set.email", "person_properties.email",
            "properties.email",
        ),
        "phone": ("$set.phone", "properties.$set.phone", "person_properties.phone"),
    },
    merged={"distinct_id.alias": "distinct_id"},
    times=iso_utc("time", "original", "sent", "received"),
    objects=frozenset({"properties", "person_properties", "$set"}),
    profiles=frozenset(
        {"identify", "create_alias", "merge_dangerously", "set", "groupidentify"}
    ),
    left_out=frozenset(
        {"feature_flag_called", "web_vitals", "pageleave", "heatmap", "snapshot", "exception"}
    ),
    batch="batch",
    envelope=("sent_at", "receivedAt"),
    embedded=("properties", "person_properties", "set", "set_once", "elements"),
    finished=_finished,
)  # fmt: skip
