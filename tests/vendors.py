"""Small exports of every vendor of product events, written by us from the published shapes.

They tell one story: on 5 January 2026 a visitor looks at a page and at a lamp, says who they are
(u1), puts the lamp into the cart and buys two of it at 10 each in order o1.
"""

import csv
import gzip
import io
import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet

AT = "2026-01-05T10:00:00.000Z"
AT_MS = 1767607200000
PLAIN_AT = "2026-01-05 10:00:00.000000"
MINUTE = 60_000
Message = dict[str, Any]


def at(minutes: int) -> str:
    """A moment of the story, in ISO."""
    return f"2026-01-05T10:{minutes:02d}:00.000Z"


def uid(number: int) -> str:
    """A UUID that is the same every time."""
    return str(uuid.UUID(int=0xC6EF3124 << 96 | number))


def jsonl(messages: Iterable[Any]) -> bytes:
    """JSON lines."""
    return "".join(json.dumps(one) + "\n" for one in messages).encode()


LAMP = {"product_id": "p1", "name": "Lamp", "category": "Home > Light", "price": 10, "quantity": 2}


def segment() -> list[Message]:
    """Messages of the Segment spec."""
    usual = {"anonymousId": "a1", "context": {"library": {"name": "analytics.js"}}}
    known = {**usual, "userId": "u1"}
    order = {"order_id": "o1", "products": [LAMP]}
    return [
        {**usual, "type": "page", "messageId": "s1", "timestamp": at(0), "name": "Home",
         "properties": {"path": "/"}},
        {**usual, "type": "track", "messageId": "s2", "timestamp": at(1),
         "event": "Product Viewed", "properties": LAMP},
        {**known, "type": "identify", "messageId": "s3", "timestamp": at(2),
         "traits": {"email": "ann@mail.org", "plan": "pro"}},
        {**known, "type": "track", "messageId": "s4", "timestamp": at(3),
         "event": "Product Added", "properties": LAMP},
        {**known, "type": "track", "messageId": "s5", "timestamp": at(4),
         "event": "Order Completed", "properties": order},
    ]  # fmt: skip


def snowplow_row(**values: object) -> str:
    """One row of the enriched TSV."""
    from ingestion.sources.snowplow import COLUMNS

    return "\t".join(str(values.get(name, "")) for name in COLUMNS)


_IGLU = "iglu:com.snowplowanalytics.snowplow"
SNOWPLOW_LAMP = {
    "id": "p1", "name": "Lamp", "category": "Home/Light", "price": 10, "quantity": 2,
    "currency": "EUR",
}  # fmt: skip


def snowplow_entities(**entities: Message) -> str:
    """The cell `contexts` with entities of the e-commerce schemas."""
    return json.dumps({
        "schema": f"{_IGLU}/contexts/jsonschema/1-0-0",
        "data": [
            {"schema": f"{_IGLU}.ecommerce/{name}/jsonschema/1-0-0", "data": data}
            for name, data in entities.items()
        ],
    })  # fmt: skip


def snowplow_event(name: str, data: Message, vendor: str = "") -> dict[str, str]:
    """The cells of a self-describing event."""
    schema = f"{_IGLU}{vendor}/{name}/jsonschema/1-0-0"
    inside = {"schema": schema, "data": data}
    whole = {"schema": f"{_IGLU}/unstruct_event/jsonschema/1-0-0", "data": inside}
    return {
        "event": "unstruct", "event_vendor": f"com.snowplowanalytics.snowplow{vendor}",
        "event_name": name, "event_version": "1-0-0", "unstruct_event": json.dumps(whole),
    }  # fmt: skip


def _snowplow(number: int, **values: object) -> dict[str, object]:
    stamp = at(number).replace("T", " ").rstrip("Z")
    return {
        "app_id": "shop", "platform": "web", "event_id": uid(number), "collector_tstamp": stamp,
        "derived_tstamp": stamp, "dvce_created_tstamp": stamp, "dvce_sent_tstamp": stamp,
        "domain_userid": "d1", "network_userid": "n1", "domain_sessionid": uid(99), **values,
    }  # fmt: skip


