"""Who is one person, at the door: explained, reviewed, decided by people, previewed."""

import json
import re
import shutil
from pathlib import Path

import pytest
from program import as_json, personagraph, refused, succeed
from rows import put

from ingestion.identity.verdicts import Who, merge, undo
from kg.lake import Lake
from tests.ingestion.identity.people import ids, person, run


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Path:
    """A copy of the finished workspace, to be written to."""
    shutil.copytree(home / "shop", tmp_path / "shop")
    return tmp_path


def pair(home: Path) -> tuple[str, str]:
    """Two users that wait for a decision."""
    found = as_json(personagraph(home, "identity", "review", "-w", "shop", "--json"))
    assert found["waiting"] >= len(found["pairs"]) > 0
    first = found["pairs"][0]
    assert first["why"]
    assert all(a["events"] >= 0 for a in found["pairs"])
    return first["left_user_id"], first["right_user_id"]


def test_a_waiting_pair_is_explained_in_words_with_weights(home: Path) -> None:
    one, other = pair(home)
    told = as_json(personagraph(home, "identity", "explain", one, other, "-w", "shop", "--json"))
    assert told["verdict"] == f"Two people: {one} and {other}."
    assert {weight["bits"] > 0 for weight in told["weights"]} >= {True}
    assert told["waits"]
    for user in (one, other):
        alone = as_json(personagraph(home, "identity", "traits", user, "-w", "shop", "--json"))
        assert told["traits"][user] == alone["traits"]
    shown = succeed(personagraph(home, "identity", "explain", one, other, "-w", "shop"))
    assert "what their details say" in shown
    assert "said last" in shown
    assert "(kept private)" in shown
    assert "@" not in shown


def test_a_person_decides_and_takes_it_back(shop: Path) -> None:
    one, other = pair(shop)
    say = ("--by", "jo", "--because", "asked them", "-w", "shop")
    told = succeed(personagraph(shop, "identity", "merge", one, other, *say))
    assert one in told
    assert other in told
    assert "--by NAME --because WHY --workspace shop" in told
    standing = as_json(personagraph(shop, "identity", "verdicts", "-w", "shop", "--json"))
    assert [(v["verdict"], v["author"], v["reason"]) for v in standing] == [
        ("same", "jo", "asked them")
    ]
    unasked = refused(
        personagraph(shop, "identity", "traits", "email:no@one.test", "-w", "shop"), 3
    )
    assert "no@one" not in unasked
    number = str(standing[0]["number"])
    taken_back = succeed(personagraph(shop, "identity", "undo", number, *say))
    assert "undo" not in taken_back  # what is taken back is said anew, not taken back again
    assert as_json(personagraph(shop, "identity", "verdicts", "-w", "shop", "--json")) == []
    refused(personagraph(shop, "identity", "undo", number, *say), 3)


def test_a_merge_over_an_id_or_a_denial_is_done_and_says_what_it_overrides(shop: Path) -> None:
    with Lake.open(shop / "shop") as lake:
        users = lake.arrow("users", ["user_id", "consent_denied"]).to_pylist()
        held = lake.arrow("user_identifiers", ["user_id", "namespace", "value"]).to_pylist()
    number_of = {row["user_id"]: row["value"] for row in held if row["namespace"] == "customer_no"}
    denied, one, other = (
        next(u["user_id"] for u in users if u["consent_denied"] and u["user_id"] in number_of),
        *[u["user_id"] for u in users if not u["consent_denied"] and u["user_id"] in number_of][:2],
    )
    say = ("--by", "jo", "--because", "asked them", "-w", "shop")
    found = as_json(personagraph(shop, "identity", "merge", one, other, *say, "--json"))
    assert "customer_no" in found["overrides"]["namespaces"]
    assert found["overrides"]["denied"] == []
    told = succeed(personagraph(shop, "identity", "merge", one, denied, *say))
    assert "Caution: They hold different values of customer_no" in told
    assert "Caution: One of them denied consent (" in told
    assert f"identity undo {found['number'] + 1}" in told
    assert number_of[one] not in told
    assert number_of[denied] not in told


