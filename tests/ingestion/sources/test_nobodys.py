"""What a robot fetched, somebody only tried out, or a vendor has deleted counts for nobody."""

import json
from pathlib import Path
from typing import Any

import pytest
from business import CONTACT, TALK
from folders import Read, fill, lines
from vendors import AT, AT_MS, ga4, jsonl, snowplow_row, uid

CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36"
PLAIN = "2026-01-05 10:00:00.000"


def read(tmp_path: Path, content: str | bytes) -> Read:
    return Read(fill(tmp_path / "data", {"a": content}), tmp_path / "workspace")


def people(found: Read) -> list[str]:
    """The values that name somebody, each record accepted."""
    assert set(found.rows("records", "status")) <= {"accepted", "duplicate"}
    return sorted(set(found.rows("identifiers", "value")))


def test_robots_of_a_web_log_are_told_from_browsers_and_apps(tmp_path: Path) -> None:
    robots = [
        CRAWLER, "facebookexternalhit/1.1", "meta-externalagent/1.1", "node-fetch/1.0", "axios/1.2",
        "Mediapartners-Google", "kube-probe/1.2", "ELB-HealthChecker/2.0", "Ruby", "GuzzleHttp/7",
        "Mozilla/5.0 (compatible; AhrefsSiteAudit/6.1)", "Mozilla/5.0 Chrome-Lighthouse",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); ChatGPT-User/1.0", "WhatsApp/2.19",
    ]  # fmt: skip
    agents = [
        BROWSER, "Mozilla/5.0 (Linux; Android 11; CUBOT X30)", "Dalvik/2.1.0 (Linux; Android 11)",
        "Shop/3.1 CFNetwork/1240 Darwin/20", "Mozilla/4.0 (compatible; MSIE 8.0)",
    ]  # fmt: skip
    written = [
        f'192.0.2.1 - - [05/Jan/2026:10:00:00 +0000] "GET /{n} HTTP/1.1" 200 5 "-" "{agent}"\n'
        for n, agent in enumerate([*agents, *robots])
    ]
    found = read(tmp_path, "".join(written))
    assert found.rows("events", "object") == ["/0", "/1", "/2", "/3", "/4"]
    assert len(people(found)) == 5
    assert found.report.datasets[0].left_out == len(robots)


def test_robots_that_run_the_scripts_of_a_page_are_no_people(tmp_path: Path) -> None:
    usual = {"type": "page", "timestamp": AT, "name": "Home"}
    found = read(tmp_path, lines(
        {**usual, "messageId": f"m{n}", "anonymousId": f"a{n}", "context": {"userAgent": agent}}
        for n, agent in enumerate([CRAWLER, BROWSER])
    ))  # fmt: skip
    assert people(found) == ["a1"]
    assert len(found.rows("events")) == 1


def test_an_app_called_like_a_robot_is_used_by_people(tmp_path: Path) -> None:
    agents = [
        "iRobot/5.1 CFNetwork/1240 Darwin/20", "Spider/2.0 (Dalvik/2.1.0; Android 11)",
        "Mozilla/5.0 (Linux; Android 11; wv) Chrome/120.0 Mobile PriceScanner/3 HeartMonitor/1",
    ]  # fmt: skip
    usual = {"type": "screen", "timestamp": AT, "name": "Home"}
    found = read(tmp_path, lines(
        {**usual, "messageId": f"m{n}", "anonymousId": f"a{n}", "context": {"userAgent": agent}}
        for n, agent in enumerate(agents)
    ))  # fmt: skip
    assert people(found) == ["a0", "a1", "a2"]
    assert len(found.rows("events")) == 3


def test_robots_that_snowplow_has_recognised_are_no_people(tmp_path: Path) -> None:
    iab = {"schema": "iglu:com.iab.snowplow/spiders_and_robots/jsonschema/1-0-0",
           "data": {"spiderOrRobot": True}}  # fmt: skip
    yauaa = {"schema": "iglu:nl.basjes/yauaa_context/jsonschema/1-0-4",
             "data": {"agentClass": "Robot"}}  # fmt: skip
    person = {**iab, "data": {"spiderOrRobot": False}}
    told: list[dict[str, Any]] = [
        *({"derived_contexts": json.dumps({"data": [one]})} for one in (iab, yauaa, person)),
        {"useragent": CRAWLER},
    ]
    rows = [
        snowplow_row(event="page_view", event_id=uid(n), domain_userid=f"d{n}",
                     collector_tstamp=PLAIN, **one)
        for n, one in enumerate(told)
    ]  # fmt: skip
    assert people(read(tmp_path / "tsv", "\n".join(rows) + "\n")) == ["d2"]
    column = "contexts_com_iab_snowplow_spiders_and_robots_1"
    flat = [
        {"event_id": uid(n), "event": "page_view", "collector_tstamp": AT, "domain_userid": f"d{n}",
         column: [{"spider_or_robot": robot}]}
        for n, robot in enumerate([True, False])
    ]  # fmt: skip
    assert people(read(tmp_path / "flat", jsonl(flat))) == ["d1"]