def snowplow_cells() -> list[dict[str, object]]:
    """Rows of the enriched TSV, by column."""
    action = "snowplow_ecommerce_action"

    def shop(kind: str) -> dict[str, str]:
        return snowplow_event(action, {"type": kind}, ".ecommerce")

    lamp = {"contexts": snowplow_entities(product=SNOWPLOW_LAMP)}
    bought = {"contexts": snowplow_entities(
        product=SNOWPLOW_LAMP, transaction={"transaction_id": "o1", "revenue": 20})}  # fmt: skip
    return [
        _snowplow(0, event="page_view", page_urlpath="/", page_title="Home"),
        _snowplow(1, **shop("product_view"), **lamp),
        _snowplow(3, user_id="u1", **shop("add_to_cart"), **lamp),
        _snowplow(4, user_id="u1", **shop("transaction"), **bought),
    ]


def snowplow() -> list[str]:
    """Rows of the enriched TSV."""
    return [snowplow_row(**cells) for cells in snowplow_cells()]


def snowplow_flat() -> list[Message]:
    """The same as the analytics SDKs flatten it."""
    flat = []
    for cells in snowplow_cells():
        one: Message = {k: v for k, v in cells.items() if k not in {"contexts", "unstruct_event"}}
        for name in ("collector_tstamp", "derived_tstamp"):
            one[name] = str(one[name]).replace(" ", "T") + "Z"
        for entity in json.loads(str(cells.get("contexts", '{"data": []}')))["data"]:
            vendor, name, _, _ = entity["schema"].removeprefix("iglu:").split("/")
            column = f"contexts_{vendor.replace('.', '_')}_{name}_1"
            one.setdefault(column, []).append(entity["data"])
        if "unstruct_event" in cells:
            vendor = str(cells["event_vendor"]).replace(".", "_")
            column = f"unstruct_event_{vendor}_{cells['event_name']}_1"
            one[column] = json.loads(str(cells["unstruct_event"]))["data"]["data"]
        flat.append(one)
    return flat


def amplitude() -> list[Message]:
    """Events of the export."""

    def one(number: int, name: str, **values: Any) -> Message:
        stamp = at(number).replace("T", " ").rstrip("Z") + "000"
        return {
            "app": 1, "uuid": uid(number), "$insert_id": f"i{number}", "event_type": name,
            "event_time": stamp, "client_event_time": stamp, "client_upload_time": stamp,
            "server_received_time": stamp, "server_upload_time": stamp, "processed_time": stamp,
            "device_id": "dev-1", "amplitude_id": 900001, "user_id": None, "session_id": -1,
            "platform": "Web", "library": "amplitude-ts/2.0", "event_properties": {},
            "user_properties": {}, "groups": {}, "data": {}, **values,
        }  # fmt: skip

    known = {"user_id": "u1", "user_properties": {"plan": "pro"}}
    order = {"order_id": "o1", "products": [LAMP]}
    return [
        one(0, "[Amplitude] Page Viewed", event_properties={"[Amplitude] Page Path": "/"}),
        one(1, "Product Viewed", event_properties=LAMP),
        one(3, "Product Added", event_properties=LAMP, **known),
        one(4, "Order Completed", event_properties=order, **known),
    ]


def posthog() -> list[Message]:
    """Events of a batch export as JSON lines."""

    def one(number: int, event: str, distinct: str, /, **properties: Any) -> Message:
        return {
            "uuid": uid(number), "event": event, "distinct_id": distinct, "person_id": uid(50),
            "timestamp": at(number), "created_at": at(number), "_inserted_at": at(number + 1),
            "elements_chain": "", "person_properties": {},
            "properties": {"$lib": "web", "$device_id": "anon-1", **properties},
        }  # fmt: skip

    known = {"$user_id": "u1", "$is_identified": True}
    email = {"$set": {"email": "ann@mail.org", "plan": "pro"}}
    return [
        one(0, "$pageview", "anon-1", **{"$pathname": "/"}),
        one(1, "Product Viewed", "anon-1", **LAMP),
        one(2, "$identify", "u1", **known, **email, **{"$anon_distinct_id": "anon-1"}),
        one(3, "Product Added", "u1", **known, **LAMP),
        one(4, "Order Completed", "u1", **known, order_id="o1", products=[LAMP]),
    ]


