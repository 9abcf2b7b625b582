"""Zendesk: pages of the incremental exports, the account's own export, single objects."""

import json
from pathlib import Path
from typing import Any

import pytest
from business import AGENT, ASKED_AT, ASKER, CHANGED_AT, COMPANY, RATING, TICKET
from folders import HEAD, WRITTEN_AT, Read, fill, lines

from ingestion.detect import recognise
from ingestion.ingest import check
from kg.errors import InputError


def change(number: int, *said: dict[str, Any], at: str = CHANGED_AT) -> dict[str, Any]:
    """A ticket event: one change of ticket 7 with what it holds."""
    return {"id": number, "ticket_id": 7, "created_at": at, "updater_id": 99,
            "event_type": "Audit", "child_events": list(said)}  # fmt: skip


def comment(number: int, author: int, body: str, **more: Any) -> dict[str, Any]:
    """A comment as an event of a ticket event."""
    return {"id": number, "event_type": "Comment", "author_id": author, "body": body, **more}


def page(**lists: Any) -> str:
    """A page of an export."""
    return json.dumps({**lists, "count": 1, "end_of_stream": True, "end_time": 3})


def read(tmp_path: Path, **files: str) -> Read:
    return Read(fill(tmp_path / "data", files), tmp_path / "workspace")


def test_a_page_holds_tickets_and_the_people_who_asked(tmp_path: Path) -> None:
    found = read(
        tmp_path, page=page(tickets=[TICKET], users=[ASKER, AGENT], organizations=[COMPANY])
    )
    report = found.file("page")
    assert (report.recognised_as, report.received, report.accepted) == ("zendesk", 4, 4)
    assert found.rows("events", "record_key", "channel", "verb", "category", "text") == [
        ("page#ticket/7", "support", "asked", "problem", "Broken\n\nCall <phone>")]  # fmt: skip
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        ("page#ticket/7", "email", "ann@x.org"),
        ("page#ticket/7", "zendesk", "99"),
        ("page#user/99", "email", "ann@x.org"),
        ("page#user/99", "user_id", "u1"),
        ("page#user/99", "zendesk", "99"),
    ]
    assert found.rows("profiles", "traits") == ['{"account":"5","locale":"en-GB"}']
    assert found.rows("person_details", "name") == ["Ann Ay"]


@pytest.mark.parametrize("indent", [None, 2])
def test_single_objects_one_a_line_and_whole_documents_say_the_same(
    tmp_path: Path, indent: int | None
) -> None:
    objects = [TICKET, ASKER, AGENT, COMPANY, RATING, change(9, comment(1, 99, "Please"))]
    content = lines(objects) if indent is None else json.dumps(objects, indent=indent)
    found = read(tmp_path, export=content)
    assert found.file("export").accepted == 7
    assert found.rows("events", "record_key", "verb") == [
        ("export#comment_event/1", "replied"),
        ("export#rating/3", "rated"),
        ("export#ticket/7", "asked"),
    ]


@pytest.mark.parametrize("newer", ["a", "b"])
def test_of_a_ticket_exported_twice_the_newest_counts(tmp_path: Path, newer: str) -> None:
    older = "b" if newer == "a" else "a"
    ticket = {**TICKET, "subject": "Solved", "generated_timestamp": 1767700001}
    found = read(tmp_path, **{older: page(tickets=[TICKET]), newer: page(tickets=[ticket])})
    assert found.rows("events", "record_key", "text") == [
        (f"{newer}#ticket/7", "Solved\n\nCall <phone>")]  # fmt: skip
    assert found.file(older).duplicate == 1
    assert found.rows("records", "duplicate_of") == [None, f"{newer}#ticket/7"]


def test_a_newer_export_that_comes_later_replaces_what_was_read_before(tmp_path: Path) -> None:
    read(tmp_path, monday=page(tickets=[TICKET, {**TICKET, "id": 8}]))
    without = {name: one for name, one in TICKET.items() if name != "generated_timestamp"}
    ticket = {**without, "subject": "Solved", "updated_at": "2026-01-07T10:00:00Z"}
    found = read(tmp_path, tuesday=page(tickets=[ticket]))
    assert found.rows("events", "record_key") == ["monday#ticket/7", "monday#ticket/8"]
    assert found.file("monday").duplicate == 1
    again = Read(tmp_path / "data", tmp_path / "workspace")
    assert again.rows("events") == found.rows("events")


