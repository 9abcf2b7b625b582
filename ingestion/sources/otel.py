"""OpenTelemetry: logs and spans in OTLP JSON, one export request a line, folded into sessions.

Source: the OTLP protocol and its JSON encoding, the file exporter, and the semantic conventions of
session, user, enduser, http, url and event. Telemetry is about programs: a span inside a trace is
no act of a person unless it names one. What one person did again and again without doing anything
else in between is one event with a quantity. Who a session or a trace names once, did all of it.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import json_by_key, json_of, json_shaped, json_values
from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts
from ingestion.table import Table
from ingestion.values import Time

_NOTHING = ibis.null("string")
_KINDS = (
    ("resourceSpans", "scopeSpans", "spans"),
    ("resourceLogs", "scopeLogs", "logRecords"),
)
_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue")
_READ = ("GET", "HEAD")


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is an export request with spans or logs."""
    return any(isinstance(found.get(resource), list) for resource, _, _ in _KINDS)


def _unfolded(rows: Rows) -> Rows:
    """One row for each span and log record; a line without any stays, to be told of."""
    parts, held = [], ibis.literal(0, "int64")
    for resource, scope, record in _KINDS:
        inside = json_values(rows.line, f"$.{resource}[*].{scope}[*].{record}[*]")
        held = held + inside.length().fill_null(0)
        wrapped = rows.mutate(outer=json_values(rows.line, f"$.{resource}[*]"))
        wrapped = wrapped.unnest("outer", offset="first")
        wrapped = wrapped.mutate(
            inner=json_values(wrapped.outer, f"$.{scope}[*].{record}[*]"),
            around=json_values(wrapped.outer, "$.resource.attributes[*]").join(","),
        )
        wrapped = wrapped.unnest("inner", offset="second")
        number = wrapped.first.cast("string") + ibis.literal(".") + wrapped.second.cast("string")
        part = ibis.literal(f"{record[0]}") + number
        own = wrapped.inner.startswith("{").ifelse(wrapped.inner, "{}")
        line = json_of(
            {
                "record": own.cast("json"),
                "resource": (ibis.literal("[") + wrapped.around.fill_null("") + "]").cast("json"),
                "kind": ibis.literal(record),
            }
        )
        place = wrapped.position.cast("string") + ibis.literal(".") + part
        parts.append(_row(wrapped, part, place, line))
    empty = rows.filter((held == 0).fill_null(True))
    request = empty.line.lstrip().startswith("{")
    line = request.ifelse('{"record":{},"kind":"none"}', empty.line)
    raw = ibis.coalesce(empty.raw, empty.line.substr(0, 1 << 16))
    rest = _row(empty.mutate(raw=raw), _NOTHING, empty.position.cast("string"), line)
    return ibis.union(rest, *parts)


def _row(rows: Rows, part: Any, place: Any, line: Any) -> Rows:
    return rows.select(
        "source", "modified_at_ms", "position", "problem", "raw",
        part=part, place=place, line=line,
    )  # fmt: skip


def _objects(rows: Rows) -> Texts:
    lists = json_shaped(rows.line, {"record": {"attributes": "JSON"}, "resource": "JSON"})
    return {
        "attributes": _by_key(lists["record"]["attributes"].cast("string")),
        "about": _by_key(lists["resource"].cast("string")),
    }


def _by_key(listed: Any) -> Any:
    """Attributes as an object, their dots as underscores: `user.id` as `user_id`."""
    return json_by_key(listed, _VALUES, spelled=lambda key: key.replace(".", "_"))


