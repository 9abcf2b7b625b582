"""What files say of the person a record is about, and what their source has merged itself."""

import json
from pathlib import Path
from typing import Any

from ingestion.identity import IdentityConfig, resolve
from ingestion.ingest import ingest
from ingestion.mapping import parse
from kg.lake import Lake

HEAD = "name: shop\nconsent: {default: granted, basis: contract}\ntime_zone: UTC\ntables:\n"


def read(folder: Path, text: str, **files: str) -> dict[str, list[dict[str, Any]]]:
    """Ingest files and give the rows of the two tables."""
    data = folder / "data"
    data.mkdir()
    for name, content in files.items():
        (data / name.replace("__", ".")).write_text(content)
    with Lake.writer(folder / "w") as lake:
        ingest(lake, data, parse(HEAD + text))
        return {
            name: [
                {key: value for key, value in row.items() if value is not None and key != "run_id"}
                for row in lake.arrow(name).to_pylist()
            ]
            for name in ("person_details", "merged_ids")
        }


def test_names_dates_and_addresses_are_kept_as_the_mapping_says(tmp_path: Path) -> None:
    mapping = """\
  people:
    files: people.csv
    kind: profile
    key: id
    identifiers: {crm: id}
    person:
      given_name: first
      family_name: last
      birth_date: {column: born, formats: ["%d/%m/%Y", iso]}
      street: [no, street]
"""
    rows = """\
id,first,last,born,no,street
1,Ann,Lee,12/03/1984,7,Quarry Lane
2,,Fenby,1951-11-30,,Mill Lane
3,,,,,
4,Otto,,99/99/1951,,
"""
    found = read(tmp_path, mapping, people__csv=rows)["person_details"]
    assert found == [
        {"record_key": "people.csv#1", "given_name": "Ann", "family_name": "Lee",
         "birth_date": "19840312", "street": "7 Quarry Lane"},
        {"record_key": "people.csv#2", "family_name": "Fenby", "birth_date": "19511130",
         "street": "Mill Lane"},
        {"record_key": "people.csv#4", "given_name": "Otto", "birth_date": "99991951"},
    ]  # fmt: skip


def test_a_list_of_merged_ids_becomes_a_claim_for_each(tmp_path: Path) -> None:
    mapping = """\
  contacts:
    files: contacts.csv
    kind: profile
    key: id
    identifiers: {hubspot: {column: id, merged: merged_ids}}
"""
    found = read(tmp_path, mapping, contacts__csv="id,merged_ids\n7,5;6\n8,\n9,9\n")["merged_ids"]
    claims = {(row["value"], row["into_value"], row["record_key"]) for row in found}
    assert claims == {("5", "7", "contacts.csv#7"), ("6", "7", "contacts.csv#7")}


def test_an_alias_of_segment_makes_two_user_ids_one_person(tmp_path: Path) -> None:
    def message(number: int, **said: Any) -> str:
        at = "2026-03-02T09:00:00Z"
        return json.dumps({"messageId": f"m{number}", "timestamp": at, "receivedAt": at, **said})

    lines = [
        message(1, type="track", event="Viewed", userId="old-7"),
        message(2, type="alias", userId="new-7", previousId="old-7"),
        message(3, type="track", event="Viewed", userId="new-7"),
        message(4, type="identify", userId="other-9",
                traits={"firstName": "Ann", "lastName": "Lee", "birthday": "1984-03-12",
                        "address": {"street": "Quarry Lane 7", "postalCode": "10112"}}),
    ]  # fmt: skip
    mapping = "  product: {files: events.jsonl, format: segment}\n"
    found = read(tmp_path, mapping, events__jsonl="\n".join(lines) + "\n")
    assert [(row["value"], row["into_value"]) for row in found["merged_ids"]] == [
        ("old-7", "new-7")
    ]
    assert found["person_details"] == [
        {"record_key": "events.jsonl#m4", "given_name": "Ann", "family_name": "Lee",
         "birth_date": "19840312", "street": "Quarry Lane 7", "postcode": "10112"}
    ]  # fmt: skip
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("identity") as step:
            resolve(step, bytes(32), IdentityConfig())
        ids = {r["record_key"][-2:]: r["user_id"] for r in lake.arrow("identities").to_pylist()}
    assert ids["m1"] == ids["m2"] == ids["m3"] != ids["m4"]