def ga4() -> list[Message]:
    """Rows of the BigQuery export as it writes JSON: whole numbers as text."""

    def params(**values: Any) -> list[Message]:
        def value(one: Any) -> Message:
            return {"int_value": str(one)} if isinstance(one, int) else {"string_value": one}

        return [{"key": key, "value": value(one)} for key, one in values.items()]

    def one(number: int, name: str, **values: Any) -> Message:
        return {
            "event_date": "20260105", "event_timestamp": str((AT_MS + number * MINUTE) * 1000),
            "event_name": name, "user_pseudo_id": "123.456", "platform": "WEB",
            "event_params": params(ga_session_id=1767607200, page_location="https://x.org/"),
            "privacy_info": {"analytics_storage": "Yes", "ads_storage": "Unset"},
            "user_properties": [], "items": [], "batch_page_id": "1",
            "batch_ordering_id": str(number), "batch_event_index": "1",
            "collected_traffic_source": {"manual_campaign_name": "(direct)"}, **values,
        }  # fmt: skip

    lamp = {"item_id": "p1", "item_name": "Lamp", "item_category": "Home",
            "item_category2": "Light", "price": 10.0, "quantity": "2"}  # fmt: skip
    known = {"user_id": "u1"}
    return [
        one(0, "page_view"),
        one(1, "view_item", items=[lamp]),
        one(3, "add_to_cart", items=[lamp], **known),
        one(4, "purchase", items=[lamp], **known,
            ecommerce={"transaction_id": "o1", "purchase_revenue": 20.0}),
    ]  # fmt: skip


def ga4_parquet() -> bytes:
    """The same as Parquet: nested columns, whole numbers as numbers."""
    value = pa.struct([("string_value", pa.string()), ("int_value", pa.int64()),
                       ("float_value", pa.float64()), ("double_value", pa.float64())])  # fmt: skip
    pairs = pa.list_(pa.struct([("key", pa.string()), ("value", value)]))
    item = pa.struct([(name, pa.string()) for name in
                      ("item_id", "item_name", "item_category", "item_category2")]
                     + [("price", pa.float64()), ("quantity", pa.int64())])  # fmt: skip
    schema = pa.schema([
        ("event_date", pa.string()), ("event_timestamp", pa.int64()),
        ("event_name", pa.string()), ("event_params", pairs), ("user_id", pa.string()),
        ("user_pseudo_id", pa.string()), ("platform", pa.string()),
        ("privacy_info", pa.struct([("analytics_storage", pa.string()),
                                    ("ads_storage", pa.string())])),
        ("items", pa.list_(item)),
        ("ecommerce", pa.struct([("transaction_id", pa.string()),
                                 ("purchase_revenue", pa.float64())])),
        ("batch_page_id", pa.int64()), ("batch_ordering_id", pa.int64()),
        ("batch_event_index", pa.int64()),
    ])  # fmt: skip
    rows = []
    for one in ga4():
        row = {name: one.get(name) for name in schema.names}
        row["event_timestamp"] = int(one["event_timestamp"])
        for name in ("batch_page_id", "batch_ordering_id", "batch_event_index"):
            row[name] = int(one[name])
        row["event_params"] = [
            {"key": pair["key"], "value": {
                "string_value": pair["value"].get("string_value"),
                "int_value": int(pair["value"].get("int_value", 0)) or None}}
            for pair in one["event_params"]
        ]  # fmt: skip
        row["items"] = [{**lamp, "quantity": int(lamp["quantity"])} for lamp in one["items"]]
        rows.append(row)
    return parquet(pa.Table.from_pylist(rows, schema=schema))


def parquet(table: pa.Table) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    pa.parquet.write_table(table, sink)
    return sink.getvalue()


def mixpanel() -> list[Message]:
    """Events of the raw export."""

    def one(number: int, event: str, distinct: str, /, **properties: Any) -> Message:
        seconds = AT_MS // 1000 + 60 * number
        return {"event": event, "properties": {
            "time": seconds, "distinct_id": distinct, "$insert_id": f"i{number}",
            "$device_id": "dev-1", "mp_lib": "web",
            "mp_processing_time_ms": seconds * 1000 + 5000, **properties}}  # fmt: skip

    known = {"$user_id": "u1"}
    return [
        one(0, "$mp_web_page_view", "$device:dev-1", current_url_path="/"),
        one(1, "Product Viewed", "$device:dev-1", **LAMP),
        one(3, "Product Added", "u1", **known, **LAMP),
        one(4, "Order Completed", "u1", **known, order_id="o1", products=[LAMP]),
    ]