def _finished(rows: Rows, _table: Table, _salt: str) -> Texts:
    is_span = (rows.record_kind == "spans").fill_null(False)
    session = ibis.coalesce(rows.session, rows.trace)
    method = rows.method.upper()
    read = method.isin(_READ).fill_null(False)
    asked = read.ifelse("page_view", "submitted")
    named = ibis.coalesce(rows.event, rows.span_name)
    someone = [rows[name] for name in rows.columns if name.startswith("given:")]
    names_one = ibis.or_(rows.session.notnull(), *[given.notnull() for given in someone])
    root = rows.parent.isnull() | rows.parent.re_search("^0*$")
    unnamed = named.isnull() & method.isnull()
    recorded = rows.record_kind.isin([record for _, _, record in _KINDS])
    return {
        "kind": recorded.fill_null(False).ifelse("event", _NOTHING),
        "event": method.notnull().ifelse(asked, ibis.coalesce(named, rows.record_kind)),
        "id": is_span.ifelse(rows.trace + ibis.literal("/") + rows.span, _NOTHING),
        "session": session,
        "left_out": ~((is_span & root) | names_one) | unnamed.fill_null(False),
        "object": ibis.coalesce(
            rows.object, rows.url.re_extract(r"^[a-z]+://[^/?#]+([^?#]*)", 1).nullif("")
        ),
        **{
            name: ibis.coalesce(rows[name], _only(rows, rows[name], session))
            for name in rows.columns
            if name.startswith("given:")
        },
    }


def _only(rows: Rows, given: Any, session: Any) -> Any:
    """The one value that a session names anywhere; null where it names several or none."""
    window = ibis.window(group_by=session)
    least, most = given.min().over(window), given.max().over(window)
    return (session.notnull() & (least == most)).ifelse(least, _NOTHING)


def _folded(rows: Rows) -> Rows:
    """The same done again, with nothing else in between, is done once: `quantity` times."""
    rows = rows.mutate(
        what=rows.verb + ibis.literal("\x1f") + ibis.coalesce(rows.object, rows.item_id, "")
    )
    order = ibis.window(group_by=rows.session, order_by=[rows.occurred_at_ms, rows.record_key])
    before = rows.what.lag().over(order)
    opens = (before.isnull() | (before != rows.what) | rows.session.isnull()).ifelse(1, 0)
    rows = rows.mutate(opens=opens)
    run = rows.opens.sum().over(
        ibis.window(
            group_by=rows.session,
            order_by=[rows.occurred_at_ms, rows.record_key],
            rows=(None, 0),
        )
    )
    rows = rows.mutate(run=run)
    inside = ibis.window(group_by=[rows.session, rows.run])
    times = rows.count().over(inside)
    rows = rows.mutate(quantity=(times > 1).ifelse(times.cast("float64"), rows.quantity))
    return rows.filter(rows.opens == 1).drop("what", "opens", "run")


FORMAT = Format(
    fields=frozenset({"record", "resource", "kind"}),
    places={
        "event": ("record.eventName", "attributes.event_name"),
        "span_name": ("record.name",),
        "original": (
            "record.startTimeUnixNano", "record.timeUnixNano", "record.observedTimeUnixNano",
        ),
        "received": ("record.observedTimeUnixNano",),
        "platform": ("attributes.os_name", "about.os_name", "about.telemetry_sdk_language"),
        "session": ("attributes.session_id", "about.session_id"),
        "object": (
            "attributes.http_route", "attributes.url_path", "attributes.url_template",
            "attributes.app_screen_name", "attributes.app_widget_name", "attributes.http_target",
        ),
        "url": ("attributes.url_full", "attributes.http_url"),
        "text": (),
        "campaign_id": ("attributes.utm_campaign",),
        "method": ("attributes.http_request_method", "attributes.http_method"),
        "record_kind": ("kind",),
        "trace": ("record.traceId",),
        "span": ("record.spanId",),
        "parent": ("record.parentSpanId",),
    },
    identifiers={
        "user_id": ("attributes.user_id", "attributes.enduser_id"),
        "anonymous_id": ("attributes.enduser_pseudo_id", "attributes.user_hash"),
        "device_id": (
            "attributes.device_id", "about.device_id", "attributes.app_installation_id",
            "about.app_installation_id",
        ),
        "email": ("attributes.user_email",),
    },
    times={
        "original": Time(column="original", formats=("epoch_ns",)),
        "received": Time(column="received", formats=("epoch_ns",)),
    },
    unfolded=_unfolded,
    objects_of=_objects,
    finished=_finished,
    folded=_folded,
)  # fmt: skip
