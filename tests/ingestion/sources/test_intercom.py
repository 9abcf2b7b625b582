"""Intercom: lists of its API and single objects; leads that become users; HTML; epoch seconds."""

import json
from pathlib import Path
from typing import Any

from folders import Read, fill, lines

AT, LATER = 1767600000, 1767700000
ANN: dict[str, Any] = {
    "type": "contact", "id": "c1", "external_id": "u1", "role": "user", "email": "Ann@x.org",
    "phone": "+1 202 555 0143", "name": "Ann Ay", "created_at": AT, "updated_at": AT,
    "unsubscribed_from_emails": True, "location": {"type": "location", "country": "Ireland"},
    "companies": {"type": "list", "data": [{"type": "company", "id": "co1"}]},
}  # fmt: skip
LEAD = {**ANN, "id": "c2", "role": "lead", "external_id": "6b3a-made-up", "email": None,
        "phone": None, "unsubscribed_from_emails": False}  # fmt: skip
COMPANY = {"type": "company", "id": "co1", "company_id": "7", "name": "Acme", "created_at": AT}
TALK: dict[str, Any] = {
    "type": "conversation", "id": "900", "created_at": AT, "updated_at": LATER, "state": "closed",
    "source": {"type": "conversation", "delivered_as": "customer_initiated", "subject": "",
               "body": "<p>It&#39;s <b>broken</b>&nbsp;&amp; late<br>Mail a@b.org</p>",
               "author": {"type": "user", "id": "c1", "name": "Ann Ay", "email": "ann@x.org"}},
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c1"}]},
    "conversation_rating": {"rating": 4, "remark": "Kind", "created_at": LATER},
    "conversation_parts": {"type": "conversation_part.list", "total_count": 3,
        "conversation_parts": [
            {"type": "conversation_part", "id": "1", "part_type": "comment", "body": "We look",
             "created_at": AT + 60, "author": {"type": "admin", "id": "9"}},
            {"type": "conversation_part", "id": "2", "part_type": "comment", "body": "<p>Ta</p>",
             "created_at": AT + 120, "author": {"type": "lead", "id": "c2"}},
            {"type": "conversation_part", "id": "3", "part_type": "close", "body": None,
             "created_at": AT + 180, "author": {"type": "user", "id": "c1"}},
        ]},
}  # fmt: skip


def read(tmp_path: Path, **files: str) -> Read:
    return Read(fill(tmp_path / "data", files), tmp_path / "workspace")


def test_lists_of_contacts_and_conversations_say_who_asked_what(tmp_path: Path) -> None:
    people = {"type": "list", "data": [ANN, LEAD, COMPANY], "total_count": 3, "pages": {}}
    talks = {"type": "conversation.list", "conversations": [TALK], "total_count": 1}
    found = read(tmp_path, people=json.dumps(people), talks=json.dumps(talks, indent=2))
    assert (found.file("people").recognised_as, found.file("people").accepted) == ("intercom", 3)
    assert (found.file("talks").recognised_as, found.file("talks").accepted) == ("intercom", 2)
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        ("people#contact/c1", "email", "ann@x.org"),
        ("people#contact/c1", "intercom", "c1"),
        ("people#contact/c1", "phone", "12025550143"),
        ("people#contact/c1", "user_id", "u1"),
        ("people#contact/c2", "intercom", "c2"),
        ("talks#conversation/900", "email", "ann@x.org"),
        ("talks#conversation/900", "intercom", "c1"),
        ("talks#reply/2", "intercom", "c2"),
    ]
    assert found.rows("events", "verb", "text", "quantity", "occurred_at_ms", "channel") == [
        ("asked", "It's broken & late\nMail <email>", None, AT * 1000, "support"),
        ("rated", "Kind", 4.0, LATER * 1000, "support"),
        ("replied", "Ta", None, (AT + 120) * 1000, "support"),
    ]
    assert found.rows("consents", "record_key", "purpose", "granted") == [
        ("people#contact/c1", "email", False), ("people#contact/c2", "email", True)]  # fmt: skip
    assert (
        found.rows("profiles", "traits")[0] == '{"role":"lead","country":"Ireland","account":"co1"}'
    )


def test_a_lead_that_became_a_user_is_one_contact_and_merges_are_claims(tmp_path: Path) -> None:
    now = {**LEAD, "role": "user", "external_id": "u2", "updated_at": LATER}
    gone = {"type": "contact", "id": "c1", "external_id": "u1", "deleted": True}
    found = read(tmp_path, a=lines([ANN, LEAD]), b=lines([now, gone, {"from": "c7", "into": "c2"}]))
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        ("b#contact/c2", "intercom", "c2"),
        ("b#contact/c2", "user_id", "u2"),
        ("b#merge/c7/c2", "intercom", "c2"),
    ]
    assert found.rows("merged_ids", "namespace", "value", "into_value") == [
        ("intercom", "c7", "c2")]  # fmt: skip
    assert (found.file("a").duplicate, found.file("b").accepted) == (2, 3)


def test_what_admins_and_campaigns_begin_is_no_deed_and_what_is_answered_is(tmp_path: Path) -> None:
    source = {**TALK["source"], "delivered_as": "campaigns_initiated",
              "author": {"type": "admin", "id": "9"}}  # fmt: skip
    found = read(tmp_path, a=lines([{**TALK, "source": source}]))
    assert found.rows("events", "record_key", "verb") == [("a#reply/2", "replied")]
    assert found.file("a").accepted == 2