def cloudevents() -> list[Message]:
    """Structured events."""

    def one(number: int, kind: str, /, **data: Any) -> Message:
        return {
            "specversion": "1.0", "id": f"c{number}", "source": "/shop", "type": kind,
            "time": at(number), "datacontenttype": "application/json", "data": data,
        }  # fmt: skip

    visitor, known = {"anonymousId": "a1"}, {"anonymousId": "a1", "userId": "u1"}
    return [
        one(0, "org.example.page.view", path="/", **visitor),
        one(1, "org.example.product.viewed.v1", **LAMP, **visitor),
        one(3, "org.example.product.added.v1", **LAMP, **known),
        one(4, "org.example.order.completed.v1", order_id="o1", products=[LAMP], **known),
    ]


def otel_attributes(**values: Any) -> list[Message]:
    """Attributes; `__` in a name stands for the dot."""

    def value(one: Any) -> Message:
        return {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}

    return [{"key": key.replace("__", "."), "value": value(one)} for key, one in values.items()]


def otel_request(resource: str, scope: str, records: str, *inside: Message) -> Message:
    """One export request."""
    about = {"attributes": otel_attributes(service__name="shop")}
    return {resource: [{"resource": about, scope: [{"scope": {"name": "web"}, records: inside}]}]}


def otel_span(number: int, trace: int, **attributes: Any) -> Message:
    """A root span of a server, a minute of the story."""
    start = (AT_MS + number * MINUTE) * 1_000_000
    return {
        "traceId": f"{trace:032x}", "spanId": f"{number + 1:016x}", "name": "GET /",
        "kind": 2, "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 10**9),
        "attributes": otel_attributes(**attributes),
    }  # fmt: skip


def otel() -> list[Message]:
    """Export requests, one with spans and one with logs."""
    asked = {"http__request__method": "GET", "session__id": "sess-1"}
    spans = [
        otel_span(0, 1, url__path="/", **asked),
        otel_span(1, 2, http__route="/lamps/{id}", **asked),
        {**otel_span(2, 2, db__system__name="postgresql"), "parentSpanId": f"{2:016x}"},
    ]
    log = {
        "timeUnixNano": str((AT_MS + 4 * MINUTE) * 1_000_000), "eventName": "order.completed",
        "observedTimeUnixNano": str((AT_MS + 5 * MINUTE) * 1_000_000),
        "body": {"stringValue": "an order"},
        "attributes": otel_attributes(session__id="sess-1", user__id="u1"),
    }  # fmt: skip
    return [
        otel_request("resourceSpans", "scopeSpans", "spans", *spans),
        otel_request("resourceLogs", "scopeLogs", "logRecords", log),
    ]


_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


def weblogs() -> list[str]:
    """Lines of the combined format."""

    def one(minute: int, request: str, user: str = "-", status: int = 200) -> str:
        return (
            f"203.0.113.{9} - {user} [05/Jan/2026:11:{minute:02d}:00 +0100] "
            f'"{request} HTTP/1.1" {status} 512 "-" "{_BROWSER}"'
        )

    return [
        one(0, "GET /?utm_campaign=spring"),
        one(0, "GET /style.css"),
        one(1, "GET /lamps/1?ref=x"),
        one(4, "POST /orders", user="u1", status=201),
    ]


def weblogs_json() -> list[Message]:
    """Lines as nginx writes them in JSON."""
    return [
        {"time_iso8601": "2026-01-05T11:00:00+01:00", "remote_addr": "203.0.113.9",
         "remote_user": "", "request": "GET / HTTP/1.1", "status": "200",
         "http_referer": "", "http_user_agent": _BROWSER},
        {"time_iso8601": "2026-01-05T11:04:00+01:00", "remote_addr": "203.0.113.9",
         "remote_user": "u1", "request": "POST /orders HTTP/1.1", "status": "201",
         "http_referer": "", "http_user_agent": _BROWSER},
    ]  # fmt: skip


def tickets() -> list[Message]:
    """Support tickets."""
    return [{"id": 1, "created_at": AT, "requester_id": 5, "subject": "x"}]


def text_lines(lines: Iterable[str]) -> bytes:
    """Lines of text."""
    return "".join(line + "\n" for line in lines).encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def _posthog_rows() -> list[Message]:
    """Events of a batch export in columns: properties are JSON written as text."""
    return [
        {name: json.dumps(value) if isinstance(value, dict) else value
         for name, value in one.items()}
        for one in posthog()
    ]  # fmt: skip


