"""New records alone: a pass over whom they touch leaves what a pass over everybody would."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rows import put

from ingestion.identity import touched
from ingestion.identity.limits import shipped
from ingestion.identity.verdicts import Who, merge, split
from kg.lake import Lake, Writer
from tests.ingestion.identity.people import ids, partition, person, run

TABLES = (*touched.MADE, "judgements")
# Of the pass itself, and not of the people.
PASS = ("settled", "evidence")


@contextmanager
def touching(most: float) -> Iterator[None]:
    """Passes are over whom new records touch, up to this share of all; below 0: over everybody."""
    before, touched.MOST_TOUCHED = touched.MOST_TOUCHED, most
    try:
        yield
    finally:
        touched.MOST_TOUCHED = before


def told(lake: Lake) -> dict[str, list[str]]:
    """Every table that the pass makes, without the run that made a row."""
    return {
        name: sorted(
            json.dumps(row, sort_keys=True)
            for row in lake.arrow(name).drop_columns(["run_id"]).to_pylist()
        )
        for name in TABLES
    }


def add(lake: Writer, rows: list[dict[str, Any]], **config: Any) -> dict[str, Any]:
    """Add records with what they say in profiles and consents, resolve, give the summary."""
    rows = [dict(row) for row in rows]
    put_more = [(row["record_key"], row.pop("traits", None), row.pop("granted", None),
                 row.pop("merged", None)) for row in rows]  # fmt: skip
    with lake.step("more", config={"number": lake.head.number if lake.head else 0}) as step:
        profiles = [{"record_key": key, "traits": json.dumps(traits)}
                    for key, traits, _, _ in put_more if traits]  # fmt: skip
        consents = [{"record_key": key, "granted": granted}
                    for key, _, granted, _ in put_more if granted is not None]  # fmt: skip
        merged = [{"record_key": key, "namespace": "crm", "value": one, "into_value": other}
                  for key, _, _, pair in put_more if pair for one, other in [pair]]  # fmt: skip
        put(step, profiles=profiles, consents=consents, merged_ids=merged)
    summary: dict[str, Any] = run(lake, rows, **config)
    return summary


CONFIG: dict[str, Any] = {
    "describe": ("tier",),
    "namespaces": {"desk": (5, False)},
    "rules": {"email": {"together": 1, "most": 2}, "device_id": {"together": 1}},
}
PEOPLE = st.fixed_dictionaries(
    {"kind": st.sampled_from(["profile", "profile", "event"])},
    optional={
        "given_name": st.sampled_from(["Ann", "Anne", "Otto", "Bea", "Wim"]),
        "family_name": st.sampled_from(["Kelner", "Kellner", "Fenby", "Ostvik"]),
        "birth_date": st.sampled_from(["19840312", "19840321", "20100624", "19700101"]),
        "postcode": st.sampled_from(["10112", "77001"]),
        "street": st.sampled_from(["Quarry Lane 7", "Mill Lane 9"]),
        "organisation": st.sampled_from(["Acme", "Bolt"]),
        "email": st.sampled_from(
            [
                "a@x.org",
                "b@x.org",
                "c@x.org",
                "d@x.org",
                "info@x.org",
                ["a@x.org", "b@x.org"],
                ["b@x.org", "c@x.org"],
            ]
        ),
        "phone": st.sampled_from(["+442079460018", "+442079460019"]),
        "crm": st.sampled_from([*"12345678"]),
        "desk": st.sampled_from(["north", "south"]),
        "device_id": st.sampled_from(["tablet-7", "kiosk-at-the-door"]),
        "traits": st.sampled_from([{"tier": "gold"}, {"account": "17", "tier": "tin"}]),
        "granted": st.booleans(),
        "merged": st.sampled_from([("1", "2"), ("3", "4")]),
    },
)


def numbered(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was drawn, as records with keys and times."""
    rows = []
    for number, said in enumerate(drawn):
        more = {name: said[name] for name in ("traits", "granted", "merged") if name in said}
        plain = {name: value for name, value in said.items() if name not in more}
        rows.append(person(f"r{number:02}", at=number % 3, **plain) | more)
    return rows


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(PEOPLE, min_size=4, max_size=14), st.data())
def test_whatever_is_added_the_tables_say_what_a_pass_over_everybody_says(
    drawn: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = numbered(drawn)
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted({1, *data.draw(st.lists(st.integers(1, len(rows) - 1), max_size=3))})
    batches = [shuffled[one:other] for one, other in zip([0, *cuts], [*cuts, None], strict=True)]
    with TemporaryDirectory() as folder, Lake.writer(Path(folder) / "narrow") as narrow, \
            Lake.writer(Path(folder) / "whole") as whole:  # fmt: skip
        for batch in batches:
            with touching(1.0):
                found = add(narrow, batch, **CONFIG)
            with touching(-1.0):
                wanted = add(whole, batch, **CONFIG)
            assert told(narrow) == told(whole)
            assert {k: v for k, v in found.items() if k not in PASS} == {
                k: v for k, v in wanted.items() if k not in PASS
            }


ANN = {"given_name": "Ann", "family_name": "Kelner", "birth_date": "19840312",
       "postcode": "10112"}  # fmt: skip
JO = Who("jo", "asked them", 9)
STRANGERS = [person(f"x{n}", crm=f"x{n}", email=f"x{n}@x.org") for n in range(20)]


def test_only_whom_new_records_touch_are_decided_about(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "shop") as lake:
        first = run(lake, [person("a", crm="1", email="ann@x.org", **ANN), *STRANGERS])
        before = {row["user_id"]: row["run_id"] for row in lake.arrow("users").to_pylist()}
        more = run(lake, [person("b", **(ANN | {"given_name": "Anne"})),
                          person("c", kind="event", email="ann@x.org")])  # fmt: skip
        assert (first["settled"], more["settled"]) == (21, 3)
        assert ids(lake)["a"] == ids(lake)["b"] == ids(lake)["c"]
        after = {row["user_id"]: row["run_id"] for row in lake.arrow("users").to_pylist()}
        assert [user for user in before if after[user] != before[user]] == [ids(lake)["a"]]
        assert run(lake)["settled"] == 0


def test_a_verdict_is_about_the_two_it_names(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "shop") as lake:
        run(lake, [person("a", crm="1"), person("b", crm="2"), *STRANGERS])
        merge(lake, "a", "b", JO)
        summary = run(lake)
        assert (summary["settled"], summary["changes"]["merged"]["count"]) == (2, 1)
        assert frozenset("ab") in partition(lake)
        split(lake, "b", JO)
        assert run(lake)["settled"] == 2
        assert frozenset("ab") not in partition(lake)


def test_everybody_is_decided_about_where_a_rule_or_a_record_has_changed(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "shop") as lake:
        run(lake, STRANGERS)
        assert run(lake, namespaces={"email": (2, True)})["settled"] == 20
        with lake.step("ingest", config={"again": 1}) as step:
            rows = lake.arrow("identifiers")
            step.overwrite("identifiers", rows.drop_columns(["run_id"]).slice(1))
        assert run(lake, namespaces={"email": (2, True)})["settled"] == 20


def test_who_says_the_same_but_earlier_takes_the_place_of_the_second(tmp_path: Path) -> None:
    same = [person(f"s{n}", at=5 + n, **ANN) for n in range(3)]
    early = person("early", at=1, **ANN)
    with Lake.writer(tmp_path / "one") as one, Lake.writer(tmp_path / "other") as other:
        run(one, [*same, *STRANGERS])
        summary = run(one, [early])
        assert summary["settled"] == 4
        run(other, [*same, *STRANGERS])
        with touching(-1.0):
            run(other, [early])
        assert told(one) == told(other)


@pytest.mark.parametrize("by_name", [False, True])
def test_an_identifier_that_passes_its_limit_takes_old_people_apart(
    tmp_path: Path, by_name: bool
) -> None:
    families = ["Adler", "Brook", "Cole", "Dunn", "Ellis", "Frost", "Gray", "Hale"]
    said = [{"name": f"Mary {one}"} if by_name else {"email": f"{one}@x.org"} for one in families]
    named = [person(f"r{n}", kind="event", phone="+442079460018", **one)
             for n, one in enumerate(said)]  # fmt: skip
    most = shipped().of("phone").limit or 0
    with Lake.writer(tmp_path / "one") as one, Lake.writer(tmp_path / "other") as other:
        for lake, share in ((one, 1.0), (other, -1.0)):
            run(lake, [*named[:most], *STRANGERS])
            assert len(partition(lake)) == 21  # they are taken for one person
            with touching(share):
                assert run(lake, [named[most]])["settled"] == (most + 1 if share > 0 else most + 21)
        assert len(partition(one)) == 20 + most + 1
        assert run(one, [named[most + 1]])["settled"] == 1  # a switchboard connects nobody
        with touching(-1.0):
            run(other, [named[most + 1]])
        assert told(one) == told(other)


def hangs_on(lake: Lake) -> dict[str, list[str]]:
    """What is known of people and where they belong, with their records instead of their ids."""
    people: dict[str, list[str]] = {}
    for key, user in sorted(ids(lake).items()):
        people.setdefault(user, []).append(key)
    found = {}
    for name in ("golden_traits", "account_members", "household_members", "accounts", "households"):
        rows = lake.arrow(name).drop_columns(["run_id"]).to_pylist()
        told = [row | {"user_id": people[row["user_id"]]} if "user_id" in row else row
                for row in rows]  # fmt: skip
        found[name] = sorted(json.dumps(row, sort_keys=True) for row in told)
    return found


@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(PEOPLE, min_size=4, max_size=14), st.data())
def test_order_and_batches_change_neither_traits_nor_accounts_nor_households(
    drawn: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = numbered(drawn)
    shuffled = data.draw(st.permutations(rows))
    at = sorted(data.draw(st.lists(st.integers(0, len(rows)), min_size=2, max_size=2)))
    with TemporaryDirectory() as folder:
        with Lake.writer(Path(folder) / "one") as lake:
            add(lake, rows, **CONFIG)
            whole = hangs_on(lake)
        with Lake.writer(Path(folder) / "two") as lake, touching(1.0):
            for batch in (shuffled[: at[0]], shuffled[at[0] : at[1]], shuffled[at[1] :]):
                add(lake, batch, **CONFIG)
            assert hangs_on(lake) == whole
