"""Intercom: lists of its API and single objects; leads that become users; HTML; epoch seconds."""

import json
from pathlib import Path

from business import ACCOUNT, CONTACT, FROM_S, LEAD, TALK, UNTIL_S
from folders import Read, fill, lines


def read(tmp_path: Path, **files: str) -> Read:
    return Read(fill(tmp_path / "data", files), tmp_path / "workspace")


def test_lists_of_contacts_and_conversations_say_who_asked_what(tmp_path: Path) -> None:
    people = {"type": "list", "data": [CONTACT, LEAD, ACCOUNT], "total_count": 3, "pages": {}}
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
        ("asked", "It's broken & late\nMail <email>", None, FROM_S * 1000, "support"),
        ("rated", "Kind", 4.0, UNTIL_S * 1000, "support"),
        ("replied", "Ta", None, (FROM_S + 120) * 1000, "support"),
    ]
    assert found.rows("consents", "record_key", "purpose", "granted") == [
        ("people#contact/c1", "email", False), ("people#contact/c2", "email", True)]  # fmt: skip
    assert (
        found.rows("profiles", "traits")[0] == '{"role":"lead","country":"Ireland","account":"co1"}'
    )


def test_a_lead_that_became_a_user_is_one_contact_and_merges_are_claims(tmp_path: Path) -> None:
    now = {**LEAD, "role": "user", "external_id": "u2", "updated_at": UNTIL_S}
    gone = {"type": "contact", "id": "c1", "external_id": "u1", "deleted": True}
    found = read(
        tmp_path, a=lines([CONTACT, LEAD]), b=lines([now, gone, {"from": "c7", "into": "c2"}])
    )
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
