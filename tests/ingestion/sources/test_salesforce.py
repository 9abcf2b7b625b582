"""Salesforce: recognised by ids, one id of two lengths, merges and conversions as one person."""

from pathlib import Path

import pytest
from folders import HEAD, Read, fill

from ingestion.detect import find_mapping, recognise
from kg.errors import InputError

LEADS = (
    "Id,LastName,Email,Phone,Status,CreatedDate,ConvertedContactId,MasterRecordId,"
    "HasOptedOutOfEmail,DoNotCall,Score__c\n"
    "00Q5g00000AbCdE,Ay,ann@x.org,202 555 0143,Qualified,2026-01-05T10:00:00.000+0000,"
    "0035g00000AbCdEAAV,,false,true,7\n"
    "00Q5g00000AbCdFEAV,Bo,bo@x.org,,Open,2026-01-05T11:00:00.000Z,,00Q5g00000AbCdE,true,false,8\n"
)
CONTACTS = (
    "ID,LASTNAME,EMAIL,MOBILEPHONE,ACCOUNTID,CREATEDDATE\n"
    "0035g00000AbCdEAAV,Ay,ann@x.org,,0015g00000NoVcm,2026-01-06 09:00:00\n"
)
ACCOUNTS = (
    "Id,Name,Industry,Type,IsPersonAccount,PersonEmail,CreatedDate\n"
    "0015g00000NoVcmAAF,Acme,Energy,Customer,false,,2026-01-01T00:00:00Z\n"
    "0015g00000NoVcnAAF,Cy Co,Retail,Customer,true,cy@x.org,2026-01-01T00:00:00Z\n"
)
MEMBERS = (
    "Id,CampaignId,LeadId,ContactId,Status,HasResponded,FirstRespondedDate,CreatedDate\n"
    "00v5g00000AbCdEAAV,7015g00000AbCdE,00Q5g00000AbCdE,0035g00000AbCdE,Sent,true,"
    "2026-02-03,2026-02-01T00:00:00Z\n"
    "00v5g00000AbCdFAAV,7015g00000AbCdEAAV,,0035g00000AbCdE,Sent,false,,2026-02-01T00:00:00Z\n"
)
OPPORTUNITIES = (
    "Id,StageName,CloseDate,Amount,IsClosed,IsWon,ContactId,CreatedDate,CampaignId,Type\n"
    "0065g00000AbCdEAAV,Closed Won,2026-03-01,1200.50,true,true,0035g00000AbCdE,"
    "2026-02-01T00:00:00Z,7015g00000AbCdE,New\n"
    "0065g00000AbCdFAAV,Proposal,2031-03-01,99,false,false,0035g00000AbCdE,"
    "2026-02-02T00:00:00Z,,New\n"
)
CASES = (
    "Id,CaseNumber,ContactId,SuppliedEmail,Subject,Description,Type,IsClosed,ClosedDate,CreatedDate\n"
    "5003000000D8cuI,0001,0035g00000AbCdE,,Broken,Call 202-555-0143,Problem,true,"
    "2026-02-05T12:00:00Z,2026-02-04T12:00:00Z\n"
)


def read(tmp_path: Path, **files: str) -> Read:
    named = {f"{name}.csv": content for name, content in files.items()}
    return Read(fill(tmp_path / "data", named), tmp_path / "workspace")


def test_every_object_is_recognised_by_its_ids_whatever_the_file_is_called(tmp_path: Path) -> None:
    files = {"leads": LEADS, "contacts": CONTACTS, "accounts": ACCOUNTS, "members": MEMBERS,
             "opportunities": OPPORTUNITIES, "cases": CASES,
             "campaigns": "Id,Name,Type\n7015g00000AbCdEAAV,Spring,Email\n"}  # fmt: skip
    folder = fill(tmp_path, {f"{n}.txt": content for n, (_, content) in enumerate(files.items())})
    found = [recognise(folder / f"{n}.txt") for n in range(len(files))]
    assert found == [
        "salesforce_lead", "salesforce_contact", "salesforce_account",
        "salesforce_campaign_member", "salesforce_opportunity", "salesforce_case",
        "salesforce_campaign"]  # fmt: skip


def test_ids_of_15_characters_become_those_of_18(tmp_path: Path) -> None:
    found = read(tmp_path, cases=CASES, accounts=ACCOUNTS, contacts=CONTACTS)
    assert found.rows("records", "record_key") == [
        "accounts.csv#0015g00000NoVcmAAF", "accounts.csv#0015g00000NoVcnAAF",
        "cases.csv#5003000000D8cuIAAR", "contacts.csv#0035g00000AbCdEAAV"]  # fmt: skip


