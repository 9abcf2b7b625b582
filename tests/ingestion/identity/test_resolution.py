"""From records to people: what is merged, what never is, and which ids stay."""

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import put

from ingestion.identity import hash_identifier, shown_identifier
from ingestion.identity.limits import RULES_FILE, read_rules, workspace_limits
from kg.lake import Lake, Writer
from tests.ingestion.identity.people import (
    KEY,
    Partition,
    groups,
    ids,
    judgements,
    partition,
    run,
)


def record(key: str, at: int = 0, **ids: Any) -> dict[str, Any]:
    return {"record_key": key, "recorded_at_ms": at, "occurred_at_ms": at, "ids": ids}


def profile(key: str, at: int = 0, **ids: Any) -> dict[str, Any]:
    return record(key, at, **ids) | {"kind": "profile"}


@pytest.fixture
def lake(tmp_path: Path) -> Iterable[Writer]:
    with Lake.writer(tmp_path / "shop") as lake:
        yield lake


def test_records_that_share_an_identifier_are_one_person(lake: Writer) -> None:
    run(lake, [record("a", user_id="1", email="Ann@x.org"), record("b", email="ann@X.org "),
               record("c", user_id="1"), record("d", user_id="2")])  # fmt: skip
    assert partition(lake) == groups("a b c", "d")


def test_each_value_links_its_records_to_its_first(lake: Writer) -> None:
    run(lake, [record("b", 2, crm="7"), record("a", 1, crm="7"), record("c", 3, crm="7")])
    rows = judgements(lake)
    assert [(r["left_record_key"], r["right_record_key"]) for r in rows] == [("a", "b"), ("a", "c")]
    assert rows[0] | {"judged_at_ms": 2} == {
        "left_record_key": "a",
        "right_record_key": "b",
        "verdict": "same",
        "probability": 1.0,
        "reason": "same crm",
        "rule": "identifier:crm",
        "author": "rule",
        "judged_at_ms": 2,
    }


def test_records_without_identifier_belong_to_nobody_but_an_anonymous_visitor_is_somebody(
    lake: Writer,
) -> None:
    run(lake, [record("a"), record("b", anonymous_id="7f3a-11c2"), record("c", user_id="null")])
    assert partition(lake) == groups("b")


def test_role_mailboxes_and_junk_are_counted_and_explained_without_the_values(
    lake: Writer,
) -> None:
    summary = run(
        lake,
        [record("a", user_id="1", email="info@x.org"), record("b", user_id="2", email="info@x.org"),
         record("c", email="info@x.org"), record("d", user_id="undefined")],
    )  # fmt: skip
    assert partition(lake) == groups("a", "b")
    assert [
        (b["cause"], b["namespace"], b["values"], b["records"]) for b in summary["blocked"]
    ] == [
        ("junk", "user_id", 1, 1),
        ("role_mailbox", "email", 1, 3),
    ]
    assert summary["records_without_identifier"] == 2
    assert [(one["cause"], one["records"]) for one in summary["nobody"]] == [
        ("role_mailbox", 1), ("junk", 1)]  # fmt: skip
    assert "info@" not in json.dumps(summary)


def test_a_kiosk_joins_nobody(lake: Writer) -> None:
    rows = [record(f"r{n}", user_id=str(n + 1), device_id="kiosk-at-the-door") for n in range(6)]
    summary = run(lake, [*rows, record("lone", device_id="kiosk-at-the-door")])
    assert partition(lake) == groups(*(f"r{n}" for n in range(6)))
    assert [b["cause"] for b in summary["blocked"]] == ["shared"]
    assert [(one["cause"], one["records"]) for one in summary["nobody"]] == [("shared", 1)]


HUBS = {
    "a teacher": [{"email": [f"s{n}@uni.test", "teacher@uni.test"]} for n in range(60)],
    "whom all call": [{"phone": [f"4420794600{n:02}", "442079469999"]} for n in range(60)],
    "a device": [
        {"anonymous_id": f"visitor-{n}", "device_id": "device-in-a-shop"} for n in range(60)
    ],
    "a card": [{"email": f"c{n}@shop.test", "loyalty": "card-one"} for n in range(60)],
}


