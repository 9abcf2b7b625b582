"""HubSpot contacts: labels or internal names, merged records and other addresses."""

import json
from pathlib import Path
from typing import Any

import pytest
from folders import HEAD, Read, fill, lines

from ingestion.detect import recognise
from ingestion.propose import propose
from kg.errors import InputError

PORTAL = (
    "Record ID,First Name,Last Name,Email,Phone Number,Create Date,Lifecycle Stage,"
    "Additional email addresses,Merged record IDs,Unsubscribed from all email,Shoe Size\n"
    "101,Ann,Ay,Ann@x.org,+1 202 555 0143,2026-03-12 09:14,Customer,"
    "ann@home.org;a.ay@x.org,77;88,true,39\n"
    "102,Bo,Be,bo@x.org,,2026-03-13 10:00,Lead,,,false,\n"
    "103,Cy,Ce,,,13/03/2026,Lead,,,,\n"
)
API: list[dict[str, Any]] = [
    {
        "id": "101",
        "properties": {
            "email": "ann@x.org", "createdate": "2026-03-12T08:14:00.123Z", "hs_object_id": "101",
            "hs_additional_emails": "ann@home.org", "hs_merged_object_ids": "77;88",
            "lifecyclestage": "customer", "hs_email_optout": None,
        },
        "createdAt": "2026-03-12T08:14:00.123Z", "archived": False,
    },
]  # fmt: skip
MAPPING = HEAD + (
    "time_zone: Europe/Berlin\ntables:\n  people: {files: contacts.csv, format: hubspot_contact}\n"
)


def test_the_portal_s_labels_are_read(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", {"contacts.csv": PORTAL}, MAPPING)
    assert recognise(folder / "contacts.csv") == "hubspot_contact"
    found = Read(folder, tmp_path / "workspace")
    ann = [row[1:] for row in found.rows("identifiers", "record_key", "namespace", "value")
           if row[0] == "contacts.csv#101"]  # fmt: skip
    assert ann == [
        ("email", "a.ay@x.org"), ("email", "ann@home.org"), ("email", "ann@x.org"),
        ("hubspot", "101"), ("phone", "12025550143"),
    ]  # fmt: skip
    assert found.rows("merged_ids", "namespace", "value", "into_value") == [
        ("hubspot", "77", "101"), ("hubspot", "88", "101")]  # fmt: skip
    assert found.rows("person_details", "given_name", "family_name")[0] == ("Ann", "Ay")
    assert found.rows("profiles", "record_key", "occurred_at_ms")[0] == (
        "contacts.csv#101", 1773303240000)  # fmt: skip
    assert found.rows("consents", "record_key", "granted") == [
        ("contacts.csv#101", False), ("contacts.csv#102", True)]  # fmt: skip
    assert found.reasons() == {3: "unreadable_time"}
    assert found.report.datasets[0].unread == ("Shoe Size",)


@pytest.mark.parametrize(
    "label",
    ["Merged object IDs", "Merged record IDs", "Merged contact IDs", "hs_merged_object_ids"],
)
def test_merged_ids_have_several_labels(tmp_path: Path, label: str) -> None:
    content = f"Record ID,Email,Create Date,{label}\n51,ann@x.org,2026-01-01 09:30,49;50\n"
    folder = fill(tmp_path / "data", {"contacts.csv": content}, MAPPING)
    assert recognise(folder / "contacts.csv") == "hubspot_contact"
    found = Read(folder, tmp_path / "workspace")
    assert found.rows("merged_ids", "namespace", "value", "into_value") == [
        ("hubspot", "49", "51"), ("hubspot", "50", "51")]  # fmt: skip


@pytest.mark.parametrize(
    "head",
    ["Record ID,Email,Create Date", "hs_object_id,email,createdate", "vid,email,createdate",
     "id,email,createdate,hs_lead_status", "Contact ID,Email,Create Date,Marketing contact status"],
)  # fmt: skip
def test_it_is_known_by_what_is_its_own(tmp_path: Path, head: str) -> None:
    rest = ",x" * (head.count(",") - 2)
    fill(tmp_path, {"c.csv": f"{head}\n1,a@x.org,2026-01-01 09:30{rest}\n"})
    assert recognise(tmp_path / "c.csv") == "hubspot_contact"


@pytest.mark.parametrize("page", [True, False])
def test_what_the_api_returns_needs_no_mapping(tmp_path: Path, page: bool) -> None:
    content = json.dumps({"results": API}, indent=2) if page else lines(API)
    found = Read(fill(tmp_path / "data", {"c.json": content}), tmp_path / "workspace")
    assert found.file("c.json").recognised_as == "hubspot_contact"
    assert found.rows("identifiers", "namespace", "value") == [
        ("email", "ann@home.org"), ("email", "ann@x.org"),
        ("hubspot", "101"),
    ]  # fmt: skip
    assert len(found.rows("merged_ids")) == 2
    assert found.rows("consents") == []


def test_of_several_exports_of_a_contact_the_newest_counts(tmp_path: Path) -> None:
    (ann,) = API
    before = {**ann["properties"], "hs_merged_object_ids": "", "email": "ann@old.org"}
    files = {"a.jsonl": lines([{**ann, "properties": before, "updatedAt": "2026-03-12T09:00:00Z"}]),
             "b.jsonl": lines([{**ann, "updatedAt": "2026-04-01T09:00:00Z"}])}  # fmt: skip
    found = Read(fill(tmp_path / "data", files), tmp_path / "workspace")
    assert [(one.accepted, one.duplicate) for one in found.report.files] == [(0, 1), (1, 0)]
    assert found.rows("merged_ids", "value") == ["77", "88"]
    assert "ann@old.org" not in found.rows("identifiers", "value")


def test_an_id_that_became_an_object_is_quarantined_and_the_rest_read(tmp_path: Path) -> None:
    changed = {"id": "9", "properties": {**API[0]["properties"], "hs_object_id": {"v": 9}}}
    mapping = MAPPING.replace("contacts.csv", "c.jsonl")
    folder = fill(tmp_path / "data", {"c.jsonl": lines([*API, changed])}, mapping)
    found = Read(folder, tmp_path / "workspace")
    assert found.reasons() == {2: "wrong_type"}
    assert found.file("c.jsonl").accepted == 1


def test_times_on_the_account_s_clock_need_its_zone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="carry no zone"):
        Read(fill(tmp_path / "data", {"contacts.csv": PORTAL}), tmp_path / "workspace")


def test_whose_clock_it_is_is_asked_once(tmp_path: Path) -> None:
    found = propose(fill(tmp_path, {"a.csv": PORTAL, "b.json": json.dumps({"results": API})}))
    assert found.text.count("times of hubspot_contact") == 1