def test_what_developers_try_out_in_google_analytics_is_nobody_s(tmp_path: Path) -> None:
    def event(who: str, **param: Any) -> dict[str, Any]:
        params = [{"key": key, "value": value} for key, value in param.items()]
        return {**ga4()[0], "user_pseudo_id": who, "event_params": params}

    found = read(tmp_path, jsonl([
        event("1.1", debug_mode={"int_value": "1"}), event("2.2", page_title={"string_value": "x"}),
        event("3.3", traffic_type={"string_value": "internal"}),
    ]))  # fmt: skip
    assert people(found) == ["2.2"]
    assert len(found.rows("events")) == 1


def test_of_a_person_of_posthog_the_newest_version_counts_and_a_deleted_one_is_nobody(
    tmp_path: Path,
) -> None:
    def person(who: str, mail: str, version: int, of_id: int, gone: bool = False) -> Any:
        return {"team_id": 1, "distinct_id": who, "person_id": uid(version),
                "person_version": version, "person_distinct_id_version": of_id,
                "properties": {"email": mail}, "created_at": AT, "is_deleted": gone}  # fmt: skip

    found = read(tmp_path, jsonl([
        person("u1", "old@x.org", 9, 0), person("u1", "new@x.org", 1, 1),
        person("u2", "gone@x.org", 102, 100, gone=True), person("u2", "gone@x.org", 2, 0),
    ]))  # fmt: skip
    assert people(found) == [uid(1), "new@x.org", "u1"]


def test_a_contact_in_hubspot_s_bin_is_nobody(tmp_path: Path) -> None:
    found = read(tmp_path, lines(
        {"id": str(n), "archived": gone, "createdAt": AT, "updatedAt": AT,
         "properties": {"hs_object_id": str(n), "createdate": AT, "email": f"n{n}@x.org"}}
        for n, gone in enumerate([False, True], 1)
    ))  # fmt: skip
    assert people(found) == ["1", "n1@x.org"]


def test_what_stripe_deleted_drafted_or_was_never_paid_is_nobody_s(tmp_path: Path) -> None:
    live = {"created": AT_MS // 1000, "livemode": True}
    files = {
        "customers": [{"id": "cus_1", "object": "customer", **live},
                      {"id": "cus_2", "object": "customer", "deleted": True}],
        "subscriptions": [
            {"id": f"sub_{status}", "object": "subscription", "customer": "cus_1", "status": status,
             **live}
            for status in ("active", "incomplete", "incomplete_expired")],
        "invoices": [
            {"id": f"in_{status}", "object": "invoice", "customer": "cus_1", "status": status,
             "amount_paid": 0, "currency": "eur", **live}
            for status in ("open", "draft")],
    }  # fmt: skip
    written = {name: lines(objects) for name, objects in files.items()}
    found = Read(fill(tmp_path / "data", written), tmp_path / "workspace")
    assert people(found) == ["cus_1"]
    assert found.rows("events", "record_key", "verb") == [
        ("invoices#in_open", "was_invoiced"), ("subscriptions#sub_active", "subscribed"),
    ]  # fmt: skip


def test_what_was_taken_out_of_a_conversation_is_no_text(tmp_path: Path) -> None:
    parts = [
        {"type": "conversation_part", "id": str(n), "part_type": "comment", "body": body,
         "created_at": TALK["created_at"] + n, "author": {"type": "user", "id": "c1"},
         "redacted": n > 0}
        for n, body in enumerate(["<p>Hi</p>", "<p>This message was deleted</p>"])
    ]  # fmt: skip
    talk = {**TALK, "conversation_rating": None,
            "source": {**TALK["source"], "body": "<i>This message was deleted</i>"},
            "conversation_parts": {"conversation_parts": parts}}  # fmt: skip
    found = read(tmp_path, lines([CONTACT, talk]))
    assert set(found.rows("events", "text")) == {None, "Hi"}


@pytest.mark.parametrize(("status", "counts"), [
    ("IP Address", True), ("0", True), ("Imported", True), ("4", True), ("16", True), ("32", True),
    ("Survey Preview", False), ("Survey Test", False), ("Possible Spam", False), ("9", False),
    ("17", False), ("40", False), ("Offline Survey Preview", False),
])  # fmt: skip
def test_previews_tests_and_spam_of_qualtrics_are_no_answers(
    tmp_path: Path, status: str, counts: bool
) -> None:
    found = read(
        tmp_path,
        "EndDate,Status,ResponseId,RecipientEmail,Q1\nEnd Date,Type,Response ID,Email,Well?\n"
        + ",".join('"{""ImportId"":""' + one + '""}"' for one in (
            'endDate"",""timeZone"":""Z', "status", "_recordId", "recipientEmail", "QID1"))
        + f"\n2026-01-05 10:00:00,{status},R_1,ann@x.org,Yes\n",
    )  # fmt: skip
    assert (people(found) == ["ann@x.org"]) is counts
    assert bool(found.rows("events")) is counts