@pytest.mark.parametrize("rows", HUBS.values(), ids=[*HUBS])
def test_what_is_named_with_many_of_the_same_strength_joins_nobody(
    lake: Writer, rows: list[dict[str, str | list[str]]]
) -> None:
    summary = run(
        lake,
        [record(f"r{n}", **row) for n, row in enumerate(rows)],
        namespaces={"loyalty": (2, False)},
    )
    assert summary["people"] == 60
    assert [(row["cause"], row["values"], row["records"]) for row in summary["blocked"]] == [
        ("shared", 1, 60)
    ]


def test_presents_do_not_make_one_person_of_givers_and_receivers(lake: Writer) -> None:
    presents = [
        record(f"present-{n}", email=[f"p{n}@gift.test", f"p{n + 1}@gift.test"]) for n in range(30)
    ]
    own = [record(f"own-{n}", email=f"p{n}@gift.test") for n in range(31)]
    summary = run(lake, [*presents, *own])
    assert partition(lake) == {frozenset({f"own-{n}"}) for n in range(31)}
    assert summary["nobody"][0]["records"] == 30


def test_a_switchboard_joins_no_mailboxes(lake: Writer) -> None:
    rows = [record(f"r{n}", email=f"p{n}@x.org", phone="+442079460018") for n in range(6)]
    run(lake, rows)
    assert partition(lake) == groups(*(f"r{n}" for n in range(6)))


def test_two_values_of_a_unique_namespace_never_meet(lake: Writer) -> None:
    summary = run(
        lake,
        [profile("a", crm="1", email="ann@x.org"), profile("b", crm="2", email="ann@x.org"),
         record("a2", crm="1"), record("ticket", email="ann@x.org"),
         record("ticket2", email="ann@x.org")],
    )  # fmt: skip
    assert partition(lake) == groups("a a2", "b")  # the tickets could be either's
    assert summary["records_without_identifier"] == 2
    assert [(c["namespace"], c["bridges"]) for c in summary["cut"]] == [("email", "crm")]
    apart = [row for row in judgements(lake) if row["verdict"] == "different"]
    assert {(r["left_record_key"], r["right_record_key"]) for r in apart} == {
        ("a", "b")
    }  # fmt: skip
    assert all("ann" not in row["reason"] and row["probability"] == 0 for row in apart)


def test_the_weakest_link_of_a_chain_is_cut(lake: Writer) -> None:
    run(
        lake,
        [record("a", user_id="1", email="a@x.org"),
         record("b", email="a@x.org", device_id="tablet-7"),
         record("c", user_id="2", device_id="tablet-7"),
         record("d", user_id="1", device_id="own-dev")],
    )  # fmt: skip
    assert partition(lake) == groups("a b d", "c")


def test_what_hangs_on_one_person_stays_when_a_bridge_beside_it_is_cut(lake: Writer) -> None:
    run(
        lake,
        [record("a", user_id="1", email=["own@x.org", "ours@x.org"]),
         record("t", email="own@x.org"),
         record("b", user_id="2", email="ours@x.org")],
    )  # fmt: skip
    assert partition(lake) == groups("a t", "b")


def test_a_record_that_names_two_users_joins_neither(lake: Writer) -> None:
    summary = run(
        lake,
        [record("a", user_id="1"), record("b", user_id="2"),
         record("alias", user_id=["1", "2"], email="x@x.org")],
    )  # fmt: skip
    assert partition(lake) == groups("a", "b", "alias")
    assert summary["blocked"][0]["cause"] == "contradictory"


def test_a_mapping_may_say_that_a_namespace_is_shared(lake: Writer) -> None:
    rows = [
        record("a", user_id="1", household="h"),
        record("b", household="h"),
        record("c", household=["h", "i"]),
    ]
    run(lake, rows, namespaces={"household": (3, False)})
    assert partition(lake) == groups("a b c")


def test_the_same_input_again_changes_nothing(lake: Writer) -> None:
    rows = [record("a", user_id="1", email="a@x.org"), record("b", email="a@x.org"),
            record("c", user_id="2", email="a@x.org")]  # fmt: skip
    run(lake, rows)
    before = judgements(lake), ids(lake)
    assert run(lake)["new_judgements"] == 0
    assert (judgements(lake), ids(lake)) == before


