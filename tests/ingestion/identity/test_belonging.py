"""Accounts and households: who belongs together, without being one person."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rows import put

from kg.lake import Lake, Writer
from tests.ingestion.identity.people import ids, person, run

HOME = {"family_name": "Kelner", "street": "Quarry Lane 7", "postcode": "10112"}


@pytest.fixture
def lake(tmp_path: Path) -> Iterable[Writer]:
    with Lake.writer(tmp_path / "shop") as lake:
        yield lake


def members(lake: Lake, what: str) -> dict[frozenset[str], list[tuple[Any, ...]]]:
    """Who is of each account or household: their records, and what the edges say."""
    keys = {user: key for key, user in ids(lake).items()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in lake.arrow(f"{what}_members").to_pylist():
        found.setdefault(row[f"{what}_id"], []).append(row)
    return {
        frozenset(keys[row["user_id"]] for row in rows): sorted(
            (row.get("role"), row["since_ms"], row["record_key"]) for row in rows
        )
        for rows in found.values()
    }


def test_people_of_one_name_and_address_live_together_and_stay_two(lake: Writer) -> None:
    rows = [
        person("ann", 3, crm="1", given_name="Ann", **HOME),
        person("otto", 2, crm="2", given_name="Otto", **(HOME | {"street": "QUARRY LANE, 7"})),
        person("bea", crm="3", given_name="Bea", **(HOME | {"family_name": "Fenby"})),
        person("ida", crm="4", given_name="Ida", family_name="Kelner", postcode="10112"),
    ]
    summary = run(lake, rows)
    assert (summary["people"], summary["households"]) == (4, 1)
    assert members(lake, "household") == {
        frozenset({"ann", "otto"}): [(None, 2, "otto"), (None, 3, "ann")]
    }
    (home,) = lake.arrow("households").to_pylist()
    assert home["people"] == 2
    assert home["household_id"].startswith("h_")
    before = lake.arrow("households")
    run(lake, [person("wim", crm="9", given_name="Wim", family_name="Ostvik")])
    assert lake.arrow("households").drop_columns(["run_id"]) == before.drop_columns(["run_id"])


def test_an_institution_is_no_household(lake: Writer) -> None:
    rows = [person(f"r{n}", crm=str(n), given_name=f"Name{n}", **HOME) for n in range(13)]
    assert run(lake, rows)["households"] == 0
    assert len(lake.arrow("household_members")) == 0


def test_an_account_is_the_companys_id_and_its_name_where_nothing_else_is_said(
    lake: Writer,
) -> None:
    with lake.step("profiles") as step:
        put(step, profiles=[
            {"record_key": "a", "traits": '{"account": "17"}'},
            {"record_key": "b", "traits": '{"account": "17"}'},
            {"record_key": "other", "traits": '{"account": "17"}'},
        ])  # fmt: skip
    rows = [
        person("a", 5, crm="1", organisation="Initech Ltd"),
        person("b", 6, crm="2"),
        person("lead", 7, crm="3", organisation="INITECH, Ltd."),
        person("free", 8, crm="4", organisation="Umbra"),
        person("other", 9, crm="5") | {"dataset": "another_crm"},
    ]
    assert run(lake, rows)["accounts"] == 3
    assert members(lake, "account") == {
        frozenset({"a", "b", "lead"}): [("member", 5, "a"), ("member", 6, "b"),
                                        ("stated", 7, "lead")],
        frozenset({"free"}): [("stated", 8, "free")],
        frozenset({"other"}): [("member", 9, "other")],
    }  # fmt: skip
    text = str(lake.arrow("accounts").to_pylist())
    assert "initech" not in text.lower()


def test_who_denied_consent_belongs_nowhere(lake: Writer) -> None:
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": "ann", "granted": False}])
    run(lake, [person("ann", crm="1", given_name="Ann", organisation="Umbra", **HOME),
               person("otto", crm="2", given_name="Otto", **HOME)])  # fmt: skip
    assert len(lake.arrow("households")) == 0
    assert len(lake.arrow("accounts")) == 0
