"""Damaged, foreign and hostile exports of business systems: each costs only itself.

For every source one folder: a good file, and beside it one file for each thing that can be wrong.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from business import (
    AGENT,
    ASKER,
    CONSENTS,
    CONTACT,
    FEEDS,
    LAMP,
    RSS,
    SENDS,
    TALK,
    TICKET,
    feed_elements,
    feed_text,
)
from folders import HEAD, Read, fill, lines

# CSV injection, SQL, bidirectional and control characters, markup, templates: all of it is text.
HOSTILE = "=cmd|' /C calc'!A0 '; DROP TABLE x;-- \u202e\x1b[31m <b> ${jndi:ldap} {0} %s \U0001f600"
FOREIGN = lines([{"type": "track", "event": "X", "messageId": "m", "userId": "u"}] * 2)
_DEEP = "[" * 5000 + "]" * 5000
CUT_XML = FEEDS["rss"][: len(FEEDS["rss"]) // 2]

Wrong = dict[str, tuple[str | bytes, dict[str, int] | str]]  # file -> content, reasons or status


def objects(good: list[dict[str, Any]], text_at: str, time_at: str) -> Wrong:
    """What can be wrong with objects of which the first has a text and a time at these fields."""
    first = good[0]
    lost = {name: value for name, value in first.items() if name != "id"}
    spoiled = lines(good).encode().replace(b'"id"', b'"\xff": 1, "id"', 1)
    return {
        "cut": (json.dumps(good, indent=1)[:-30], "unreadable: "),
        "cut_line": (lines(good)[:-30], {"invalid_json": 1}),
        "encoding": (spoiled, {"encoding": 1}),
        "empty": ("", "empty: "),
        "foreign": (FOREIGN, {"unknown_type": 2}),
        "scalars": ("[1]\n7\n\"x\"\nnull\n{}\n", {"invalid_json": 4, "unknown_type": 1}),
        "no_id": (lines([lost]), {"missing_id": 1}),
        "id_object": (lines([{**first, "id": {"a": 1}}]), {"wrong_type": 1}),
        "id_list": (lines([{**first, "id": [1, 2]}]), {"wrong_type": 1}),
        "time_text": (lines([{**first, "id": "t1", time_at: "soon"}]), {"unreadable_time": 1}),
        "time_none": (lines([{**first, "id": "t2", time_at: None}]), {"missing_time": 1}),
        "time_far": (lines([{**first, "id": "t3", time_at: 9e18}]), {"unreadable_time": 1}),
        "hostile": (lines([{**first, "id": f"h {HOSTILE}", text_at: HOSTILE}]), {}),
        "twice": (lines([{**first, "id": "d"}] * 3), {}),
        "deep": (f"{_DEEP}\n" + lines([{**first, "id": "e"}]), {"invalid_json": 1}),
    }  # fmt: skip


def table(good: str, replace: dict[str, str]) -> Wrong:
    """What can be wrong with a table; `replace`: a value that stands in it -> one that is wrong."""
    head, first, *_ = good.splitlines()
    (known, wrong), *_ = replace.items()
    assert known in first
    half = first[: len(first) // 2]
    return {
        "cut": (f"{good}{half}\n", {"open_quote" if half.count('"') % 2 else "ragged": 1}),
        "encoding": (f"{head}\n{first}\n".encode().replace(known[0].encode(), b"\xff", 1), {}),
        "empty": ("", "empty: "),
        "header": (f"{head}\n", {}),
        "foreign": ("one,two\n1,2\n", "missing_column: "),
        "wrong": (f"{head}\n{first.replace(known, wrong)}\n", {"": 1}),
        "null": (f"{head}\n{first}\n" + first.replace(known, "\x00") + "\n", {"encoding": 1}),
    }


TEXT = feed_text(",")
GOOD: dict[str, tuple[str, bytes | str]] = {
    "zendesk": ("zendesk", lines([TICKET, ASKER, AGENT])),
    "intercom": ("intercom", lines([TALK, CONTACT])),
    "schema_org": ("schema_org", lines([LAMP])),
    "merchant_xml": ("google_merchant", FEEDS["rss"]),
    "merchant": ("google_merchant", TEXT),
    "sends": ("campaign_sends", SENDS),
    "agreed": ("consents", CONSENTS),
}
_SCRIPT = "<script type='application/ld+json'>{\"@type\":</script>"
_LAMP_LOST = {name: value for name, value in LAMP.items() if name != "sku"}
WRONG: dict[str, Wrong] = {
    "zendesk": objects([TICKET, ASKER], "subject", "created_at"),
    "intercom": objects([TALK, CONTACT], "state", "created_at"),
    "schema_org": {
        "cut": (lines([LAMP])[:-30], {"invalid_json": 1}),
        "no_id": (lines([_LAMP_LOST]), {"missing_id": 1}),
        "id_list": (lines([{**LAMP, "sku": ["a", "b"]}]), {"wrong_type": 1}),
        "price": (lines([{**LAMP, "offers": {"price": "dear"}}]), {"not_a_number": 1}),
        "price_nan": (lines([{**LAMP, "offers": {"price": "NaN"}}]), {"not_a_number": 1}),
        "offers_text": (lines([{**LAMP, "sku": "s2", "offers": "none"}]), {}),
        "twice": (lines([{**LAMP, "sku": "d"}] * 3), {}),
        "hostile": (lines([{**LAMP, "sku": HOSTILE, "name": HOSTILE}]), {}),
        "foreign": (FOREIGN, {"unknown_type": 2}),
        "empty": ("{}\n", {"unknown_type": 1}),
        "page": (f"<html>{_SCRIPT}", {"invalid_json": 1}),
    },
    "merchant_xml": {
        "cut": (CUT_XML, "unreadable: "),
        "empty": (RSS.format(items=""), {}),
        "no_id": (RSS.format(items="<item><title>x</title></item>"), {"missing_id": 1}),
        "twice": (RSS.format(items=feed_elements("item") * 2), {}),
        "hostile": (FEEDS["rss"].replace(b"Cup", b"=1+1 &lt;script&gt;"), {}),
        "foreign": (b"<?xml version='1.0'?><rss><channel/></rss>junk", "unreadable: "),
    },
    "merchant": table(TEXT, {'"15.00 USD"': '"dear"'}),
    "sends": table(SENDS, {"Treated": "ctl"}),
    "agreed": table(CONSENTS, {"Opted out": "perhaps"}),
}  # fmt: skip


@pytest.mark.parametrize("source", GOOD)
def test_what_is_wrong_costs_only_itself_and_is_accounted_for(tmp_path: Path, source: str) -> None:
    form, good = GOOD[source]
    files = {f"{source}/{name}": content for name, (content, _) in WRONG[source].items()}
    mapping = HEAD + f"tables:\n  one: {{files: '{source}/*', format: {form}}}\n"
    folder = fill(tmp_path / "data", {**files, f"{source}/good": good}, mapping)
    found = Read(folder, tmp_path / "workspace")
    assert found.file(f"{source}/good").status == "read"
    assert found.file(f"{source}/good").quarantined == 0
    for name, (_, expected) in WRONG[source].items():
        report = found.file(f"{source}/{name}")
        assert report.received == report.accepted + report.duplicate + report.quarantined
        if isinstance(expected, str):
            assert (report.status, report.received) == ("unreadable", 0), name
            assert (report.detail or "").startswith(expected), name
        elif "" in expected:
            assert report.quarantined == expected[""], name
        elif name != "encoding" or expected:
            assert report.reasons == expected, name
    rows = found.rows("records")
    assert len(rows) == found.report.total("received")
    assert all(row["raw"] for row in rows if row["status"] == "quarantined")
    if "twice" in WRONG[source]:
        report = found.file(f"{source}/twice")
        assert report.duplicate >= report.received / 2


# What JSON is not, what is no value of any column, and what is far from every number and time.
ODD = (
    "[1,2",
    "[",
    '{"a":',
    '["a"]',
    '{"a":1}',
    "a\nb",
    'a"b',
    "9" * 400,
    "1e400",
    "-9e18",
    "x" * 2000,
)
NO_VALUES = (*ODD, None, [], {}, [None], [[]], {"": 1}, True, 1e308, 10**30, "a\0b", "\ud800")
_STRIPE = {"id": "cus_1", "object": "customer", "created": 1767600000, "email": "ann@x.org",
           "metadata": {"user_id": "u1"}, "address": {"city": "York"}}  # fmt: skip
_HUBSPOT = {"id": "101", "createdAt": "2026-03-12T08:14:00.123Z", "archived": False,
            "properties": {"email": "ann@x.org", "hs_object_id": "101",
                           "hs_additional_emails": "ann@home.org"}}  # fmt: skip
OBJECTS = {"stripe_customer": _STRIPE, "hubspot_contact": _HUBSPOT, "schema_org": LAMP,
           "zendesk": TICKET, "intercom": CONTACT}  # fmt: skip
ROWS = {
    "salesforce_lead": "Id,LastName,Email,Phone,CreatedDate,HasOptedOutOfEmail,MasterRecordId\n"
    "00Q5g00000AbCdEEAV,Ay,ann@x.org,202 555 0143,2026-01-05T10:00:00Z,false,\n",
    "hubspot_contact": "Record ID,Email,Phone Number,Create Date,Additional email addresses,"
    "Merged record IDs,Unsubscribed from all email\n"
    "101,ann@x.org,+1 202 555 0143,2026-03-12 09:14,ann@home.org;a.ay@x.org,77;88,true\n",
    "stripe_invoice_export": "id,Customer,Customer Email,Date (UTC),Paid At (UTC),Amount Due,"
    'Amount Paid\nin_1,cus_1,ann@x.org,2026-01-05 08:00,2026-01-06 08:00,99.00,"1,029.50"\n',
    "google_merchant": TEXT,
    "campaign_sends": SENDS,
    "consents": CONSENTS,
}


def spoilt(thing: Any) -> Iterator[Any]:
    """The object with each of its values in turn replaced by every one that is odd."""
    for name, value in thing.items():
        yield from ({**thing, name: odd} for odd in NO_VALUES)
        if isinstance(value, dict):
            yield from ({**thing, name: inside} for inside in spoilt(value))


def read_among_odd(tmp_path: Path, form: str, files: dict[str, str]) -> None:
    """The good file is whole beside odd ones, and each row of these is accounted for."""
    mapping = HEAD + f"time_zone: UTC\ntables:\n  one: {{files: '*.x', format: {form}}}\n"
    found = Read(fill(tmp_path / "data", files, mapping), tmp_path / "workspace")
    assert found.file("good.x").status == "read"
    assert found.file("good.x").quarantined == 0
    assert all(row["raw"] for row in found.rows("records") if row["status"] == "quarantined")
    for name in files:
        report = found.file(name)
        assert report.received == report.accepted + report.duplicate + report.quarantined


@pytest.mark.parametrize("form", OBJECTS)
def test_whatever_stands_in_an_object_costs_no_other(tmp_path: Path, form: str) -> None:
    good = json.dumps(OBJECTS[form])
    odd = [json.dumps(one) for one in spoilt(OBJECTS[form])]
    cut = [good[:end] for end in range(1, len(good), 7)]
    files = {"good.x": good, "odd.x": "\n".join([*odd, good]), "cut.x": "\n".join([*cut, good])}
    read_among_odd(tmp_path, form, {**files, "foreign.x": FOREIGN})


@pytest.mark.parametrize("form", ROWS)
def test_whatever_stands_in_a_column_costs_no_other_row(tmp_path: Path, form: str) -> None:
    head, *rows = csv.reader(io.StringIO(ROWS[form]))
    written = io.StringIO(newline="")
    out = csv.writer(written, lineterminator="\n")
    out.writerow(head)
    for place in range(len(head)):
        out.writerows([*rows[0][:place], odd, *rows[0][place + 1 :]] for odd in ODD)
    out.writerows(rows)
    cut = {f"cut{end}.x": ROWS[form][:end] for end in range(1, len(ROWS[form]), 31)}
    read_among_odd(tmp_path, form, {"good.x": ROWS[form], "odd.x": written.getvalue(), **cut})


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    ticket = {**TICKET, "subject": HOSTILE, "description": "", "type": HOSTILE}
    found = Read(fill(tmp_path / "data", {"a": lines([ticket])}), tmp_path / "workspace")
    assert found.rows("events", "text", "category") == [(HOSTILE, HOSTILE)]