def test_a_person_keeps_the_id_and_a_merged_one_lives_on_as_an_alias(lake: Writer) -> None:
    run(lake, [record("a", user_id="1"), record("b", user_id="1"), record("c", email="c@x.org")])
    before = ids(lake)
    run(lake, [record("d", user_id="1", email="c@x.org")])
    after = ids(lake)
    assert after == dict.fromkeys("abcd", before["a"])
    aliases = lake.arrow("user_aliases", ["alias_id", "user_id"]).to_pylist()
    assert aliases == [{"alias_id": before["c"], "user_id": before["a"]}]


def test_a_link_that_turns_out_to_be_shared_is_taken_back_and_the_log_keeps_both(
    lake: Writer,
) -> None:
    run(lake, [record("a", 1, user_id="1", email="e@x.org"), record("t", 1, email="e@x.org")])
    before = ids(lake)
    assert before["a"] == before["t"]
    run(lake, [record("b", 2, user_id="2", email="e@x.org")])
    assert partition(lake) == groups("a", "b")  # t could be either's
    assert {r["verdict"] for r in judgements(lake)} == {"same", "different"}
    assert before["a"] == ids(lake)["a"]


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_what_a_person_says_wins(lake: Writer, verdict: str) -> None:
    shared = {"user_id": "1"} if verdict == "different" else {}
    rows = [record("a", user_id="1"), record("a2", user_id="1"),
            record("b", **(shared or {"user_id": "2"})), record("c")]  # fmt: skip
    run(lake, rows)
    said = {"left_record_key": "a", "right_record_key": "b", "verdict": verdict,
            "probability": 1.0, "reason": "asked them", "rule": "review", "author": "jo",
            "judged_at_ms": 5}  # fmt: skip
    with lake.step("review") as step:
        put(step, judgements=[said])
        if verdict == "same":
            put(step, judgements=[said | {"right_record_key": "c"}])
    run(lake)
    expected = groups("a a2 b c") if verdict == "same" else groups("a a2", "b")
    assert partition(lake) == expected
    assert run(lake)["new_judgements"] == 0


def test_a_denial_anywhere_denies_the_person(lake: Writer) -> None:
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": "a", "granted": True},
                            {"record_key": "b", "granted": False}])  # fmt: skip
        put(step, profiles=[{"record_key": key, "traits": '{"tier": "gold"}'} for key in "bc"])
    summary = run(lake, [record("a", user_id="1"), record("b", user_id="1", anonymous_id="7f3a-11"),
                         record("c", user_id="2")], describe=("tier",))  # fmt: skip
    users = {r["user_id"]: r["consent_denied"] for r in lake.arrow("users").to_pylist()}
    assert [users[ids(lake)[key]] for key in "abc"] == [True, True, False]
    assert summary["denied"] == 1
    assert [r["user_id"] for r in lake.arrow("user_traits").to_pylist()] == [ids(lake)["c"]]


def test_a_denial_that_could_be_of_either_denies_both_whenever_the_other_comes(
    lake: Writer,
) -> None:
    def denied() -> dict[str, bool]:
        said = {r["user_id"]: r["consent_denied"] for r in lake.arrow("users").to_pylist()}
        return {key: said[user] for key, user in ids(lake).items()}

    with lake.step("consents") as step:
        put(step, consents=[{"record_key": key, "granted": False} for key in ("no", "junk")])
    run(lake, [record("a", crm="1", email="us@x.org"), record("no", email="us@x.org"),
               record("c", crm="3", email="null"), record("junk", email="null")])  # fmt: skip
    assert denied() == {"a": True, "no": True, "c": False}
    run(lake, [record("b", crm="2", email="us@x.org")])
    assert denied() == {"a": True, "b": True, "c": False}


def test_where_the_default_is_denied_a_person_needs_a_grant(lake: Writer) -> None:
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": "a", "granted": True}])
    run(lake, [record("a", user_id="1"), record("b", user_id="2")], consent_default="denied")
    users = {r["user_id"]: r["consent_denied"] for r in lake.arrow("users").to_pylist()}
    assert [users[ids(lake)[key]] for key in "ab"] == [False, True]


