"""Access logs of web servers: the common and combined formats, and JSON lines.

Source: Apache's mod_log_config (common, combined, with or without the virtual host in front), the
variables of nginx, Caddy's JSON and the Elastic Common Schema. A log names hardly anybody: where
there is no user, one address (behind a proxy the one it forwards) and browser on one day is one
`visitor`, as a keyed hash, who is never joined with anybody. Robots, files that belong to a page,
redirects and failures are no acts.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from ingestion.functions import extracted, json_of, md5, of_query
from ingestion.record import Rows
from ingestion.sources.formats import Format, Texts, words
from ingestion.sources.robots import is_program
from ingestion.table import Table
from ingestion.values import Time
from kg.lake.files import LINE

_NOTHING = ibis.null("string")
_TEXT = (
    # A name of several words is told from a virtual host in front by who does not identify himself.
    r'^(?:\S+ )??(\S+) (?:\S+ (\S+)|- (.+?)) \[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\S+)'
    r'(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: "([^"]*)")?)?'
)
_GROUPS = (
    "remote_addr", "remote_user", "user_words", "time_local", "request", "status", "bytes",
    "http_referer", "http_user_agent", "http_x_forwarded_for",
)  # fmt: skip
_ADDRESS = r"^((\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F.:]*)$"
_WITHIN = (  # addresses that stand for other people in every network
    r"^(10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\."
    r"|^(::1$|f[cdCD]|fe8|FE8)"
)
_BELONGINGS = (
    r"(?i)\.(css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp4|webm|json|xml"
    r"|txt|wasm)$|^/favicon|^/robots\.txt"
)


def fits(found: Mapping[str, Any]) -> bool:
    """Whether an object is a line of an access log."""
    flat = set(found)
    for name in ("request", "http", "url", "source"):
        inside = found.get(name)
        if isinstance(inside, dict):
            flat |= {f"{name}.{key}" for key in inside}
    asked = {"request", "request_uri", "uri", "url.path", "request.uri", "url.original", "path"}
    answered = {"status", "http.response", "response_status", "status_code"}
    whose = {"remote_addr", "client_ip", "remote_ip", "clientip", "request.remote_ip",
             "request.client_ip", "source.ip", "remote_host"}  # fmt: skip
    return bool(asked & flat) and bool(answered & flat) and bool(whose & flat)


def fits_text(line: str) -> bool:
    """Whether a line is of the common or combined format."""
    import re

    return re.match(_TEXT, line) is not None


def _parsed(rows: Rows) -> Texts:
    line = rows[LINE]
    groups = extracted(line, _TEXT, _GROUPS)
    given = {name: groups[name].nullif("") for name in _GROUPS}
    given["remote_user"] = ibis.coalesce(given["remote_user"], given.pop("user_words"))
    for name in ("remote_user", "http_referer"):
        given[name] = given[name].nullif("-")
    is_json = line.lstrip().startswith("{") | line.lstrip().startswith("[")
    read = groups["status"] != ""
    return {
        "json": is_json.ifelse(line, read.ifelse(json_of(given), _NOTHING)),
        "trouble": is_json.ifelse("invalid_json", "ragged"),
    }


def _finished(rows: Rows, _table: Table, salt: str) -> Texts:
    parts = extracted(rows.request.fill_null(""), r"^([A-Z]+) (\S+)", ("method", "target"))
    method = ibis.coalesce(rows.method, parts["method"].nullif("")).upper()
    target = ibis.coalesce(rows.target, parts["target"].nullif(""))
    target = target.re_replace(r"^[a-z]+://[^/?#]*", "").nullif("")
    path = ibis.coalesce(target.re_extract(r"^[^?#]*", 0).nullif(""), "/")
    read = method.isin(("GET", "HEAD")).fill_null(True)
    code = rows.status.try_cast("int64")
    shown = (code.between(200, 299) | (code == 304)).fill_null(False)
    robot = is_program(rows.agent)
    aside = path.re_search(_BELONGINGS) | method.isin(("HEAD", "OPTIONS")).fill_null(False)
    day = rows.original.re_extract(r"\d{2}/[A-Za-z]{3}/\d{4}|\d{4}-\d{2}-\d{2}|^\d{5}", 0)
    who = [ibis.literal(salt), _client(rows), rows.agent.fill_null(""), day]
    visitor = md5(ibis.literal("\x1f").join(who)).substr(0, 20)
    left_out = ~shown | robot | aside.fill_null(False)
    nobody = rows["given:user_id"].isnull() & rows.address.notnull() & ~left_out
    return {
        "kind": (target.notnull() & code.notnull()).ifelse("event", _NOTHING),
        "event": read.ifelse("page_view", "submitted"),
        "time": rows.original,
        "original": _NOTHING,
        "object": path,
        "left_out": left_out,
        "campaign_id": of_query(target, "utm_campaign"),
        "given:visitor": nobody.ifelse(visitor, _NOTHING),
    }


def _client(rows: Rows) -> Any:
    """The address of who asked: the first that a proxy says it forwards, if it is a public one."""
    first = rows.forwarded.split(",")[0].strip().re_replace(r"^([\d.]+):\d+$", r"\1")
    given = (first.re_search(_ADDRESS) & ~first.re_search(_WITHIN)).fill_null(False)
    return given.ifelse(first, rows.address)


FORMAT = Format(
    fields=frozenset(
        [
            *_GROUPS,
            *words("""
                time_iso8601 msec request_method request_uri uri args body_bytes_sent
                bytes_sent request_time request_length host server_name server_protocol scheme
                http_host http_x_forwarded_for upstream_addr upstream_response_time
                upstream_status remote_port level ts logger msg duration size resp_headers
                user_id bytes_read client_ip remote_ip clientip method path time timestamp
                user_agent referer referrer @timestamp source url http event user agent ecs
                log message connection connection_requests pid request_id ssl_protocol
                ssl_cipher remote_host
            """),
        ]
    ),
    places={
        "original": ("time_iso8601", "@timestamp", "time_local", "timestamp", "time", "msec", "ts"),
        "request": ("request",),
        "method": ("request_method", "request.method", "http.request.method", "method"),
        "target": (
            "request_uri", "request.uri", "url.original", "url.path", "uri", "path",
        ),
        "status": ("status", "http.response.status_code", "status_code", "response_status"),
        "agent": (
            "http_user_agent", "user_agent.original", "user_agent", "agent",
            "request.headers.User-Agent",
        ),
        "address": (
            "remote_addr", "client_ip", "remote_ip", "clientip", "request.client_ip",
            "request.remote_ip", "source.ip", "remote_host",
        ),
        "forwarded": ("http_x_forwarded_for",),
    },
    identifiers={
        "user_id": ("remote_user", "user_id", "user.id", "user.name"),
        "visitor": (),
    },
    times={
        "time": Time(
            column="time",
            formats=("iso", "%d/%b/%Y:%H:%M:%S %z", "epoch_s"),
            zone="UTC",
        )
    },
    parsed=_parsed,
    finished=_finished,
)  # fmt: skip