def test_a_deleted_ticket_says_nothing_any_more(tmp_path: Path) -> None:
    gone = {**TICKET, "status": "deleted", "subject": "SCRUBBED", "description": "SCRUBBED",
            "generated_timestamp": 1767800000}  # fmt: skip
    found = read(tmp_path, a=page(tickets=[TICKET]), b=page(tickets=[gone]))
    assert found.rows("events") == []
    assert found.rows("identifiers") == []
    assert (found.file("a").duplicate, found.file("b").accepted) == (1, 1)


def test_scrubbed_words_are_no_text(tmp_path: Path) -> None:
    ticket = {**TICKET, "subject": "SCRUBBED", "description": "SCRUBBED"}
    assert read(tmp_path, a=page(tickets=[ticket])).rows("events", "text") == [None]


def test_comments_count_where_their_author_is_known_to_be_no_agent(tmp_path: Path) -> None:
    asked = change(8, comment(1, 99, "Broken"), {"id": 2, "event_type": "Create"}, at=ASKED_AT)
    talk = change(9, comment(3, 99, "Still broken, mail a@b.org"), comment(4, 1, "We look"),
                  comment(5, 55, "Me too"), {"id": 6, "event_type": "Change"})  # fmt: skip
    found = read(tmp_path, events=page(ticket_events=[asked, talk]),
                 users=page(users=[ASKER, AGENT]))  # fmt: skip
    assert found.file("events").accepted == 6  # two changes, four comments
    assert found.rows("events", "record_key", "verb", "text", "basket_id") == [
        ("events#comment_event/3", "replied", "Still broken, mail <email>", "7")]  # fmt: skip


def test_the_account_s_own_export_has_the_talk_inside_the_ticket(tmp_path: Path) -> None:
    talk = [
        {"id": n, "author_id": author, "body": f"<p>{n}</p>", "plain_body": f"Said {n}",
         "created_at": CHANGED_AT, "public": True}
        for n, author in [(1, 99), (2, 1), (3, 99)]
    ]  # fmt: skip
    ticket = {**TICKET, "comments": talk, "requester": ASKER}
    found = read(tmp_path, export=lines([ticket, ASKER, AGENT]))
    assert found.rows("events", "record_key", "text") == [
        ("export#comment/3", "Said 3"), ("export#ticket/7", "Broken\n\nCall <phone>")]  # fmt: skip
    assert ("export#ticket/7", "user_id", "u1") in found.rows(
        "identifiers", "record_key", "namespace", "value"
    )


def test_tickets_that_agents_ask_are_nobody_s(tmp_path: Path) -> None:
    ticket = {**TICKET, "requester_id": 1, "via": {"channel": "web"}}
    found = read(tmp_path, a=page(tickets=[ticket], users=[AGENT]))
    assert (found.file("a").accepted, found.rows("events")) == (2, [])


def test_a_suspended_user_and_what_they_wrote_are_nobody_s(tmp_path: Path) -> None:
    for n, (suspended, named) in enumerate(((True, 0), (False, 2))):
        page = {"tickets": [TICKET], "users": [{**ASKER, "suspended": suspended}]}
        found = Read(
            fill(tmp_path / f"data{n}", {"a.json": json.dumps(page)}), tmp_path / f"workspace{n}"
        )
        assert found.file("a.json").accepted == 2
        assert len(set(found.rows("identifiers", "record_key"))) == named


def test_a_user_who_was_merged_away_is_reached_through_the_identities(tmp_path: Path) -> None:
    lost = {**ASKER, "id": 98, "email": "old@x.org", "external_id": "u0"}
    gone = {**lost, "active": False, "updated_at": "2026-02-01T00:00:00Z"}
    kept = [{"id": n, "user_id": 99, "type": kind, "value": value, "verified": True,
             "primary": False, "created_at": ASKED_AT, "updated_at": ASKED_AT}
            for n, kind, value in [(1, "email", "old@x.org"), (2, "twitter", "12345")]]  # fmt: skip
    found = read(
        tmp_path, a=page(users=[lost]), b=page(users=[ASKER, gone]), c=page(identities=kept)
    )
    assert found.rows("identifiers", "record_key", "namespace", "value") == [
        ("b#user/99", "email", "ann@x.org"),
        ("b#user/99", "user_id", "u1"),
        ("b#user/99", "zendesk", "99"),
        ("c#identity/1", "email", "old@x.org"),
        ("c#identity/1", "zendesk", "99"),
        ("c#identity/2", "zendesk", "99"),
    ]