def test_a_former_id_finds_who_is_meant_by_it_also_after_an_undo(tmp_path: Path) -> None:
    def found(name: str) -> str:
        told = as_json(personagraph(tmp_path, "identity", "traits", name, "-w", "small", "--json"))
        return str(told["user_id"])

    with Lake.writer(tmp_path / "small") as lake:
        run(lake, [person("a", crm="1"), person("b", crm="2"), person("b2", crm="2")])
        before = ids(lake)
        number = merge(lake, "a", "b", Who("jo", "asked them", 1)).number
        run(lake)
    assert found(before["a"]) == found("crm:1") == before["b"]
    with Lake.writer(tmp_path / "small") as lake:
        undo(lake, number, Who("jo", "asked again", 2))
        changes = run(lake)["changes"]
    both = sorted((before["a"], before["b"]))
    assert changes["split"]["users"] == [{"user_id": before["b"], "others": both}]
    assert (found(before["a"]), found(before["b"])) == (before["a"], before["b"])


def test_what_was_said_otherwise_is_listed_and_personal_values_are_only_counted(
    tmp_path: Path,
) -> None:
    said = {"a": ("gold", "Ann"), "b": ("basic", "Anna"), "c": ("basic", "Anne")}
    with Lake.writer(tmp_path / "small") as lake:
        with lake.step("profiles") as step:
            put(step, profiles=[{"record_key": key, "traits": json.dumps({"plan": plan})}
                                for key, (plan, _) in said.items()])  # fmt: skip
        run(lake, [person(key, at * 86_400_000, crm="1", given_name=name) | {"dataset": "desk"}
                   for at, (key, (_, name)) in enumerate(said.items())],
            describe=("plan",))  # fmt: skip
    told = succeed(personagraph(tmp_path, "identity", "traits", "crm:1", "-w", "small"))
    rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in told.splitlines()]
    assert ["given_name", "(kept private)", "said last", "c", "3"] in rows
    assert ["plan", "basic", "said last", "c", "2"] in rows
    assert ["", "not gold", "desk on 1970-01-01", "a", ""] in rows
    assert "Ann" not in told


def test_other_rules_are_previewed_and_nothing_changes(shop: Path) -> None:
    rules = shop / "new.yaml"
    rules.write_text("namespaces:\n  email: {merges: false}\n")
    found = as_json(personagraph(shop, "identity", "preview", "--rules", str(rules), "-w", "shop",
                                 "--json"))  # fmt: skip
    assert found["changes"]["split"]["count"] > 0
    same = as_json(personagraph(shop, "identity", "preview", "-w", "shop", "--json"))
    assert (same["people"], same["changes"]["merged"]["count"]) == (same["people_now"], 0)
    rules.write_text("namespaces:\n  emial: {merges: false}\n")
    slip = succeed(personagraph(shop, "identity", "preview", "--rules", str(rules), "-w", "shop"))
    assert "no record names emial" in slip
    rules.write_text("traits:\n  email: loudest\n")
    refused(personagraph(shop, "identity", "preview", "--rules", str(rules), "-w", "shop"), 2)
    rules.write_text("namespaces:\n  email: {trusted: 1}\n")
    refused(personagraph(shop, "identity", "preview", "--rules", str(rules), "-w", "shop"), 2)


def test_the_table_of_identifiers_says_where_each_line_is_from(home: Path) -> None:
    found = as_json(personagraph(home, "identity", "rules", "-w", "shop", "--json"))
    assert found["from"]["user_id"] == "mapping"
    assert found["from"]["cookie_id"] == "shipped"
    assert found["namespaces"]["email"]["personal"] is True


@pytest.mark.parametrize("command", ["explain", "merge"])
def test_who_is_not_there_is_refused(shop: Path, command: str) -> None:
    say = ("--by", "jo", "--because", "x") if command == "merge" else ()
    refused(personagraph(shop, "identity", command, "u_0", "u_1", *say, "-w", "shop"), 3)
