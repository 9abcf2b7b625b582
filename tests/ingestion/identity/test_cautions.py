"""Who says that two are one person is told what that overrides, and may say it all the same."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from rows import put

from ingestion.identity import IdentityConfig
from ingestion.identity.cautions import Cautions, cautions
from ingestion.identity.verdicts import Who, apart, merge
from kg.errors import NotFound
from kg.lake import Lake, Writer
from tests.ingestion.identity.people import groups, partition, person, run

LIMITS = IdentityConfig().limits()


@pytest.fixture
def lake(tmp_path: Path) -> Iterable[Writer]:
    with Lake.writer(tmp_path / "shop") as lake:
        yield lake


def test_different_values_of_what_a_person_has_one_of_are_named_and_the_verdict_holds(
    lake: Writer,
) -> None:
    run(lake, [person("a", crm="1", loyalty="7", email="ann@x.org"),
               person("b", crm="2", email="otto@x.org"), person("c", email="eve@x.org"),
               person("d", crm="4", loyalty="8")])  # fmt: skip
    assert cautions(lake, "a", "b", LIMITS) == Cautions(namespaces=("crm",))
    assert cautions(lake, "d", "crm:1", LIMITS).namespaces == ("crm", "loyalty")
    assert cautions(lake, "a", "c", LIMITS) == Cautions()  # people have several addresses
    (told,) = cautions(lake, "a", "b", LIMITS).words()
    assert told.startswith("They hold different values of crm, of which a person has one")
    merge(lake, "a", "b", Who("jo", "asked them", 9))
    run(lake)
    assert partition(lake) == groups("a b", "c", "d")


def test_values_that_a_workspace_lets_a_person_have_several_of_are_no_caution(lake: Writer) -> None:
    several = IdentityConfig(rules={"crm": {"unique": False}}).limits()
    run(lake, [person("a", crm="1"), person("b", crm="2")])
    assert cautions(lake, "a", "b", several) == Cautions()
    assert cautions(lake, "a", "a", LIMITS) == Cautions()
    with pytest.raises(NotFound):
        cautions(lake, "a", "nobody", LIMITS)


def test_a_denial_of_one_is_said_to_hold_for_both_as_it_then_does(lake: Writer) -> None:
    said = {"a": ("analytics", False), "b": ("analytics", True), "c": ("email", False),
            "d": ("analytics", False)}  # fmt: skip
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": key, "purpose": purpose, "granted": granted}
                            for key, (purpose, granted) in said.items()])  # fmt: skip
    run(lake, [person(key, email=f"{key}@x.org") for key in "abcd"])
    assert cautions(lake, "a", "b", LIMITS) == Cautions(denied=("analytics",))
    assert "A denial holds for the whole person" in cautions(lake, "b", "a", LIMITS).words()[0]
    assert cautions(lake, "b", "c", LIMITS) == Cautions()  # being written to is another question
    assert cautions(lake, "a", "d", LIMITS) == Cautions()  # both denied it
    merge(lake, "a", "b", Who("jo", "asked them", 9))
    run(lake)
    users = {row["user_id"]: row["consent_denied"] for row in lake.arrow("users").to_pylist()}
    ids = {row["record_key"]: row["user_id"] for row in lake.arrow("identities").to_pylist()}
    assert ids["a"] == ids["b"]
    assert users[ids["b"]]


def test_who_merges_two_of_whom_somebody_said_that_they_are_two_is_told_so(lake: Writer) -> None:
    run(lake, [person("a", crm="1"), person("b", email="b@x.org"), person("c", email="c@x.org")])
    number = apart(lake, "a", "b", Who("jo", "asked them", 9)).number
    assert cautions(lake, "b", "crm:1", LIMITS) == Cautions(said=(number,))
    assert f"Verdict {number} says" in cautions(lake, "a", "b", LIMITS).words()[0]
    assert cautions(lake, "a", "c", LIMITS) == Cautions()
    merge(lake, "a", "b", Who("ann", "one, after all", 10))
    run(lake)
    assert partition(lake) == groups("a b", "c")


def test_where_silence_is_no_consent_a_grant_of_one_is_said_to_hold_for_both(lake: Writer) -> None:
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": key, "purpose": "analytics", "granted": granted}
                            for key, granted in (("a", True), ("d", False))])  # fmt: skip
    rows = [person(key, email=f"{key}@x.org") for key in "abcd"]
    run(lake, rows, consent_default="denied")
    assert cautions(lake, "a", "b", LIMITS) == Cautions(unasked=True)
    assert "the data of both will be used" in cautions(lake, "b", "a", LIMITS).words()[0]
    assert cautions(lake, "b", "c", LIMITS) == Cautions()
    assert cautions(lake, "a", "d", LIMITS) == Cautions(denied=("analytics",))