def test_a_rating_is_an_event_unless_it_was_only_offered(tmp_path: Path) -> None:
    offered = {**RATING, "id": 4, "score": "offered", "comment": None}
    found = read(tmp_path, a=page(satisfaction_ratings=[RATING, offered]))
    assert found.rows("events", "verb", "object", "text", "channel") == [
        ("rated", "good", "Quick", "support")]  # fmt: skip
    assert found.file("a").accepted == 2


def test_a_mapping_adds_to_a_part(tmp_path: Path) -> None:
    mapping = HEAD + (
        "tables:\n  help:\n    files: a.json\n    format: zendesk\n"
        "    parts: {ticket: {identifiers: {order: fields.order}, category: priority}}\n"
    )
    ticket = {**TICKET, "fields": {"order": "o-1"}, "priority": "high"}
    folder = fill(tmp_path / "data", {"a.json": page(tickets=[ticket])}, mapping)
    found = Read(folder, tmp_path / "workspace")
    assert found.rows("identifiers", "namespace", "value") == [
        ("email", "ann@x.org"), ("order", "o-1"), ("zendesk", "99")]  # fmt: skip
    assert found.rows("events", "category") == ["high"]


def test_an_export_without_anything_in_it_is_a_file_without_records(tmp_path: Path) -> None:
    mapping = HEAD + "tables:\n  help: {files: a.json, format: zendesk}\n"
    folder = fill(tmp_path / "data", {"a.json": page(tickets=[], users=[])}, mapping)
    (report,) = check(folder).files
    assert (report.status, report.received) == ("read", 0)
    with pytest.raises(InputError, match="No record in 'data' can be used: its files hold none"):
        Read(folder, tmp_path / "workspace")


def test_a_page_on_one_line_may_be_longer_than_a_record(tmp_path: Path) -> None:
    tickets = [{**TICKET, "id": n, "description": "x" * 2000} for n in range(1000)]
    found = read(tmp_path, page=page(tickets=tickets))
    assert found.file("page").accepted == 1000


def test_tickets_of_another_help_desk_are_still_tickets(tmp_path: Path) -> None:
    other = {"id": 1, "created_at": ASKED_AT, "requester_id": 5, "subject": "x", "status": "open"}
    assert recognise(fill(tmp_path, {"a": lines([other])}) / "a") == "tickets"
    assert WRITTEN_AT > 1767800000  # what is written here is not of the future


DESK = f"{HEAD}tables:\n  desk: {{files: '*', format: zendesk}}\n"


def test_who_wrote_is_known_from_a_file_that_was_read_before(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"january": page(users=[AGENT, ASKER])}, DESK)
    Read(folder, tmp_path / "workspace")
    own = {**TICKET, "id": 8, "requester_id": AGENT["id"], "requester": None}
    said = page(tickets=[TICKET, own], ticket_events=[change(9, comment(1, 99, "Please"))])
    found = Read(fill(folder, {"february": said}), tmp_path / "workspace")
    assert found.rows("events", "record_key", "verb") == [
        ("february#comment_event/1", "replied"), ("february#ticket/7", "asked")]  # fmt: skip


def test_of_a_user_exported_twice_the_newest_says_whether_their_tickets_count(
    tmp_path: Path,
) -> None:
    said = page(users=[AGENT, ASKER], tickets=[TICKET])
    folder = fill(tmp_path / "data", {"january": said}, DESK)
    assert Read(folder, tmp_path / "workspace").rows("events", "verb") == ["asked"]
    spammer = {**ASKER, "suspended": True, "updated_at": "2026-03-01T00:00:00Z"}
    found = Read(fill(folder, {"march": page(users=[spammer])}), tmp_path / "workspace")
    assert found.rows("events") == []
