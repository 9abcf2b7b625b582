"""Mixpanel: the raw export (JSON lines), and the bodies its libraries send to track and engage.

Source: the raw event export, reserved and default properties, and both ID merge systems of the
Mixpanel documentation. In an export `distinct_id` is the canonical id of a merged cluster;
`$device:<id>` stands for somebody of whom only the device is known. Projects from before 2023 may
write `time` as the clock of their own zone: `time: {column: properties.time, zone: …}` says so.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import aware_epoch_ms, from_epoch_ms, in_zone, json_only, json_values, md5
from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts, commerce, words
from ingestion.table import Table
from ingestion.values import Time

_UPDATES = {
    "$set", "$set_once", "$add", "$append", "$union", "$unset", "$delete", "$remove",
}  # fmt: skip
_DELETION = "$delete"
_DEVICE = "$device:"
_NOTHING = ibis.null("string")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is an event of an export or a call, or an update of a profile."""
    if "$distinct_id" in found and _UPDATES & set(found):
        return True
    inside = found.get("properties")
    if not isinstance(inside, dict) or "event" not in found or "distinct_id" in found:
        return False
    merge = {"$distinct_ids", "$identified_id"} & set(inside)
    return bool(merge) or ("time" in inside and bool({"distinct_id", "$device_id"} & set(inside)))


def _finished(rows: Rows, table: Table, _salt: str) -> Texts:
    update = rows.event.isnull() & rows.person.notnull()
    deletion = update & rows.line.contains(f'"{_DELETION}"')  # its value is empty
    distinct = ibis.coalesce(rows["given:distinct_id"], rows.person)
    scope = md5(
        ibis.literal("\x1f").join(
            [one.fill_null("") for one in (rows.event, distinct, rows.original)]
        )
    )
    cluster = (rows.event == "$merge").fill_null(False)
    alias = (rows.event == "$create_alias").fill_null(False)
    named = {
        "": distinct,
        ".identified": rows["given:distinct_id.identified"],
        ".alias": alias.ifelse(rows["given:distinct_id.alias"], _NOTHING),
        ".before": rows["given:distinct_id.before"],
    }
    devices = {note: _device(one) for note, one in named.items()}
    own = ibis.coalesce(rows["given:device_id"], devices.pop(""))
    return {
        "type": deletion.ifelse(_DELETION, _NOTHING),
        "event": ibis.coalesce(rows.event, (update & ~deletion).ifelse("$set", _NOTHING)),
        "id": rows.id + ibis.literal("/") + scope.substr(0, 8),
        "time": _time(rows.original, table),
        "original": _NOTHING,
        "external_ids": cluster.ifelse(_listed(rows.cluster), _NOTHING),
        **{f"given:distinct_id{note}": _person(one) for note, one in named.items()},
        "given:device_id": own,
        **{f"given:device_id{note}": one for note, one in devices.items()},
    }


def _device(distinct: Any) -> Any:
    """The device that a distinct id stands for; null where it is somebody's."""
    return distinct.startswith(_DEVICE).ifelse(distinct.substr(len(_DEVICE)), _NOTHING)


def _person(distinct: Any) -> Any:
    return distinct.startswith(_DEVICE).ifelse(_NOTHING, distinct)


def _time(text: Any, table: Table) -> Any:
    """Seconds, or milliseconds, since 1970, as text in milliseconds."""
    number = text.try_cast("float64")
    near = (number.abs() < 1e15).fill_null(False)  # beyond is no time, nor an integer
    number = near.ifelse(number, ibis.null("float64"))
    ms = (number.abs() < 1e11).ifelse(number * 1000, number).round().try_cast("int64")
    zone = table.time.zone if table.time is not None else None
    if zone is not None:
        ms = aware_epoch_ms(in_zone(zone, from_epoch_ms(ms)))
    return ibis.coalesce(ms.cast("string"), text)


def _listed(cluster: Any) -> Any:
    """The ids of a cluster as external ids."""
    ids = json_values(json_only(cluster, "[").fill_null("[]"), "$[*]")
    ids = ids.filter(lambda one: one.startswith('"'))
    quoted = f'"{_DEVICE}'
    parts = ids.map(
        lambda one: one.startswith(quoted).ifelse(
            ibis.literal('{"type":"device_id","id":"') + one.substr(len(quoted)) + "}",
            ibis.literal('{"type":"distinct_id","id":') + one + "}",
        )
    )
    return ibis.literal("[") + parts.join(",") + ibis.literal("]")


_PROPERTIES = commerce("properties")
FORMAT = Format(
    fields=frozenset(
        words("""
            event properties $token $distinct_id $time $ip $ignore_time $user_id $device_id
            receivedAt
        """)
    )
    | _UPDATES,
    places={
        **_PROPERTIES,
        "id": ("properties.$insert_id",),
        "event": ("event",),
        "name": ("properties.current_page_title", "properties.mp_screen_name"),
        "original": ("properties.time", "$time"),
        "received": ("properties.mp_processing_time_ms", "properties.$mp_api_timestamp_ms",
                     "receivedAt"),
        "traits": ("$set", "$set_once"),
        "platform": ("properties.mp_lib", "properties.$os"),
        "object": (*_PROPERTIES["object"], "properties.current_url_path"),
        "cluster": ("properties.$distinct_ids",),
        "person": ("$distinct_id",),
    },
    identifiers={
        "user_id": ("properties.$user_id", "$user_id"),
        "distinct_id": ("properties.distinct_id",),
        "device_id": ("properties.$device_id", "$device_id"),
        "distinct_id.identified": ("properties.$identified_id",),
        "device_id.anonymous": ("properties.$anon_id",),
        "distinct_id.alias": ("properties.alias",),
        "distinct_id.before": ("properties.$distinct_id_before_identity",),
        **{f"device_id.{note}": () for note in ("identified", "alias", "before")},
        "email": ("$set.$email", "properties.$email", "properties.email"),
        "phone": ("$set.$phone", "properties.$phone"),
    },
    merged={"distinct_id.alias": "distinct_id"},
    times={
        "time": Time(column="time", formats=("epoch_ms",)),
        "received": Time(column="received", formats=("epoch_ms", "iso"), zone="UTC"),
    },
    objects=frozenset({"properties", "$set"}),
    profiles=frozenset({"identify", "create_alias", "merge", "set"}),
    left_out=frozenset({"session_start", "session_end", "mp_session_record", "mp_page_leave"}),
    finished=_finished,
)  # fmt: skip