def test_a_workspace_says_what_is_personal_and_how_it_is_written(lake: Writer) -> None:
    (lake.workspace.path / RULES_FILE).write_text(
        "namespaces:\n  card: {trust: 1, personal: true, form: lower}\n"
    )
    rules = read_rules(lake.workspace.path / RULES_FILE)
    run(lake, [record("a", card="Card-A7"), record("b", card="card-a7", phone="(212) 555-0123")],
        rules=rules, phone_region="US")  # fmt: skip
    assert partition(lake) == groups("a b")
    shown = {row["namespace"]: row["value"] for row in lake.arrow("user_identifiers").to_pylist()}
    assert shown["card"] == hash_identifier(KEY, "card", "card-a7")
    assert shown["phone"] == hash_identifier(KEY, "phone", "+1 212 555 0123")
    with lake.step("ingest", config={"read": "again"}) as step:
        step.summary.update(phone_region="US")
    limits = workspace_limits(lake)
    for name, asked, said in (("card", "CARD-a7", "card-a7"),
                              ("phone", "212-555-0123", "+1 212 555 0123")):  # fmt: skip
        assert shown_identifier(KEY, name, asked, limits) == hash_identifier(KEY, name, said)


def test_personal_identifiers_are_shown_as_hashes_only(lake: Writer) -> None:
    run(lake, [record("a", user_id="1", email="ann@x.org"), record("b", email="ann@x.org")])
    rows = lake.arrow("user_identifiers").to_pylist()
    assert {(r["namespace"], r["value"], r["reason"]) for r in rows} == {
        ("user_id", "1", "stated by 1 record"),
        ("email", hash_identifier(KEY, "email", "Ann@x.org"), "stated by 2 records"),
    }


def test_the_latest_trait_holds_whatever_its_type(lake: Writer) -> None:
    with lake.step("profiles") as step:
        put(step, profiles=[
            {"record_key": "a", "occurred_at_ms": 1, "traits": '{"tier": "gold", "age": 3}'},
            {"record_key": "b", "occurred_at_ms": 2, "traits": '{"tier": "silver", "age": null}'},
            {"record_key": "c", "occurred_at_ms": 3, "traits": '{"secret": "x"}'},
        ])  # fmt: skip
    run(lake, [profile(key, at, user_id="1") for at, key in enumerate("abc", 1)],
        describe=("tier", "age"))  # fmt: skip
    rows = lake.arrow("user_traits").to_pylist()
    found = [(row["name"], row["value"], row["at_ms"]) for row in rows]
    assert found == [("age", "3", 1), ("tier", "silver", 2)]


def test_what_was_sent_is_received_and_seen_means_events(lake: Writer) -> None:
    sent = record("s", 9, user_id="1") | {"verb": "received", "campaign_id": "spring"}
    run(lake, [sent, record("e", 4, user_id="1"), profile("p", 99, user_id="1")])
    row = lake.arrow("received").to_pylist()[0]
    assert (row["campaign_id"], row["at_ms"], row["arm"]) == ("spring", 9, "treated")
    user = lake.arrow("users").to_pylist()[0]
    assert (user["first_seen_ms"], user["last_seen_ms"]) == (4, 9)
    assert (user["record_count"], user["event_count"]) == (3, 2)


def test_nobody_at_all_is_no_error(lake: Writer) -> None:
    assert run(lake)["people"] == 0
    assert run(lake, [record("a")])["people"] == 0


