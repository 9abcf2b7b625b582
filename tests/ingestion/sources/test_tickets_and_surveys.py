from pathlib import Path

import pytest
from folders import HEAD, Read, fill, lines

from kg.errors import InputError

TICKETS = HEAD + "tables:\n  support: {files: tickets.jsonl, format: tickets}\n"
SURVEY = HEAD + (
    "tables:\n  survey:\n    files: responses.csv\n    format: survey\n    key: response_id\n"
    "    identifiers: {email: email}\n    time: {column: at, zone: UTC}\n"
    "    questions: {file: questions.csv, id: question_id, text: wording, type: kind}\n"
)
QUESTIONS = "question_id,wording,kind\nq1,How likely?,nps\nq2,Why?,text\nq9,Not asked,text\n"


def read(tmp_path: Path, mapping: str, files: dict[str, str]) -> Read:
    return Read(fill(tmp_path / "data", files, mapping), tmp_path / "workspace")


def test_a_ticket_is_an_event_of_the_support_channel(tmp_path: Path) -> None:
    ticket = {
        "id": 7, "created_at": "2026-01-05T10:00:00Z", "subject": "Broken", "type": "problem",
        "description": "Call 202-555-0143 or mail a@b.org", "requester_id": 99,
        "requester": {"email": "Ann@Mail.org", "phone": "202 555 0143", "external_id": "u1"},
    }  # fmt: skip
    found = Read(
        fill(tmp_path / "data", {"tickets.jsonl": lines([ticket])}, TICKETS), tmp_path / "w"
    )
    (event,) = found.rows("events")
    assert (event["channel"], event["verb"], event["category"]) == ("support", "asked", "problem")
    assert event["text"] == "Broken\n\nCall <phone> or mail <email>"
    assert found.rows("identifiers", "namespace", "value") == [
        ("email", "ann@mail.org"), ("phone", "2025550143"), ("user_id", "u1"), ("zendesk", "99"),
    ]  # fmt: skip


def test_a_mapping_adds_to_what_a_ticket_says(tmp_path: Path) -> None:
    mapping = TICKETS.replace(
        "format: tickets}", "format: tickets, identifiers: {crm: requester.crm}, verb: complained}"
    )
    ticket = {
        "id": 1,
        "created_at": "2026-01-05T10:00:00Z",
        "subject": "x",
        "requester": {"crm": "c1"},
    }
    found = Read(
        fill(tmp_path / "data", {"tickets.jsonl": lines([ticket])}, mapping), tmp_path / "w"
    )
    assert found.rows("identifiers", "namespace", "value") == [("crm", "c1")]
    assert found.rows("events", "verb") == ["complained"]


def test_each_answered_question_is_an_event_of_one_record(tmp_path: Path) -> None:
    responses = (
        "response_id,email,at,q1,q2,other\n"
        "r1,a@b.org,2026-01-05,9,I like bob@mail.org,x\n"
        "r2,,2026-01-06,,,x\n"
    )
    files = {"responses.csv": responses, "questions.csv": QUESTIONS}
    found = Read(fill(tmp_path / "data", files, SURVEY), tmp_path / "w")
    assert found.rows(
        "events", "record_key", "object", "category", "text", "quantity", "value"
    ) == [
        ("responses.csv#r1", "How likely?", "nps", None, 9.0, None),
        ("responses.csv#r1", "Why?", "text", "I like <email>", None, None),
    ]
    assert found.rows("events", "channel", "verb") == [("survey", "answered")] * 2
    assert found.file("responses.csv").accepted == 2
    assert found.file("questions.csv").status == "linked"


def test_questions_that_no_column_answers_are_refused(tmp_path: Path) -> None:
    files = {
        "responses.csv": "response_id,email,at,z\nr1,a@b.org,2026-01-05,9\n",
        "questions.csv": QUESTIONS,
    }
    with pytest.raises(InputError, match="No column of 'survey' answers"):
        read(tmp_path, SURVEY, files)


def test_a_survey_without_a_column_for_questions_is_refused_with_its_line(tmp_path: Path) -> None:
    mapping = SURVEY.partition("    questions:")[0]
    with pytest.raises(InputError, match=r"line \d+: no column of table 'survey'") as refused:
        read(tmp_path, mapping, {"responses.csv": "response_id,email,at\nr1,a@b.org,2026-01-05\n"})
    assert "kind: event" in (refused.value.hint or "")
