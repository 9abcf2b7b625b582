"""Of everything that records say of a person one value holds, with the record and the rule."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rows import put

from ingestion.identity.choices import read_choices
from ingestion.identity.golden import told_traits
from kg.errors import InputError
from kg.exports import export_rows
from kg.lake import Lake, Writer
from tests.ingestion.identity.people import ids, person, run


@pytest.fixture
def lake(tmp_path: Path) -> Iterable[Writer]:
    with Lake.writer(tmp_path / "shop") as lake:
        yield lake


def golden(lake: Lake) -> dict[str, tuple[str, str, str]]:
    rows = lake.arrow("golden_traits").to_pylist()
    return {row["name"]: (row["value"], row["rule"], row["record_key"]) for row in rows}


ANN = [
    person("a", 1, crm="1", email="ann@kelner.org", given_name="Annabel") | {"dataset": "crm"},
    person("b", 2, crm="1", email="ann@new.org", given_name="Ann", city="Ashmoor")
    | {"dataset": "shop"},
    person("c", 3, crm="1", email="info@shop.org", given_name="Ann") | {"dataset": "desk"},
]
PLANS = {"a": "gold", "b": "basic", "c": "basic"}


def resolved(lake: Writer, **config: Any) -> None:
    with lake.step("profiles") as step:
        put(step, profiles=[{"record_key": key, "traits": f'{{"plan": "{plan}", "shoe": 39}}'}
                            for key, plan in PLANS.items()])  # fmt: skip
    run(lake, ANN, describe=("plan",), **config)


def test_the_latest_value_holds_where_nothing_else_is_said(lake: Writer) -> None:
    resolved(lake)
    assert golden(lake) == {
        "given_name": ("Ann", "most_recent", "c"),
        "city": ("Ashmoor", "most_recent", "b"),
        "email": ("ann@new.org", "most_recent", "b"),  # what many people read names nobody
        "plan": ("basic", "most_recent", "c"),
        "shoe": ("39", "most_recent", "c"),
    }
    assert {row["source"] for row in lake.arrow("golden_traits").to_pylist()} == {"shop", "desk"}


def test_what_stands_for_a_missing_value_is_no_trait(lake: Writer) -> None:
    real = {"name": "Иван", "birth_date": "1980-02-03", "city": "Ashmoor"}
    none = {"name": "N/A", "birth_date": "1900-01-01", "city": "unknown"}
    run(lake, [person("a", 1, crm="1", **real), person("b", 2, crm="1", **none)])
    assert {name: value for name, (value, *_) in golden(lake).items()} == real
    assert {row["values"] for row in told_traits(lake, ids(lake)["a"])} == {1}


def test_a_workspace_says_how_each_trait_is_chosen(lake: Writer, tmp_path: Path) -> None:
    file = tmp_path / "identity.yaml"
    file.write_text("""traits:
  default: most_frequent
  given_name: longest
  email: {choose: most_trusted, sources: [crm, shop]}
  shoe: most_recent
""")
    resolved(lake, traits=read_choices(file))
    assert golden(lake) == {
        "given_name": ("Annabel", "longest", "a"),
        "city": ("Ashmoor", "most_frequent", "b"),
        "email": ("ann@kelner.org", "most_trusted", "a"),
        "plan": ("basic", "most_frequent", "c"),
        "shoe": ("39", "most_recent", "c"),
    }


def test_claims_speak_of_what_holds_and_personal_values_are_not_exported(lake: Writer) -> None:
    resolved(lake, traits={"plan": {"choose": "longest", "sources": []}})
    user = ids(lake)["a"]
    traits = lake.arrow("user_traits").drop_columns(["run_id"]).to_pylist()
    assert traits == [{"user_id": user, "name": "plan", "value": "basic", "at_ms": 3}]
    rows = lake.run(export_rows(lake, "traits")).to_pylist()
    assert {row["name"]: row["value"] for row in rows} == {
        "city": None, "email": None, "given_name": None, "plan": "basic", "shoe": None,
    }  # fmt: skip


def test_what_does_not_hold_is_told_with_its_record_and_personal_values_are_counted(
    lake: Writer,
) -> None:
    resolved(lake, traits={"plan": {"choose": "longest", "sources": []}})
    told = {row["name"]: row for row in told_traits(lake, ids(lake)["a"])}
    assert {name: row["values"] for name, row in told.items()} == {
        "city": 1, "email": 2, "given_name": 2, "plan": 2, "shoe": 1,
    }  # fmt: skip
    assert told["plan"]["others"] == [
        {"value": "gold", "record_key": "a", "at_ms": 1, "source": "crm"}
    ]
    assert not any(row["others"] for name, row in told.items() if name != "plan")
    assert "ann@" not in repr(told)
    assert "Annabel" not in repr(told)


def test_each_value_that_does_not_hold_is_told_once_by_its_last_record(lake: Writer) -> None:
    with lake.step("profiles") as step:
        said = {"a": "gold", "b": "basic", "c": "gold", "d": "basic", "e": "trial"}
        put(step, profiles=[{"record_key": key, "traits": f'{{"plan": "{plan}"}}'}
                            for key, plan in said.items()])  # fmt: skip
    run(lake, [person(key, at, crm="2" if key == "d" else "1") | {"dataset": "crm"}
               for at, key in enumerate("abcde")], describe=("plan",))  # fmt: skip
    (told,) = told_traits(lake, ids(lake)["a"])
    assert (told["value"], told["values"]) == ("trial", 3)
    others = [(one["value"], one["record_key"]) for one in told["others"]]
    assert others == [("gold", "c"), ("basic", "b")]  # d is somebody else's


def test_nothing_is_made_of_the_traits_of_who_denied_consent(lake: Writer) -> None:
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": "b", "granted": False}])
    resolved(lake)
    assert len(lake.arrow("golden_traits")) == 0
    assert told_traits(lake, ids(lake)["a"]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("traits: {email: loudest}", "trait email needs a way to choose"),
        ("traits: {email: most_trusted}", "most_trusted needs sources"),
        ("traits: {email: {choose: longest, sources: [crm]}}", "most_trusted needs sources"),
        ("traits: [email]", "expected `traits:`"),
        ("trait: {email: longest}", "expected `namespaces:`, `traits:` or both"),
    ],
)
def test_what_is_no_rule_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "identity.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        read_choices(file)