def test_a_converted_lead_names_its_contact_and_a_merged_one_its_master(tmp_path: Path) -> None:
    found = read(tmp_path, leads=LEADS, contacts=CONTACTS)
    assert found.rows("merged_ids", "record_key", "namespace", "value", "into_value") == [
        ("leads.csv#00Q5g00000AbCdEEAV", "salesforce", "00Q5g00000AbCdEEAV", "0035g00000AbCdEAAV"),
        ("leads.csv#00Q5g00000AbCdFEAV", "salesforce", "00Q5g00000AbCdFEAV", "00Q5g00000AbCdEEAV"),
    ]
    ids = [value for space, value in found.rows("identifiers", "namespace", "value")
           if space == "salesforce"]  # fmt: skip
    assert ids == ["0035g00000AbCdEAAV", "00Q5g00000AbCdEEAV", "00Q5g00000AbCdFEAV"]
    assert set(found.rows("person_details", "family_name")) == {"Ay", "Bo"}


STATES = (
    "Id,LastName,Email,IsDeleted,MasterRecordId,HasOptedOutOfEmail,CreatedDate,SystemModstamp\n"
)
BEGUN = "2026-01-05T10:00:00.000Z"


def test_of_several_exports_the_newest_says_what_a_contact_is_and_went_into(tmp_path: Path) -> None:
    ann, bo, cy = (f"0035g00000AbCd{letter}AAV" for letter in "EFG")
    first = "".join(
        f"{one},Ay,{mail},false,,false,{BEGUN},{BEGUN}\n"
        for one, mail in ((ann, "ann@x.org"), (bo, "bo@x.org"), (cy, "cy@x.org"))
    )
    later = (
        f"{ann},Ay,ann@y.org,false,,true,{BEGUN},2026-02-01T10:00:00.000Z\n"
        f"{bo},Ay,bo@x.org,true,{ann},false,{BEGUN},2026-02-01T10:00:00.000Z\n"
        f"{cy},Ay,cy@x.org,true,,false,{BEGUN},2026-02-01T10:00:00.000Z\n"
    )
    found = read(tmp_path, a=STATES + first, b=STATES + later)
    assert [(one.accepted, one.duplicate) for one in found.report.files] == [(0, 3), (3, 0)]
    assert [value for space, value in found.rows("identifiers", "namespace", "value")
            if space == "email"] == ["ann@y.org", "bo@x.org"]  # fmt: skip
    assert found.rows("merged_ids", "value", "into_value") == [(bo, ann)]
    denied = [key for key, given in found.rows("consents", "record_key", "granted") if not given]
    assert denied == [f"b.csv#{ann}"]


def test_what_was_deleted_is_no_deed(tmp_path: Path) -> None:
    deals = OPPORTUNITIES.replace("\n", ",true\n").replace("Type,true", "Type,IsDeleted")
    cases = CASES.replace("\n", ",1\n").replace("CreatedDate,1", "CreatedDate,IsDeleted")
    members = MEMBERS.replace("\n", ",false\n").replace(
        "CreatedDate,false", "CreatedDate,IsDeleted"
    )
    found = read(tmp_path, deals=deals, cases=cases, members=members)
    assert found.report.total("accepted") == 5
    assert set(found.rows("events", "verb")) == {"received", "responded"}


def test_exports_that_do_not_say_which_is_newer_are_warned_of(tmp_path: Path) -> None:
    other = CONTACTS.replace("ann@x.org", "ann@y.org")
    (dataset,) = read(tmp_path, a=CONTACTS, b=other).report.datasets
    assert any("the one read first is kept" in one for one in dataset.warnings)


def test_opting_out_is_a_denial_of_that_purpose(tmp_path: Path) -> None:
    found = read(tmp_path, leads=LEADS)
    assert found.rows("consents", "record_key", "purpose", "granted") == [
        ("leads.csv#00Q5g00000AbCdEEAV", "email", True),
        ("leads.csv#00Q5g00000AbCdEEAV", "phone", False),
        ("leads.csv#00Q5g00000AbCdFEAV", "email", False),
        ("leads.csv#00Q5g00000AbCdFEAV", "phone", True),
    ]


def test_a_contact_takes_the_industry_of_its_account_and_a_company_is_nobody(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, contacts=CONTACTS, accounts=ACCOUNTS)
    traits = dict(found.rows("profiles", "record_key", "traits"))
    assert '"industry":"Energy"' in traits["contacts.csv#0035g00000AbCdEAAV"]
    assert "accounts.csv#0015g00000NoVcmAAF" not in traits
    assert ("accounts.csv#0015g00000NoVcnAAF", "cy@x.org") in found.rows(
        "identifiers", "record_key", "value"
    )
    assert found.file("accounts.csv").accepted == 2


def test_a_member_was_sent_the_campaign_and_may_have_responded(tmp_path: Path) -> None:
    found = read(tmp_path, members=MEMBERS)
    assert found.rows("events", "verb", "campaign_id", "occurred_at_ms") == [
        ("received", "7015g00000AbCdEAAV", 1769904000000),
        ("received", "7015g00000AbCdEAAV", 1769904000000),
        ("responded", "7015g00000AbCdEAAV", 1770076800000),
    ]
    assert found.file("members.csv").accepted == 2
    assert set(found.rows("identifiers", "value")) == {"0035g00000AbCdEAAV"}