VALUES = st.sampled_from("123")
RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "user_id": VALUES,
            "crm": VALUES,
            "email": st.sampled_from(["a@x.org", "b@x.org", "c@x.org", "d@x.org"]),
            "anonymous_id": st.sampled_from(["anon-one", "anon-two", "anon-three"]),
        },
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=15, deadline=None)
@given(RECORDS, st.data())
def test_order_and_batching_never_change_who_is_one_person(
    drawn: list[dict[str, str]], data: st.DataObject
) -> None:
    rows = [record(f"r{n}", n % 3, **ids) for n, ids in enumerate(drawn)]
    shuffled = data.draw(st.permutations(rows))
    at = data.draw(st.integers(0, len(rows)))
    with TemporaryDirectory() as folder:
        with Lake.writer(Path(folder) / "one") as lake:
            run(lake, rows)
            whole, whole_ids = partition(lake), ids(lake)
            run(lake, [record("z", 9, user_id="stranger", email="z@x.org")])
            assert {key: user for key, user in ids(lake).items() if key != "z"} == whole_ids
        with Lake.writer(Path(folder) / "two") as lake:
            run(lake, shuffled)
            assert ids(lake) == whole_ids
        with Lake.writer(Path(folder) / "three") as lake:
            run(lake, shuffled[:at])
            run(lake, shuffled[at:])
            assert partition(lake) == whole
            assert run(lake)["new_judgements"] == 0
            assert partition(lake) == whole == folded(lake)


def folded(lake: Lake) -> Partition:
    """The log read naively: the last verdict of a rule on a pair holds."""
    last: dict[tuple[str, str, str], tuple[int, bool]] = {}
    for row in judgements(lake):
        pair = tuple(sorted((row["left_record_key"], row["right_record_key"])))
        key = (*pair, row["rule"])
        verdict = (row["judged_at_ms"], row["verdict"] == "same")
        last[key] = max(last.get(key, verdict), verdict)
    group = {key: {key} for key in ids(lake)}
    for (left, right, _), (_, same) in last.items():
        if same and group[left] is not group[right]:
            group[left] |= group[right]
            for key in group[right]:
                group[key] = group[left]
    return {frozenset(keys) for keys in group.values()}


def test_a_wish_not_to_be_written_to_is_no_denial_of_being_understood(lake: Writer) -> None:
    with lake.step("consents") as step:
        put(step, consents=[{"record_key": "a", "granted": False, "purpose": "Email"}])
    run(lake, [record("a", user_id="1")])
    assert not any(row["consent_denied"] for row in lake.arrow("users").to_pylist())


def test_what_a_source_has_merged_itself_is_one_id(lake: Writer) -> None:
    with lake.step("claims") as step:
        put(step, merged_ids=[{"record_key": "b", "namespace": "hubspot", "value": "1",
                               "into_value": "2"}])  # fmt: skip
    rows = [record("a", hubspot="1"), record("b", hubspot="2", email="ann@x.org"),
            record("c", hubspot="3", email="cy@x.org"), record("d", hubspot="1")]  # fmt: skip
    summary = run(lake, rows)
    assert partition(lake) == groups("a b d", "c")
    assert summary["cut"] == summary["blocked"] == []


def test_a_record_that_says_what_it_was_merged_into_is_of_that_person(lake: Writer) -> None:
    with lake.step("claims") as step:
        put(step, merged_ids=[{"record_key": "a", "namespace": "salesforce", "value": "1",
                               "into_value": "2"}])  # fmt: skip
    run(lake, [record("a", salesforce="1", email="ann@x.org"),
               record("b", salesforce="2"), record("c", salesforce="3")])  # fmt: skip
    assert partition(lake) == groups("a b", "c")


def test_a_source_that_merges_everybody_is_not_believed(lake: Writer) -> None:
    ids = [f"h{number}" for number in range(60)]
    with lake.step("claims") as step:
        put(step, merged_ids=[{"record_key": "r0", "namespace": "hubspot", "value": one,
                               "into_value": "h0"} for one in ids[1:]])  # fmt: skip
    run(lake, [record(f"r{n}", hubspot=one) for n, one in enumerate(ids)])
    assert len(partition(lake)) == 59  # r0 names all of them, so it is nobody's


@pytest.mark.parametrize(("each", "expected"), [(3, [("customer", 30, 10)]), (1, [])])
def test_ids_that_became_far_fewer_people_are_told(
    lake: Writer, each: int, expected: list[tuple[str, int, int]]
) -> None:
    rows = [record(f"r{n}", customer=f"K{n}", email=f"ann{n // each}@x.org") for n in range(30)]
    summary = run(lake, rows, namespaces={"customer": (1, False)})
    told = [(row["namespace"], row["values"], row["people"]) for row in summary["gathered"]]
    assert told == expected
