"""Ids that were given up lead to whoever has their records, and come back with these."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingestion.identity.cautions import cautions
from ingestion.identity.config import IdentityConfig
from ingestion.identity.explain import explain
from ingestion.identity.verdicts import (
    Who,
    apart,
    merge,
    records_of,
    split,
    undo,
    user_of,
    verdicts,
)
from kg.errors import Conflict
from kg.lake import Lake, Writer
from tests.ingestion.identity.people import ids, person, run
from tests.ingestion.identity.test_increment import told, touching


class Twins:
    """Two lakes that are told the same; one decides about whom that touches, one about all."""

    def __init__(self, narrow: Writer, whole: Writer) -> None:
        self.lake, self.whole, self.said = narrow, whole, 0

    def run(self, *rows: dict[str, Any]) -> dict[str, str]:
        """Add records and resolve: record -> id. Both say the same, and say it again."""
        for lake, most in ((self.lake, 1.0), (self.whole, -1.0)):
            with touching(most):
                run(lake, rows)
        found = told(self.lake)
        assert found == told(self.whole)
        check(self.lake)
        return ids(self.lake)

    def say(self, verdict: Callable[..., Any], *about: Any) -> int:
        """What a person says: the number of it."""
        self.said += 1
        who = Who("jo", "asked them", self.said)
        numbers = {verdict(lake, *about, who).number for lake in (self.lake, self.whole)}
        (number,) = numbers
        return int(number)

    def again(self) -> None:
        """A pass over everybody changes nothing more."""
        before = told(self.whole)
        with touching(-1.0):
            run(self.whole)
        assert told(self.whole) == before


def aliases(lake: Lake) -> dict[str, str]:
    return {row["alias_id"]: row["user_id"] for row in lake.arrow("user_aliases").to_pylist()}


def check(lake: Lake) -> None:
    """No alias is a user, each leads to one, and what is kept is of ids that share their user."""
    users = {*lake.arrow("users")["user_id"].to_pylist()}
    assert not users & aliases(lake).keys()
    assert users >= {*aliases(lake).values()}
    kept = {*lake.arrow("former_identities")["user_id"].to_pylist()}
    assert kept == aliases(lake).keys() | {*aliases(lake).values()}


@pytest.fixture
def twins(tmp_path: Path) -> Iterable[Twins]:
    with Lake.writer(tmp_path / "narrow") as narrow, Lake.writer(tmp_path / "whole") as whole:
        yield Twins(narrow, whole)


def test_what_is_merged_and_taken_back_has_its_ids_again(twins: Twins) -> None:
    before = twins.run(person("a", crm="1"), person("b", crm="2"), person("b2", crm="2"))
    number = twins.say(merge, "a", "b")
    merged = twins.run()
    assert merged == dict.fromkeys(["a", "b", "b2"], before["b"])
    assert aliases(twins.lake) == {before["a"]: before["b"]}
    assert user_of(twins.lake, before["a"]) == before["b"]
    twins.say(undo, number)
    assert twins.run() == before
    assert aliases(twins.lake) == {}
    assert [records_of(twins.lake, before[key]) for key in "ab"] == [["a"], ["b", "b2"]]
    apart = explain(twins.lake, before["a"], before["b"], IdentityConfig())
    assert apart.verdict == f"Two people: {before['a']} and {before['b']}."
    twins.say(merge, "a", "b")
    assert twins.run() == merged
    assert aliases(twins.lake) == {before["a"]: before["b"]}
    twins.again()


@pytest.mark.parametrize("grown", ["1", "2"])
def test_each_id_goes_with_what_it_had_before_whoever_grew_since(twins: Twins, grown: str) -> None:
    before = twins.run(person("a", crm="1"), person("b", crm="2"))
    number = twins.say(merge, "a", "b")
    twins.run()
    twins.run(*(person(f"n{n}", kind="event", crm=grown) for n in range(3)))
    twins.say(undo, number)
    after = twins.run()
    assert {key: after[key] for key in "ab"} == before
    assert after["n0"] == before["a" if grown == "1" else "b"]
    assert aliases(twins.lake) == {}
    twins.again()


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("size", [1, 3])
def test_chains_are_undone_in_either_order(twins: Twins, first: int, size: int) -> None:
    more = [person(f"c{n}", crm="3") for n in range(1, size)]
    before = twins.run(person("a", crm="1"), person("b", crm="2"), person("c", crm="3"), *more)
    numbers = [twins.say(merge, "a", "b")]
    pair = twins.run()["a"]
    numbers.append(twins.say(merge, "b", "c"))
    three = twins.run()["a"]
    assert {*aliases(twins.lake)} == {*before.values()} - {three}
    twins.say(undo, numbers[first])
    part = twins.run()
    if first == 0:  # b stays with c
        assert (part["a"], part["b"]) == (before["a"], part["c"])
        assert {part["c"], *aliases(twins.lake)} == {before["b"], before["c"]}
    else:  # a and b are what they were before c came
        assert (part["a"], part["b"], part["c"]) == (pair, pair, before["c"])
        assert {pair, *aliases(twins.lake)} == {before["a"], before["b"]}
    twins.say(undo, numbers[1 - first])
    assert twins.run() == before
    assert aliases(twins.lake) == {}
    twins.again()


def test_who_took_others_in_is_called_the_same_after_being_given_up(twins: Twins) -> None:
    twins.run(person("a", crm="1"), person("b", crm="2"))
    twins.say(merge, "a", "b")
    twins.run(*(person(f"a{n}", kind="event", crm="1") for n in range(2)))
    twins.run(person("e", crm="3"), person("e2", crm="3"))
    twins.say(merge, "a", "e")
    five = twins.run()["a"]
    twins.run(*(person(f"d{n}", crm="4") for n in range(9)))
    number = twins.say(merge, "a", "d0")
    assert twins.run()["a"] != five
    twins.say(undo, number)
    assert twins.run()["a"] == five


def test_a_record_that_is_split_off_is_new_and_the_others_keep_the_id(twins: Twins) -> None:
    before = twins.run(*(person(key, kind="event", crm="1") for key in "abc"))
    twins.say(split, "c")
    after = twins.run(person("z", crm="9"))
    assert (after["a"], after["b"]) == (before["a"], before["a"])
    assert after.get("c") != before["a"]
    assert aliases(twins.lake) == {}


@pytest.mark.parametrize("record", ["a", "b"])
def test_a_split_of_two_records_that_is_taken_back_leaves_the_id_as_it_was(
    twins: Twins, record: str
) -> None:
    phone = "+442079460018"
    before = twins.run(person("a", phone=phone), person("b", phone=phone), person("c", crm="1"))
    number = twins.say(split, record)
    assert len({*twins.run().values()}) == 3
    twins.say(undo, number)
    assert twins.run() == before


def test_a_merged_one_that_is_split_off_has_its_id_again(twins: Twins) -> None:
    before = twins.run(person("a", crm="1"), person("a2", crm="1"), person("b", email="b@x.org"))
    twins.run(person("bridge", kind="event", crm="1", email="b@x.org"))
    assert aliases(twins.lake) == {before["b"]: before["a"]}
    twins.say(split, "b")
    after = twins.run()
    assert (after["a"], after["b"]) == (before["a"], before["b"])
    twins.again()


def test_a_record_that_is_split_off_leaves_whom_it_was_merged_with_before(twins: Twins) -> None:
    twins.run(person("a", crm="1"), person("b", crm="2"), person("b2", crm="2"),
              person("c", crm="3"))  # fmt: skip
    twins.say(merge, "a", "b")
    twins.run()
    twins.say(merge, "b2", "c")
    together = twins.run()
    parted = twins.say(split, "c")
    after = twins.run()
    assert after["a"] == after["b"] == after["b2"] != after["c"]
    twins.say(undo, parted)
    assert twins.run() == together


def test_a_merge_joins_whole_users_whatever_was_split_before(twins: Twins) -> None:
    twins.run(*(person(key, 5, crm="1") for key in "abc"))
    twins.say(split, "c")
    parted = twins.run(person("older", 1, crm="1"))
    assert parted["c"] != parted["a"] == parted["older"]
    merged = twins.say(merge, "older", "c")
    assert len({*twins.run().values()}) == 1
    twins.say(undo, merged)
    assert twins.run() == parted


def test_what_stood_before_a_verdict_stands_again_when_it_is_taken_back(twins: Twins) -> None:
    twins.run(person("a", crm="1"), person("b", crm="2"))
    merged = twins.say(merge, "a", "b")
    together = twins.run()
    assert together["a"] == together["b"]
    parted = twins.say(split, "b")
    after = twins.run()
    assert after["a"] != after["b"]
    twins.say(undo, parted)
    assert [(one.number, one.verdict) for one in verdicts(twins.lake)] == [(merged, "same")]
    assert twins.run() == together
    twins.say(undo, merged)
    assert verdicts(twins.lake) == []
    assert twins.run() == after
    twins.again()


def without(twins: Twins, *gone: str) -> dict[str, str]:
    """Both lakes without some records, as where files were replaced."""
    for lake in (twins.lake, twins.whole):
        with lake.step("ingest", config={"gone": gone}) as step:
            for name in ("records", "identifiers"):
                rows = lake.arrow(name).drop_columns(["run_id"])
                keep = pc.invert(pc.is_in(rows["record_key"], pa.array(gone)))
                step.overwrite(name, rows.filter(keep))
    return twins.run()


TWO = (
    person("a", 1, email="a@x.org"), person("a2", 2, email="a@x.org", phone="+442079460018"),
    person("b", 3, phone="+442079460019"), person("b2", 4, phone="+442079460019"),
)  # fmt: skip


def test_two_people_stay_two_whoever_names_something_of_each(twins: Twins) -> None:
    before = twins.run(*TWO)
    number = twins.say(apart, "a", "b2")
    newcomer = person("n", 9, email="a@x.org", phone="+442079460019")
    after = twins.run(newcomer)
    assert after == before | {"n": before["a"]}  # an address says more than a number
    assert verdicts(twins.lake)[0].users == tuple(sorted({before["a"], before["b"]}))
    told = explain(twins.lake, "n", "b", IdentityConfig())
    assert any("said by jo" in link for link in told.links)
    assert told.identifiers == ["not used: the same phone (a person says that they are two)"]
    assert cautions(twins.lake, "a2", "b", IdentityConfig().limits()).said == (number,)
    twins.say(undo, number)
    assert len({*twins.run().values()}) == 1


def test_a_verdict_holds_when_the_records_that_it_names_have_left(twins: Twins) -> None:
    before = twins.run(*TWO)
    number = twins.say(apart, "a", "b")
    twins.run()
    left = without(twins, "a", "b")
    assert left == {key: before[key] for key in ("a2", "b2")}
    after = twins.run(person("n", 9, email="a@x.org", phone="+442079460019"))
    assert after == left | {"n": before["a"]}
    assert [one.number for one in verdicts(twins.lake)] == [number]
    assert "said by jo" in explain(twins.lake, "a2", "b2", IdentityConfig()).links[-1]
    twins.say(undo, number)
    assert len({*twins.run().values()}) == 1


def test_a_record_that_was_split_off_stays_so_when_the_first_of_the_others_has_left(
    twins: Twins,
) -> None:
    twins.run(*(person(f"r{n}", n, crm="1") for n in range(4)))
    twins.say(split, "r3")
    twins.run()
    left = without(twins, "r0")
    assert left["r1"] == left["r2"] != left["r3"]
    after = twins.run(person("later", 9, crm="1"))
    assert after == left | {"later": left["r1"]}


def test_two_that_were_merged_stay_one_when_a_record_that_the_verdict_names_has_left(
    twins: Twins,
) -> None:
    twins.run(person("a", 1, crm="1"), person("a2", 2, crm="1"),
              person("b", 3, crm="2"), person("b2", 4, crm="2"))  # fmt: skip
    twins.say(merge, "a", "b2")
    together = twins.run()
    left = without(twins, "a", "b2")
    assert left["a2"] == left["b"] == together["a"]
    told = explain(twins.lake, "a2", "b", IdentityConfig())
    assert [link for link in told.links if "said by jo" in link]
    assert len({*twins.run(person("n", 9, crm="2")).values()}) == 1


def test_a_later_merge_with_a_part_of_the_other_leaves_the_rest_apart(twins: Twins) -> None:
    twins.run(*TWO)
    twins.say(apart, "a", "b")
    before = twins.run(person("bridge", 9, email="a@x.org", phone="+442079460019"))
    twins.say(split, "b2")
    parted = twins.run()
    assert len({parted[key] for key in ("a", "b", "b2")}) == 3
    number = twins.say(merge, "a", "b2")
    after = twins.run()
    assert after["a"] == after["b2"] != after["b"]
    twins.say(undo, number)
    assert twins.run() == parted
    assert before["a"] == parted["a"]
    twins.again()


def test_a_record_that_is_nobodys_can_be_given_to_somebody(twins: Twins) -> None:
    kiosk = [
        person(f"r{n}", kind="event", crm=f"{n + 1}", device_id="kiosk-at-the-door")
        for n in range(6)
    ]
    before = twins.run(*kiosk, person("lone", kind="event", device_id="kiosk-at-the-door"))
    assert "lone" not in before
    number = twins.say(merge, "lone", "r2")
    after = twins.run()
    assert after == before | {"lone": before["r2"]}
    with pytest.raises(Conflict, match="Both are the user"):
        twins.say(merge, "lone", "r2")
    twins.say(undo, number)
    assert twins.run() == before


def test_an_id_of_whose_records_none_is_anybodys_is_dropped(twins: Twins) -> None:
    before = twins.run(person("a", crm="1"), person("a2", crm="1"),
                       person("t", kind="event", email="e@x.org"))  # fmt: skip
    twins.run(person("bridge", 1, kind="event", crm="1", email="e@x.org"))
    assert aliases(twins.lake) == {before["t"]: before["a"]}
    after = twins.run(person("b", 2, crm="2", email="e@x.org"))
    assert "t" not in after  # it could be either's
    assert aliases(twins.lake) == {}


def test_an_alias_of_which_no_records_were_kept_follows_its_user(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "shop") as lake:
        before = run_ids(lake, person("a", crm="1"), person("b", crm="2"), person("b2", crm="2"))
        merge(lake, "a", "b", Who("jo", "asked them", 9))
        run(lake)
        with lake.step("older", config={}) as step:
            step.overwrite("former_identities", step.table("former_identities").limit(0))
        run(lake)
        assert aliases(lake) == {before["a"]: before["b"]}


def run_ids(lake: Writer, *rows: dict[str, Any]) -> dict[str, str]:
    run(lake, rows)
    return ids(lake)


SAID = st.lists(
    st.tuples(st.sampled_from(["merge", "split", "apart", "undo", "add"]), st.integers(0, 99),
              st.integers(0, 99)),
    min_size=2, max_size=7,
)  # fmt: skip


@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(SAID)
def test_whatever_is_said_new_records_alone_leave_the_ids_of_a_pass_over_everybody(
    said: list[tuple[str, int, int]],
) -> None:
    with TemporaryDirectory() as folder, Lake.writer(Path(folder) / "narrow") as narrow, \
            Lake.writer(Path(folder) / "whole") as whole:  # fmt: skip
        twins = Twins(narrow, whole)
        twins.run(*(person(f"r{n}", kind="event", crm=str(n // 2)) for n in range(8)))
        for number, (what, one, other) in enumerate(said):
            keys = sorted(ids(narrow))
            standing = [row.number for row in verdicts(narrow)]
            about = {"merge": (keys[one % len(keys)], keys[other % len(keys)]),
                     "split": (keys[one % len(keys)],),
                     "apart": (keys[one % len(keys)], keys[other % len(keys)]),
                     "undo": (standing[one % len(standing)],) if standing else None}  # fmt: skip
            with suppress(Conflict):
                if what == "add" or about[what] is None:
                    twins.run(person(f"n{number}", kind="event", crm=str(one % 5)))
                else:
                    twins.say(
                        {"merge": merge, "split": split, "apart": apart, "undo": undo}[what],
                        *about[what],
                    )
            if other % 3:  # else two things are said at once
                twins.run()
        twins.run()
        twins.again()