def test_a_deal_is_money_once_it_is_won(tmp_path: Path) -> None:
    found = read(tmp_path, opportunities=OPPORTUNITIES)
    assert found.rows("events", "verb", "value") == [
        ("opened_deal", None), ("opened_deal", None), ("won_deal", 1200.5)]  # fmt: skip


def test_a_case_is_asked_and_closed(tmp_path: Path) -> None:
    found = read(tmp_path, cases=CASES)
    assert found.rows("events", "verb", "channel", "text") == [
        ("asked", "support", "Broken\n\nCall <phone>"),
        ("had_case_closed", "support", None),
    ]


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    (dataset,) = read(tmp_path, leads=LEADS).report.datasets
    assert dataset.unread == ("Score__c",)


def test_the_answer_of_the_api_is_read_like_the_table(tmp_path: Path) -> None:
    page = """{
      "totalSize": 1, "done": true,
      "records": [{"attributes": {"type": "Contact"}, "Id": "0035g00000AbCdE", "LastName": "Ay",
                   "Email": "ann@x.org", "CreatedDate": "2026-01-06T09:00:00.000+0000"}]
    }"""
    found = Read(fill(tmp_path / "data", {"page.json": page}), tmp_path / "workspace")
    assert found.rows("records", "record_key", "status") == [
        ("page.json#0035g00000AbCdEAAV", "accepted")]  # fmt: skip
    assert found.rows("identifiers", "value") == ["0035g00000AbCdEAAV", "ann@x.org"]


def test_the_same_contact_from_two_exports_is_a_duplicate(tmp_path: Path) -> None:
    other = CONTACTS.replace("0035g00000AbCdEAAV", "0035g00000AbCdE")
    found = read(tmp_path, a=CONTACTS, b=other)
    assert (found.file("a.csv").accepted, found.file("b.csv").duplicate) == (1, 1)


def test_ids_of_another_object_are_quarantined_and_another_vendor_is_refused(
    tmp_path: Path,
) -> None:
    mapping = HEAD + "tables:\n  people: {files: contacts.csv, format: salesforce_contact}\n"
    folder = fill(tmp_path / "data", {"contacts.csv": LEADS}, mapping)
    with pytest.raises(InputError, match=r"Not one of 2 records .*\(unknown_value\)"):
        Read(folder, tmp_path / "workspace")
    folder = fill(tmp_path / "other", {"contacts.csv": "Record ID,Email\n1,a@x.org\n"}, mapping)
    with pytest.raises(InputError, match=r"'contacts\.csv' is not of the format salesforce_"):
        Read(folder, tmp_path / "workspace2")


def test_what_a_mapping_says_is_added_or_overrides(tmp_path: Path) -> None:
    mapping = HEAD + (
        "tables:\n  people:\n    files: leads.csv\n    format: salesforce_lead\n"
        "    traits: {score: Score__c}\n    describe: [score]\n    identifiers: {web: Score__c}\n"
    )
    folder = fill(tmp_path / "data", {"leads.csv": LEADS}, mapping)
    found = Read(folder, tmp_path / "workspace")
    traits = found.rows("profiles", "traits")
    assert {'{"lead_status":"Open","score":"8"}', '{"lead_status":"Qualified","score":"7"}'} == set(
        traits
    )
    assert ("web", "7") in found.rows("identifiers", "namespace", "value")


def test_one_bad_id_of_few_costs_its_row(tmp_path: Path) -> None:
    ids = ("0035g00000ABcdAAAT", "12345", "0035g00000ABcdaAAD")
    rows = "".join(f"{one},Ay,2026-01-05T10:00:00Z\n" for one in ids)
    folder = fill(tmp_path / "data", {"c.csv": f"Id,LastName,CreatedDate\n{rows}"})
    found = Read(folder, tmp_path / "workspace")
    assert found.file("c.csv").recognised_as == "salesforce_contact"
    assert found.reasons() == {2: "unknown_value"}


@pytest.mark.parametrize(
    ("bad", "told"), [("12345", "'12345' under 'Id'"), ("ann@x.org", "another value under 'Id'"),
                      ("+1 202 555 0143", "another value under 'Id'")]
)  # fmt: skip
def test_the_nearest_format_and_the_value_that_failed_are_named(
    tmp_path: Path, bad: str, told: str
) -> None:
    rows = f"{bad},Ay\n0035g00000ABcdAAAT,Be\n{bad},Ce\n"
    folder = fill(tmp_path / "data", {"c.csv": f"Id,LastName\n{rows}"})
    with pytest.raises(InputError) as refused:
        find_mapping(folder)
    near = f"c.csv is not recognised: it has the columns of salesforce_contact, but {told}."
    assert (refused.value.hint or "").endswith(near)