def posthog_csv() -> bytes:
    """The table of a batch export to a database, saved as CSV."""
    sink = io.StringIO()
    rows = _posthog_rows()
    writer = csv.DictWriter(sink, dict.fromkeys(name for row in rows for name in row))
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def posthog_parquet() -> bytes:
    """Events of a batch export as Parquet."""
    table = pa.Table.from_pylist(_posthog_rows())
    for name in ("timestamp", "created_at", "_inserted_at"):
        place = table.schema.get_field_index(name)
        stamps = pa.compute.strptime(
            pa.compute.replace_substring(table[name], ".000Z", ""), "%Y-%m-%dT%H:%M:%S", "us"
        )
        table = table.set_column(place, name, stamps.cast(pa.timestamp("us", "UTC")))
    return parquet(table)


def exports() -> dict[str, tuple[str, bytes]]:
    """Every way a vendor writes its export: file name -> (format, content)."""
    merged = {"scope": 1, "merge_time": AT_MS, "merge_server_time": AT_MS,
              "amplitude_id": 900001, "merged_amplitude_id": 900002}  # fmt: skip
    calls = {"api_key": "k", "sent_at": AT, "batch": [
        {"event": "Thing Done", "properties": {"distinct_id": "u1"}, "timestamp": AT}]}  # fmt: skip
    body = {"api_key": "k", "events": [{"event_type": "Thing Done", "user_id": "user-1",
                                        "time": AT_MS, "insert_id": "h1"}]}  # fmt: skip
    payload = {"schema": f"{_IGLU}/payload_data/jsonschema/1-0-4", "data": [
        {"e": "pv", "url": "https://x.org/", "eid": uid(7), "dtm": str(AT_MS), "duid": "d1",
         "p": "web", "tv": "js-3"}]}  # fmt: skip
    packed = {"1_2026-01-05_10#0.json.gz": gzip.compress(jsonl(amplitude()))}
    profile = {"$token": "t", "$distinct_id": "u1", "$time": AT_MS / 1000, "$set": {"plan": "pro"}}
    return {
        "segment.jsonl": ("segment", jsonl(segment())),
        "segment-batch.jsonl": ("segment", jsonl([{"batch": segment(), "sentAt": AT}])),
        "snowplow.tsv": ("snowplow", text_lines(snowplow())),
        "snowplow.json": ("snowplow", jsonl(snowplow_flat())),
        "snowplow-payload.json": ("snowplow", jsonl([payload])),
        "amplitude.zip": ("amplitude", zipped(packed)),
        "amplitude.json.gz": ("amplitude", gzip.compress(jsonl(amplitude()))),
        "amplitude-merged.json": ("amplitude", jsonl([merged])),
        "amplitude-calls.json": ("amplitude", jsonl([body])),
        "posthog.jsonl": ("posthog", jsonl(posthog())),
        "posthog.parquet": ("posthog", posthog_parquet()),
        "posthog.csv": ("posthog", posthog_csv()),
        "posthog-calls.jsonl": ("posthog", jsonl([calls])),
        "ga4.json": ("ga4", jsonl(ga4())),
        "ga4.parquet": ("ga4", ga4_parquet()),
        "mixpanel.jsonl": ("mixpanel", jsonl(mixpanel())),
        "mixpanel-people.jsonl": ("mixpanel", jsonl([profile])),
        "mixpanel-calls.jsonl": ("mixpanel", jsonl([mixpanel()])),
        "cloudevents.jsonl": ("cloudevents", jsonl(cloudevents())),
        "cloudevents-batch.json": ("cloudevents", jsonl([cloudevents()])),
        "otel.jsonl": ("otel", jsonl(otel())),
        "access.log": ("weblogs", text_lines(weblogs())),
        "access.json": ("weblogs", jsonl(weblogs_json())),
        "tickets.jsonl": ("tickets", jsonl(tickets())),
    }


def seen(content: bytes) -> tuple[list[Message], list[str]]:
    """The objects in a file (of Parquet: its columns), or its lines where there are none."""
    if content.startswith(b"PAR1"):
        names = pa.parquet.read_schema(io.BytesIO(content)).names
        return [dict.fromkeys(names)], []
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(map(archive.read, archive.namelist()))
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    lines = content.decode().splitlines()
    if not lines[0].startswith(("{", "[")):
        return [], lines
    found = [json.loads(line) for line in lines]
    return [one for line in found for one in (line if isinstance(line, list) else [line])], []
