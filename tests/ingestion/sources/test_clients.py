"""What the vendors' own client libraries send to a server is read without loss."""

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

from folders import Read


class _Collector:
    """A server that keeps every body it is sent, as one line of JSON each."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.address = ""

    def keep(self, body: bytes, kind: str) -> None:
        """One request."""
        text = body.decode()
        self.lines.append(parse_qs(text)["data"][0] if "form" in kind else text)


@contextmanager
def collector() -> Iterator[_Collector]:
    """A collector on loopback that answers as every vendor's server would."""
    kept = _Collector()
    answer = json.dumps({"status": 1, "success": True, "code": 200, "error": None}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            kept.keep(body, self.headers.get("content-type", ""))
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


def read(tmp_path: Path, kept: _Collector) -> Read:
    """The bodies as a file, read by what they hold."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "sent.jsonl").write_text("".join(line.strip() + "\n" for line in kept.lines))
    found = Read(folder, tmp_path / "workspace")
    report = found.file("sent.jsonl")
    assert (report.quarantined, report.duplicate) == (0, 0), report.reasons
    (dataset,) = found.report.datasets
    assert dataset.new_fields == {}
    return found


LAMP = {"product_id": "p1", "name": "Lamp", "price": 10, "quantity": 2}
MANY = 250


def test_segment_analytics_python(tmp_path: Path) -> None:
    from segment import analytics

    with collector() as kept:
        client = analytics.Client("key", host=f"http://{kept.address}", gzip=True)
        client.identify("u1", {"email": "ann@mail.org", "plan": "pro"}, anonymous_id="a1")
        client.page("u1", "shop", "Home", {"path": "/"})
        client.screen("u1", "shop", "Start")
        client.alias("old", "u1")
        client.group("u1", "g1", {"industry": "toys"})
        client.track("u1", "Order Completed", {"order_id": "o1", "products": [LAMP]})
        for number in range(MANY):
            client.track(f"u{number}", "Product Viewed", {**LAMP, "text": "\U0001f600 \u202e\n"})
        client.shutdown()
    assert len(kept.lines) > 1  # it sends batches
    found = read(tmp_path, kept)
    report = found.file("sent.jsonl")
    assert (report.recognised_as, report.accepted) == ("segment", MANY + 6)
    verbs = found.report.datasets[0].verbs
    assert verbs == {"viewed": MANY + 2, "bought": 1}
    assert found.rows("events", "value").count(20.0) == 1
    told = found.rows("identifiers", "namespace", "value")
    assert ("anonymous_id", "old") in told
    assert ("email", "ann@mail.org") in told
    assert len({value for space, value in told if space == "user_id"}) == MANY


def test_posthog_python(tmp_path: Path) -> None:
    import posthog

    with collector() as kept:
        client = posthog.Posthog("key", host=f"http://{kept.address}")
        client.capture("Order Completed", distinct_id="u1",
                       properties={"order_id": "o1", "products": [LAMP]})  # fmt: skip
        client.set(distinct_id="u1", properties={"plan": "pro", "email": "ann@mail.org"})
        client.alias(previous_id="anon-1", distinct_id="u1")
        client.group_identify("company", "c1", {"size": 3})
        for number in range(MANY):
            client.capture("Product Viewed", distinct_id=f"u{number}", properties=LAMP)
        client.shutdown()
    found = read(tmp_path, kept)
    report = found.file("sent.jsonl")
    assert (report.recognised_as, report.accepted) == ("posthog", MANY + 4)
    assert found.report.datasets[0].verbs == {"viewed": MANY, "bought": 1}
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']
    by_key: dict[str, set[str]] = {}
    for key, value in found.rows("identifiers", "record_key", "value"):
        by_key.setdefault(key, set()).add(value)
    assert {"anon-1", "u1"} in by_key.values()


def test_amplitude_analytics(tmp_path: Path) -> None:
    import amplitude

    with collector() as kept:
        client = amplitude.Amplitude("key")
        client.configuration.server_url = f"http://{kept.address}/2/httpapi"
        about = amplitude.EventOptions(user_id="user-1", device_id="device-1")
        traits = amplitude.Identify()
        traits.set("plan", "pro")
        client.identify(traits, about)
        client.revenue(amplitude.Revenue(price=10.0, quantity=2, product_id="p1"), about)
        for number in range(MANY):
            client.track(amplitude.BaseEvent(
                "Product Viewed", user_id=f"user-{number}", event_properties=LAMP))  # fmt: skip
        client.flush()
        _wait(lambda: sum(line.count("event_type") for line in kept.lines) == MANY + 2)
        client.shutdown()
    found = read(tmp_path, kept)
    report = found.file("sent.jsonl")
    assert (report.recognised_as, report.accepted) == ("amplitude", MANY + 2)
    assert found.report.datasets[0].verbs == {"viewed": MANY, "bought": 1}
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']
    assert found.rows("events", "value").count(20.0) == 1


def test_mixpanel_python(tmp_path: Path) -> None:
    import mixpanel

    with collector() as kept:
        url = f"http://{kept.address}"
        consumer = mixpanel.BufferedConsumer(
            events_url=f"{url}/track", people_url=f"{url}/engage", import_url=f"{url}/import"
        )
        client = mixpanel.Mixpanel("token", consumer=consumer)
        client.track("u1", "Order Completed", {"order_id": "o1", "products": [LAMP]})
        client.people_set("u1", {"plan": "pro", "$email": "ann@mail.org"})
        client.merge("key", "u1", "device-1")
        for number in range(MANY):
            client.track(f"u{number}", "Product Viewed", dict(LAMP))
        consumer.flush()
    found = read(tmp_path, kept)
    report = found.file("sent.jsonl")
    assert (report.recognised_as, report.accepted) == ("mixpanel", MANY + 3)
    assert found.report.datasets[0].verbs == {"viewed": MANY, "bought": 1}
    assert found.rows("profiles", "traits") == ['{"plan":"pro"}']


def test_snowplow_tracker(tmp_path: Path) -> None:
    import snowplow_tracker as snowplow

    with collector() as kept:
        host, port = kept.address.split(":")
        emitter = snowplow.Emitter(host, protocol="http", port=int(port), method="post",
                                   batch_size=20)  # fmt: skip
        subject = snowplow.Subject().set_user_id("u1").set_domain_user_id("d1")
        tracker = snowplow.Tracker("web", [emitter], subject=subject, app_id="shop")
        action = "iglu:com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action"
        product = "iglu:com.snowplowanalytics.snowplow.ecommerce/product"
        tracker.track(snowplow.SelfDescribing(
            snowplow.SelfDescribingJson(f"{action}/jsonschema/1-0-2", {"type": "add_to_cart"}),
            context=[snowplow.SelfDescribingJson(f"{product}/jsonschema/1-0-0", {
                "id": "p1", "name": "Lamp", "category": "Home", "price": 10, "currency": "EUR"})],
        ))  # fmt: skip
        tracker.track(snowplow.StructuredEvent(category="help", action="open chat", label="faq"))
        for number in range(MANY):
            tracker.track(snowplow.PageView(f"https://x.org/{number}?utm_campaign=spring"))
        tracker.flush()
    found = read(tmp_path, kept)
    report = found.file("sent.jsonl")
    assert (report.recognised_as, report.accepted) == ("snowplow", MANY + 2)
    assert found.report.datasets[0].verbs == {"viewed": MANY, "added": 1, "open_chat": 1}
    events = found.rows("events", "verb", "object", "item_id", "campaign_id")
    assert ("added", None, "p1", None) in events
    assert ("viewed", "/7", None, "spring") in events
    assert found.report.datasets[0].identifiers["user_id"]["records"] == MANY + 2


def test_opentelemetry_sdk_writing_otlp_json(tmp_path: Path) -> None:
    from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    file = tmp_path / "data" / "spans.jsonl"
    file.parent.mkdir()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(str(file))))
    tracer = provider.get_tracer("shop")
    for number in range(MANY):
        told = {"http.request.method": "GET", "http.route": f"/{number}", "user.id": "u1"}
        with tracer.start_as_current_span("GET", attributes=told), tracer.start_span("query"):
            pass
    provider.shutdown()
    found = Read(file.parent, tmp_path / "workspace")
    report = found.file("spans.jsonl")
    assert (report.recognised_as, report.accepted) == ("otel", 2 * MANY)
    assert found.report.datasets[0].verbs == {"viewed": MANY}


def _wait(until: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.05)
