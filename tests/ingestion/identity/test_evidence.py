"""What records say of their people, beside identifiers: who is joined, and who never is."""

import math
import random
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingestion.identity import IdentityConfig
from ingestion.identity.explain import explain
from ingestion.identity.limits import shipped
from ingestion.identity.preview import preview
from ingestion.identity.verdicts import Who, apart, merge, split, undo, user_of, verdicts
from kg.errors import Conflict, InputError, NotFound
from kg.lake import TABLES, Lake, Writer
from tests.ingestion.identity.people import KEY, groups, ids, judgements, partition, person, run

ANN = {
    "given_name": "Ann", "family_name": "Kelner", "birth_date": "19840312",
    "street": "Quarry Lane 7", "postcode": "10112", "city": "Ashmoor",
}  # fmt: skip
JO = Who("jo", "asked them", 9)


@pytest.fixture
def lake(tmp_path: Path) -> Iterable[Writer]:
    with Lake.writer(tmp_path / "shop") as lake:
        yield lake


def test_two_spellings_are_joined_and_the_log_says_how_sure(lake: Writer) -> None:
    slip = ANN | {"given_name": "Anne", "family_name": "Kellner", "birth_date": "19840321"}
    otto = ANN | {"given_name": "Otto", "birth_date": "19511130"}
    run(lake, [person("a", crm="1", **ANN), person("b", **slip), person("c", **otto)])
    assert partition(lake) == groups("a b", "c")
    row = judgements(lake)[0]
    assert (row["rule"], row["author"], row["verdict"]) == ("details", "model", "same")
    assert 0.9 < row["probability"] < 1
    assert row["reason"] == (
        "street, postcode, city agree; given name, family name, birth date nearly alike"
    )


def test_addresses_that_differ_in_digits_are_not_nearly_alike(lake: Writer) -> None:
    rosa = {"given_name": "Rosa", "family_name": "Brown"}
    run(lake, [person("a", email="rosa.brown130@example.com", **rosa),
               person("b", email="rosa.brown170@example.com", **rosa),
               person("c", email="rosa.brown@example.com", **rosa),
               person("d", email="otto.kelner12@example.com", given_name="Otto",
                      family_name="Kelner"),
               person("e", email="oto.kelner12@example.com", given_name="Otto",
                      family_name="Kelner")])  # fmt: skip
    for one, other in (("a", "b"), ("a", "c")):
        words = {w.words: w.bits for w in explain(lake, one, other, IdentityConfig()).weights}
        assert words["different e-mail addresses"] < 0
    alike = {w.words: w.bits for w in explain(lake, "d", "e", IdentityConfig()).weights}
    assert alike["e-mail addresses written nearly alike"] > 0


def test_nicknames_initials_and_swapped_names_are_seen_through(lake: Writer) -> None:
    will = ANN | {"given_name": "William"}
    run(lake, [person("a", **will), person("b", **(will | {"given_name": "Bill"})),
               person("c", **(will | {"given_name": "W."})),
               person("d", **(will | {"given_name": "Kelner", "family_name": "William"})),
               person("e", **{**will, "given_name": None, "family_name": None,
                              "name": "Kelner, William"})])  # fmt: skip
    assert partition(lake) == groups("a b c d e")


@pytest.mark.parametrize(
    ("one", "other"),
    [("John Smith", "Mr. John Smith"), ("Dr Ann Lee", "Lee, Prof. Ann"),
     ("Mr. Smith", "John Smith"), ("Иван Петров", "Ivan Petrov"), ("王小明", "Xiaoming Wang")],
)  # fmt: skip
def test_a_title_or_another_script_makes_nobody_another_person(
    lake: Writer, one: str, other: str
) -> None:
    run(lake, [person("a", email="w@x.org", name=one), person("b", email="w@x.org", name=other)])
    assert partition(lake) == groups("a b")


@pytest.mark.parametrize(
    ("one", "other", "people"),
    [
        ({"given_name": "Mary Elizabeth"}, {"given_name": "Mary"}, 1),
        ({"given_name": "Anne-Marie"}, {"given_name": "Marie"}, 1),
        ({"given_name": "Maria José"}, {"given_name": "Maria Luisa"}, 2),
        ({"name": "Evan Kelner, Jr."}, {"name": "Evan Kelner"}, 1),
        ({"name": "Kelner, Evan, Jr."}, {"name": "Evan Kelner, Sr."}, 2),
        ({"name": "Evan Kelner, Ph.D."}, {"name": "Kelner, Evan"}, 1),
        ({"given_name": "राम"}, {"given_name": "रमा"}, 2),
        ({"given_name": "सीता"}, {"given_name": "गीता"}, 2),
        ({"given_name": "じゅん"}, {"given_name": "しゅん"}, 2),
        ({"given_name": "राम"}, {"given_name": "राम"}, 1),
    ],
)  # fmt: skip
def test_several_given_names_what_stands_behind_a_name_and_marks_that_are_letters(
    lake: Writer, one: dict[str, str], other: dict[str, str], people: int
) -> None:
    rows = [
        person(key, phone="+442071234567", **({} if "name" in who else {"family_name": "Kelner"}),
               **who)
        for key, who in (("a", one), ("b", other))
    ]  # fmt: skip
    run(lake, rows)
    assert len({*ids(lake).values()}) == people


def test_names_in_two_scripts_join_nobody_by_what_else_agrees(lake: Writer) -> None:
    said = {"birth_date": "19840312", "postcode": "10112"}
    nameless = {"family_name": "Fenby", "birth_date": "19900101", "postcode": "10115"}
    run(lake, [person("a", name="Иван Петров", **said), person("b", name="Otto Kelner", **said),
               person("c", **nameless), person("d", **nameless)])  # fmt: skip
    assert partition(lake) == groups("a", "b", "c d")
    told = explain(lake, "a", "b", IdentityConfig())
    assert "given names in two scripts" in {weight.words for weight in told.weights}
    assert "two scripts" in told.weights[-1].words


def test_names_are_compared_without_the_letters_of_one_language(lake: Writer) -> None:
    one = {"given_name": "Øystein", "family_name": "Sørensen", "street": "Løkkagaten 5"}
    other = {"given_name": "Oystein", "family_name": "Sorensen", "street": "Lokkagaten 5"}
    run(lake, [person("a", birth_date="19840312", **one),
               person("b", birth_date="19840312", **other)])  # fmt: skip
    assert partition(lake) == groups("a b")
    words = [weight.words for weight in explain(lake, "a", "b", IdentityConfig()).weights]
    assert {"the same given name", "the same family name", "the same street and house"} <= {*words}


def test_a_father_and_a_son_of_one_name_and_address_stay_two(lake: Writer) -> None:
    son = ANN | {"birth_date": "20100624"}
    run(lake, [person("father", phone="+442079460018", **ANN),
               person("son", phone="+442079460018", **son)])  # fmt: skip
    assert partition(lake) == groups("father", "son")
    assert [row["cause"] for row in lake.arrow("reviews").to_pylist()] == ["contradicted"]


@pytest.mark.parametrize(
    "nobody",
    [
        {"name": "N/A", "postcode": "10112", "organisation": "Acme"},
        {"given_name": "n/a", "family_name": "N/A", "postcode": "10112", "organisation": "Acme"},
        {"name": "No Name", "street": "Quarry Lane 7", "postcode": "10112"},
        {"given_name": "John", "family_name": "Smith", "birth_date": "19000101"},
        {"given_name": "John", "family_name": "Smith", "birth_date": "19700101"},
    ],
)
def test_what_stands_for_a_missing_name_or_date_joins_nobody(
    lake: Writer, nobody: dict[str, str]
) -> None:
    run(lake, [person("a", email="a@x.org", **nobody), person("b", email="b@y.org", **nobody)])
    assert partition(lake) == groups("a", "b")


def test_a_household_is_not_a_person(lake: Writer) -> None:
    other = ANN | {"given_name": "Bruno", "birth_date": "19820707"}
    run(lake, [person("a", phone="+442079460018", **ANN),
               person("b", phone="+442079460018", **other),
               person("mail", email="family@kelner.org", **ANN),
               person("mail2", email="family@kelner.org", **other)])  # fmt: skip
    assert partition(lake) == groups("a mail", "b mail2")


def test_twins_with_one_telephone_stay_two_and_wait_for_a_person(lake: Writer) -> None:
    twin = ANN | {"given_name": "Bella"}
    run(lake, [person("anna", phone="+442079460018", **ANN),
               person("bella", phone="+442079460018", **twin)])  # fmt: skip
    assert partition(lake) == groups("anna", "bella")
    assert [row["cause"] for row in lake.arrow("reviews").to_pylist()] == ["doubtful"]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (ANN, ANN | {"birth_date": "19840321"}, "one household"),
        (ANN, ANN | {"given_name": "Bella"}, "twins"),
        (
            {"given_name": "Ann", "family_name": "Kelner", "city": "Ashmoor"},
            {"given_name": "Ann", "family_name": "Kelner", "city": "Ashmoor"},
            "names alone",
        ),
    ],
)
def test_the_weights_of_an_explanation_add_up_to_its_probability(
    lake: Writer, one: dict[str, str], other: dict[str, str], why: str
) -> None:
    run(lake, [person("a", phone="+442079460018", **one), person("b", **other)])
    told = explain(lake, "a", "b", IdentityConfig())
    assert told.probability is not None
    assert told.prior_bits is not None
    together = math.log2(told.probability / (1 - told.probability))
    assert together == pytest.approx(sum(w.bits for w in told.weights) + told.prior_bits, abs=0.5)
    assert why in told.weights[-1].words
    words = [w.words for w in told.weights]
    assert "only one of them says anything of phone that is used" in words
    assert not any("number" in one for one in words)  # neither says any
    assert told.weights[-1].bits < 0


def test_what_two_people_share_speaks_for_nobody_and_waits_for_what_it_is(lake: Writer) -> None:
    home = {"family_name": "Dellow", "street": "Mill Bank 131", "email": "us@x.org"}
    run(lake, [person("a", given_name="Jonas", birth_date="19710203", **home),
               person("b", given_name="Jonah", birth_date="19730809", **home)])  # fmt: skip
    told = explain(lake, "a", "b", IdentityConfig())
    assert told.identifiers == [
        "not used: the same email (it is taken from both, as two people or more name it)"
    ]
    assert told.probability is not None
    assert told.probability > 0.9
    assert [row["cause"] for row in lake.arrow("reviews").to_pylist()] == ["strangers"]
    assert told.waits is not None
    assert "an id of its own" not in told.waits


HOUSE = {"family_name": "Dellow", "street": "Mill Bank 131", "postcode": "LS114FE"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"given_name": "Paul", "birth_date": "19710203"},
         {"given_name": "Paula", "birth_date": "19730809"}),
        ({"given_name": "Mary", "birth_date": "20010607"},
         {"given_name": "Mark", "birth_date": "20010607"}),
        ({"given_name": "Rob", "family_name": "Dellow Sr."},
         {"given_name": "Rob", "family_name": "Dellow Jr."}),
        ({"given_name": "Rob Senior"}, {"given_name": "Rob II"}),
    ],
)  # fmt: skip
def test_two_of_one_house_and_telephone_whose_names_are_near_stay_two(
    lake: Writer, one: dict[str, str], other: dict[str, str]
) -> None:
    run(lake, [person("a", phone="+442079460018", **HOUSE | one),
               person("b", phone="+442079460018", **HOUSE | other)])  # fmt: skip
    assert partition(lake) == groups("a", "b")


@pytest.mark.parametrize("way", ["", "phone", "email", "crm"])
def test_names_of_twins_that_are_nearly_alike_wait_for_a_person(lake: Writer, way: str) -> None:
    two = "Jan Jana, Anna Hanna, Leonie Leon, Mario Maria"
    one = "Ann Anna, Marie Maria, Martin Martim"  # a short form, a form, a slip
    rows, pairs = [], [names.split() for names in f"{two}, {one}".split(", ")]
    for at, names in enumerate(pairs):
        home = {"family_name": LAST.split()[at], "street": f"{FIRST.split()[at]} {at}{at}"}
        home |= {"birth_date": f"19{30 + 9 * at}{at + 1:02}{11 + 2 * at}", "postcode": f"{at}" * 5}
        shared = {way: f"+44207946{at}{at}18"} if way else {}
        rows += [person(f"{at}{side}", **shared, **(home | {"given_name": name}))
                 for side, name in zip("ab", names, strict=True)]  # fmt: skip
    run(lake, rows)
    joined = sorted(min(keys) for keys in partition(lake) if len(keys) == 2)
    # An id of the source outweighs a name.
    assert joined == [f"{at}a" for at in range(0 if way == "crm" else 4, 7)]
    assert len(lake.arrow("reviews")) == (0 if way == "crm" else 4)


def test_colleagues_of_one_given_name_in_one_building_are_two(lake: Writer) -> None:
    office = {"given_name": "Gustav", "street": "1 Corporate Plaza", "postcode": "50100"}
    run(lake, [person("a", email="abbott@corp.org", family_name="Abbott", **office),
               person("b", email="prentice@corp.org", family_name="Prentice", **office),
               person("c", family_name="Marlow", **office),
               person("d", family_name="Garnier", birth_date="19840312", **office),
               person("e", family_name="Kelner", birth_date="19840312", **office)])  # fmt: skip
    assert partition(lake) == groups("a", "b", "c", "d e")  # who marries has a date of birth


def test_a_suffix_is_no_family_name(lake: Writer) -> None:
    run(lake, [person("a", name="Rob Dellow Jr.", street=HOUSE["street"]),
               person("b", name="Rob Dellow Sr", street=HOUSE["street"])])  # fmt: skip
    rows = {row["record_key"]: row["family_name"] for row in lake.arrow("person_rows").to_pylist()}
    assert rows == {"a": "dellow jr", "b": "dellow sr"}
    assert partition(lake) == groups("a", "b")


def test_two_names_alone_join_nobody(lake: Writer) -> None:
    name = {"given_name": "Xanthippe", "family_name": "Fernsby", "city": "Ashmoor"}
    run(lake, [person("a", email="xf@x.org", **name), person("b", email="xanthi77@y.org", **name),
               person("c", **name)])  # fmt: skip
    assert partition(lake) == groups("a", "b", "c")
    assert {row["cause"] for row in lake.arrow("reviews").to_pylist()} == {"doubtful"}


def test_a_table_without_doubles_joins_nobody_and_is_no_error(lake: Writer) -> None:
    draw = random.Random(22)
    given = [
        a + b + c for a in "BDKLMN" for b in "aeio" for c in ("lan", "rik", "mus", "ta", "vin")
    ]
    family = [
        a + b
        for a in ("Ash", "Bram", "Cor", "Dun", "El", "Fen")
        for b in ("by", "cott", "den", "ford", "grove", "ham", "ley", "more", "ton", "wick")
    ]
    rows = []
    for n in range(600):
        one, two = draw.choice(given), draw.choice(family)
        rows.append(
            person(
                f"n{n}",
                customer=f"C{n}",
                email=f"{one}.{two}{draw.randint(1, 9999)}@x.org".lower(),
                phone=f"+447{draw.randint(100000000, 999999999)}",
                given_name=one,
                family_name=two,
                birth_date=f"{draw.randint(19400, 20059)}{draw.randint(111, 128)}",
                street=f"{draw.choice(family)} Road {draw.randint(1, 200)}",
                postcode=f"LS{draw.randint(1, 29)}{draw.randint(1, 9)}{draw.choice('ABDEFG')}X",
            )
        )
    for n in range(9):
        house = {
            "family_name": family[n],
            "street": f"{draw.choice(family)} Lane {draw.randint(1, 200)}",
            "postcode": f"M{draw.randint(10, 99)}{draw.choice('ABDEFG')}B",
            "phone": f"+447{draw.randint(100000000, 999999999)}",
        }
        for name in ("Olga", "Igor"):
            born = f"{draw.randint(19400, 19899)}{draw.randint(111, 128)}"
            rows.append(person(f"h{n}{name}", given_name=name, birth_date=born, **house))
    run(lake, rows)  # fmt: skip
    assert len(partition(lake)) == len(rows)


def test_a_telephone_of_many_names_is_a_switchboards_though_no_record_has_an_id(
    lake: Writer,
) -> None:
    families = ["Adler", "Brook", "Cole", "Dunn", "Ellis", "Frost", "Gray", "Hale"]
    most = shipped().of("phone").limit or 0
    rows = [
        person(f"r{n}", given_name="Mary", family_name=family, phone="+442079460018")
        for n, family in enumerate(families)
    ]
    run(lake, rows[:most])
    assert len(partition(lake)) == 1  # somebody who changed names, or was misheard
    summary = run(lake, rows[most:])
    assert partition(lake) == groups(*(row["record_key"] for row in rows))
    assert [(b["cause"], b["values"], b["records"]) for b in summary["blocked"]] == [
        ("shared", 1, len(rows))
    ]


def test_one_person_with_many_spellings_is_not_taken_for_many(lake: Writer) -> None:
    spellings = [
        {"name": "Rosa Kelner"}, {"name": "Kelner, Rosa"}, {"name": "Rosa Kellner"},
        {"name": "rosa KELNER"}, {"given_name": "Rósa", "family_name": "Kelner"},
        {"given_name": "Kelner", "family_name": "Rosa"}, {"name": "Rosa Maria Kelner"},
    ]  # fmt: skip
    rows = [person(f"r{n}", email="rosa@x.org", **said) for n, said in enumerate(spellings)]
    assert len(spellings) > (shipped().of("email").limit or 0)
    assert run(lake, rows)["blocked"] == []


def test_a_recycled_number_joins_nobody_and_what_only_names_it_is_nobodys(lake: Writer) -> None:
    late = {"given_name": "Otto", "family_name": "Fenby", "postcode": "77001", "city": "Eastmere"}
    rows = [person("a", customer_no="C1", **ANN), person("b", customer_no="C1", **late),
            person("order", kind="event", customer_no="C1")]  # fmt: skip
    summary = run(lake, rows)
    assert partition(lake) == groups("a", "b")
    assert summary["cut"][0]["why"].startswith("names or dates of birth")


def test_unique_ids_hold_against_any_evidence_and_the_pair_waits_for_a_person(lake: Writer) -> None:
    run(lake, [person("a", crm="1", **ANN), person("b", crm="2", **ANN),
               person("e", kind="event", crm="1")])  # fmt: skip
    assert partition(lake) == groups("a e", "b")
    rows = lake.arrow("reviews").to_pylist()
    assert [(row["cause"], row["events"]) for row in rows] == [("unique", 1)]


def test_three_records_that_say_the_same_are_one_person_where_two_are(lake: Writer) -> None:
    run(lake, [person(key, **ANN) for key in "abcd"])
    assert partition(lake) == groups("a b c d")
    poor = {"family_name": "Kelner"}
    run(lake, [person(key, **poor) for key in "wxyz"])
    assert partition(lake) == groups("a b c d", "w", "x", "y", "z")


def test_a_person_says_more_than_the_evidence_and_may_take_it_back(lake: Writer) -> None:
    run(lake, [person("a", crm="1", **ANN), person("b", crm="2", **ANN), person("c", **ANN)])
    assert partition(lake) == groups("a", "b", "c")  # c could be either's
    said = merge(lake, ids(lake)["a"], "b", JO)
    assert set(said.users) == {ids(lake)["a"], ids(lake)["b"]}
    summary = run(lake)
    assert partition(lake) == groups("a b c")
    assert summary["changes"]["merged"]["count"] == 1
    with pytest.raises(Conflict):
        merge(lake, "a", "b", JO)
    split(lake, "c", JO)
    run(lake)
    assert partition(lake) == groups("a b", "c")
    for one in verdicts(lake):
        undo(lake, one.number, JO)
    assert verdicts(lake) == []
    run(lake)
    assert partition(lake) == groups("a", "b", "c")
    with pytest.raises(NotFound):
        undo(lake, said.number, JO)


def test_of_two_who_wait_a_person_may_say_that_they_are_two_and_they_stay_two(
    lake: Writer,
) -> None:
    twin = ANN | {"given_name": "Una"}
    run(lake, [person("a", crm="1", **ANN), person("b", crm="2", **ANN), person("t", **twin)])
    waiting = {("a", "b"): "unique", ("a", "t"): "doubtful", ("b", "t"): "doubtful"}

    def reviews() -> dict[tuple[str, str], str]:
        rows = lake.arrow("reviews").to_pylist()
        return {(r["left_record_key"], r["right_record_key"]): r["cause"] for r in rows}

    assert reviews() == waiting
    said = [apart(lake, *pair, JO) for pair in waiting]
    assert said[0].users == tuple(sorted({ids(lake)["a"], ids(lake)["b"]}))
    run(lake)
    assert (reviews(), partition(lake)) == ({}, groups("a", "b", "t"))
    run(lake, [person("n", 5, crm="2", **ANN)])  # more of the same decides nothing again
    assert (reviews(), partition(lake)) == ({}, groups("a", "b n", "t"))
    run(lake, rules={"crm": {"unique": False}})
    assert (reviews(), partition(lake)) == ({}, groups("a", "b n", "t"))
    for one in said:
        undo(lake, one.number, JO)
    run(lake)
    assert reviews().keys() == waiting.keys()
    with pytest.raises(Conflict, match="Both are one user"):
        apart(lake, "b", "n", JO)


def test_details_of_records_that_name_nobody_are_no_error(lake: Writer) -> None:
    run(lake, [person("a", kind="event", birth_date="19840312", given_name="Ann")])
    assert partition(lake) == set()
    run(lake, [person("b", crm="1")])
    assert partition(lake) == groups("b")


def test_two_users_that_a_person_merges_are_one_with_all_their_records(lake: Writer) -> None:
    def of(name: str, crm: str, **said: str) -> list[dict[str, Any]]:
        keys = {"email": f"{name}@x.org", "anonymous_id": f"device of {name}"}
        return [person(f"{name}1", anonymous_id=keys["anonymous_id"]), person(f"{name}2", **keys),
                person(f"{name}3", email=keys["email"], crm=crm, **said)]  # fmt: skip

    run(lake, [*of("ann", "1"), *of("bea", "2"), person("both", crm="2", email="ann@x.org")])
    apart = partition(lake)
    assert groups("ann1 ann2", "bea1 bea2 bea3 both") <= apart
    number = merge(lake, "ann1", "bea1", JO).number
    summary = run(lake, [person("later", crm="1")])
    assert groups("ann1 ann2 bea1 bea2 bea3 both") <= partition(lake)
    assert summary["changes"]["split"]["count"] == 0
    undo(lake, number, JO)
    run(lake)
    assert apart <= partition(lake) | groups("ann3")


def test_twins_that_a_person_merges_are_one(lake: Writer) -> None:
    twin = ANN | {"given_name": "Bella"}
    phone = {"phone": "+442079460018"}
    rows = [
        person("anna", email="a@x.org", **phone, **ANN),
        person("a2", email="a@x.org"),
        person("bella", email="b@x.org", **phone, **twin),
        person("b2", email="b@x.org"),
    ]
    run(lake, rows)  # fmt: skip
    assert partition(lake) == groups("a2 anna", "b2 bella")
    merge(lake, "a2", "b2", JO)
    run(lake)
    assert partition(lake) == groups("a2 anna b2 bella")


def test_the_last_word_holds_though_a_clock_was_set_back(lake: Writer) -> None:
    run(lake, [person("a", crm="1"), person("b", crm="2")])
    for at_ms in (9, 9, 3):
        number = merge(lake, "a", "b", Who("jo", "asked them", at_ms)).number
        run(lake)
        assert partition(lake) == groups("a b")
        undo(lake, number, Who("jo", "asked again", at_ms))
        run(lake)
        assert partition(lake) == groups("a", "b")


def test_a_verdict_needs_a_name_and_somebody_it_is_about(lake: Writer) -> None:
    run(lake, [person("a", crm="1"), person("b", crm="2")])
    with pytest.raises(InputError):
        merge(lake, "a", "b", Who("model", "no", 1))
    for nothing in (Who(" ", "no", 1), Who("jo", "", 1), Who("jo", " ", 1)):
        with pytest.raises(InputError):
            merge(lake, "a", "b", nothing)
    for refuse in (user_of, lambda lake, key: split(lake, key, JO)):
        with pytest.raises(NotFound) as told:
            refuse(lake, "x" * 100_000)
        assert len(told.value.message) < 300
    with pytest.raises(NotFound):
        merge(lake, "a", "nobody", JO)
    with pytest.raises(Conflict):
        split(lake, "a", JO)


def test_a_pair_is_explained_without_repeating_what_is_personal(lake: Writer) -> None:
    other = ANN | {"given_name": "Otto", "birth_date": "19511130"}
    rows = [person("a", crm="1", email="ann@kelner.org", **ANN), person("b", crm="2", **other),
            person("c", email="ann@kelner.org", **(ANN | {"given_name": "Anne"}))]  # fmt: skip
    run(lake, rows)
    told = explain(lake, "a", "b", IdentityConfig())
    assert told.verdict.startswith("Two people: ")
    assert "against: different crm, of which a person has one" in told.identifiers
    words = {weight.words: weight.bits for weight in told.weights}
    assert words["the same family name"] > 0 > words["different given names"]
    assert told.probability is not None
    assert told.probability < 0.9
    same = explain(lake, "a", ids(lake)["c"], IdentityConfig())
    assert same.verdict.startswith("One person: ")
    assert any("same email" in link for link in same.links)
    assert "for: the same email" in same.identifiers
    assert set(told.traits) == {ids(lake)["a"], ids(lake)["b"]}
    held = {row["name"]: row for row in told.traits[ids(lake)["b"]]}
    assert (held["city"]["rule"], held["city"]["record_key"]) == ("most_recent", "b")
    everything = repr(told) + repr(same)
    assert not any(secret in everything.lower() for secret in ("kelner", "quarry", "19840312"))


def test_what_was_not_used_is_not_in_the_weights(lake: Writer) -> None:
    anne = ANN | {"given_name": "Anne", "family_name": "Kellner"}
    switchboard = "+442079460018"
    run(lake, [person("a", email="info@x.org", phone=switchboard, **ANN),
               person("b", email="info@x.org", phone=switchboard, **anne),
               *(person(f"s{n}", kind="event", email=f"p{n}@x.org", phone=switchboard)
                 for n in range(9)), person("t", email="t@x.org", given_name="Tom")])  # fmt: skip
    told = explain(lake, "a", "b", IdentityConfig())
    assert (
        "not used: the same email (a mailbox of many people, such as info@ or sales@)"
        in told.identifiers
    )
    assert "not used: the same phone (more people share it than its limit)" in told.identifiers
    assert not any(line.startswith("for:") for line in told.identifiers)
    row = next(row for row in judgements(lake) if row["rule"] == "details")
    assert told.probability == pytest.approx(row["probability"])
    assert not any(one.bits for one in told.weights if "mail" in one.words or "phone" in one.words)


def test_two_that_a_person_merged_are_explained_by_the_verdict_not_by_themselves(
    lake: Writer,
) -> None:
    run(lake, [person("a", crm="1", email="ann@x.org"), person("b", crm="2", email="otto@x.org"),
               person("e", kind="event", crm="2")])  # fmt: skip
    before = ids(lake)
    one, other = before["a"], before["b"]
    merge(lake, one, other, JO)
    waiting = explain(lake, one, other, IdentityConfig())
    assert waiting.verdict.startswith("Two people: ")
    assert any("same, because asked them (said by jo)" in link for link in waiting.links)
    run(lake)
    run(lake, [person("z", crm="9")])
    assert ids(lake)["a"] == ids(lake)["e"]
    for pair in ((one, other), (other, one), ("a", other), ("crm:1", "crm:2"), (one, "b")):
        told = explain(lake, *pair, IdentityConfig())
        assert told.verdict == f"One person: both are {ids(lake)['a']}."
        assert any("said by jo" in link for link in told.links)
        assert "against: different crm, of which a person has one" in told.identifiers
        assert not any(line.startswith("for:") for line in told.identifiers)


def test_an_identifier_that_is_nobodys_is_explained_too(lake: Writer) -> None:
    one, other = ANN, ANN | {"given_name": "Olga", "birth_date": "19500101"}
    run(lake, [
        person("a", crm="1", email="home@x.test", **one),
        person("b", crm="2", email="home@x.test", **other),
        person("e", kind="event", email="home@x.test"),
        person("i", kind="event", email="info@x.test"),
        person("j", crm="1", email="info@x.test"),
    ])  # fmt: skip

    def told(left: str, right: str) -> tuple[str, list[str]]:
        found = explain(lake, left, right, IdentityConfig())
        assert "home@" not in str(found)
        return found.verdict, found.identifiers

    nobody = "Not one person: at least one of the two is nobody's."
    taken = "not used: the same email (it is taken from both, as two people or more name it)"
    assert told("email:HOME@x.test", "crm:1") == (nobody, [taken])
    read = "not used: the same email (a mailbox of many people, such as info@ or sales@)"
    assert told("crm:1", "email:info@x.test") == (nobody, [read])
    with pytest.raises(NotFound):
        told("email:who@x.test", "crm:1")


def test_an_id_compared_with_itself_is_said_to_be_the_same(lake: Writer) -> None:
    run(lake, [person("a", crm="1"), person("b", kind="event", crm="1")])
    user = ids(lake)["a"]
    told = explain(lake, user, user, IdentityConfig())
    assert told.verdict == f"The same id twice: it is {user}, and there is nothing to compare."
    assert (told.links, told.identifiers) == ([], [])
    whole = explain(lake, user, "crm:1", IdentityConfig())
    assert whole.verdict.startswith(f"One person: both are {user}, and no records are only one's")
    part = explain(lake, "b", user, IdentityConfig())
    assert "for: the same crm" in part.identifiers


def test_people_are_found_by_their_identifiers_which_are_not_repeated(lake: Writer) -> None:
    (lake.workspace.path / "key").write_bytes(KEY)
    run(lake, [person("a", crm="1", email="Ann@X.org"), person("b", crm="2")])
    assert user_of(lake, "crm:1") == user_of(lake, "email: ann@x.org") == ids(lake)["a"]
    told = explain(lake, "email:ann@x.org", "crm:2", IdentityConfig())
    assert told.verdict == f"Two people: {ids(lake)['a']} and {ids(lake)['b']}."
    assert "x.org" not in repr(told)
    with pytest.raises(NotFound) as refused:
        user_of(lake, "email:otto@x.org")
    assert "otto" not in f"{refused.value} {refused.value.hint}"
    assert set(merge(lake, "crm:1", "crm:2", JO).users) == {*ids(lake).values()}


def test_a_preview_says_who_would_change_and_changes_nothing(lake: Writer) -> None:
    run(lake, [person("a", crm="1", email="ann@kelner.org"),
               person("b", kind="event", email="ann@kelner.org")])  # fmt: skip
    before, number = ids(lake), lake.head.number if lake.head else 0
    found = preview(lake, IdentityConfig(rules={"email": {"merges": False}}))
    assert (found.people, found.people_now, found.records_lost) == (1, 1, 1)
    assert preview(lake, IdentityConfig()).changes["split"]["count"] == 0
    assert (ids(lake), lake.head.number if lake.head else 0) == (before, number)


def test_what_was_compared_before_is_not_compared_again(lake: Writer) -> None:
    run(lake, [person("a", **ANN), person("x", **(ANN | {"given_name": "Otto"}))])
    before = lake.arrow("matches").drop_columns(["run_id"])
    run(lake, [person("b", **(ANN | {"city": "Ashmor"}))])
    assert partition(lake) == groups("a b", "x")
    kept = lake.arrow("matches").drop_columns(["run_id"]).slice(0, len(before))
    assert kept == before
    assert run(lake)["new_judgements"] == 0


def test_rows_are_written_once_and_again_only_where_their_record_says_something_else(
    lake: Writer,
) -> None:
    first = run(
        lake,
        [
            person("b", crm="5", email="ann@kelner.org", **ANN),
            person("c", crm="7", email="ann@kelner.org", **(ANN | {"city": "Ashmor"})),
        ],
    )
    assert first["people"] == 2
    table = lake.arrow("person_rows").drop_columns(["told"]).to_pylist()
    shared = lake.arrow("sharing").drop_columns(["run_id"])
    assert len(shared) == 1
    # Its customer number is sorted before theirs: what others are called changes no row of theirs.
    run(lake, [person("a", crm="1", **(ANN | {"given_name": "Otto"}))])
    rows = lake.arrow("person_rows").drop_columns(["told"])
    assert rows.slice(0, 2).to_pylist() == table
    assert rows["record_key"].to_pylist() == ["b", "c", "a"]
    assert lake.arrow("sharing").drop_columns(["run_id"]) == shared
    with lake.step("ingest", config={"again": 1}) as step:
        details = lake.arrow("person_details").drop_columns(["run_id"]).to_pylist()
        step.overwrite(
            "person_details",
            pa.Table.from_pylist(
                [
                    row | ({"city": "Fernhold"} if row["record_key"] == "b" else {})
                    for row in details
                ],
                schema=TABLES["person_details"].remove(len(TABLES["person_details"]) - 1),
            ),
        )
    run(lake)
    towns = {row["record_key"]: row["city"] for row in lake.arrow("person_rows").to_pylist()}
    assert towns == {"a": "ashmoor", "b": "fernhold", "c": "ashmor"}


NAMES = st.sampled_from(["Ann", "Anne", "Otto", "Bea"])
DETAILS = st.fixed_dictionaries(
    {"given_name": NAMES, "family_name": st.sampled_from(["Kelner", "Kellner", "Fenby"])},
    optional={
        "birth_date": st.sampled_from(["19840312", "19840321", "20100624"]),
        "postcode": st.sampled_from(["10112", "77001"]),
        "street": st.sampled_from(["Quarry Lane 7", "Mill Lane 9"]),
        "email": st.sampled_from(["a@x.org", "b@x.org"]),
        "phone": st.sampled_from(["+442079460018", "+442079460019"]),
        "crm": st.sampled_from(["1", "2", "3"]),
    },
)


@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(DETAILS, min_size=2, max_size=7), st.data())
def test_order_batches_and_strangers_never_change_who_is_one_person(
    drawn: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows = [person(f"r{n}", at=n % 3, **said) for n, said in enumerate(drawn)]
    shuffled = data.draw(st.permutations(rows))
    at = data.draw(st.integers(0, len(rows)))
    stranger = person("z", at=1, given_name="Wim", family_name="Ostvik", postcode="33333", crm="9")
    with TemporaryDirectory() as folder:
        with Lake.writer(Path(folder) / "one") as lake:
            run(lake, rows)
            whole, whole_ids = partition(lake), ids(lake)
            run(lake, [stranger])
            assert {key: user for key, user in ids(lake).items() if key != "z"} == whole_ids
        with Lake.writer(Path(folder) / "two") as lake:
            run(lake, shuffled[:at])
            run(lake, shuffled[at:])
            assert partition(lake) == whole
            assert run(lake)["new_judgements"] == 0


@pytest.mark.parametrize(
    ("first", "second", "people"),
    [
        ({"crm": "1"}, {"crm": "2"}, groups("a", "b")),
        ({"email": "ann@x.org"}, {"email": "otto@x.org"}, groups("before a between b after")),
        ({}, {"crm": "2"}, groups("before a between b after")),
        ({}, {}, groups("before a between b after")),
    ],
)
def test_a_device_that_changed_hands_is_told_apart_by_ids_and_never_by_times(
    lake: Writer, first: dict[str, str], second: dict[str, str], people: set[frozenset[str]]
) -> None:
    said = {"before": {}, "a": first, "between": {}, "b": second, "after": {}}
    run(lake, [person(key, at, kind="event", device_id="device-0001", **ids_of)
               for at, (key, ids_of) in enumerate(said.items())])  # fmt: skip
    assert partition(lake) == people


FIRST = "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth"
LAST = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez"


def test_a_level_that_no_pair_of_one_person_shows_can_be_learnt_from(lake: Writer) -> None:
    luck = random.Random(7)  # with these rows Splink let a probability fall to nothing, and refused
    first, last = FIRST.split(), LAST.split()

    def somebody() -> dict[str, str]:
        return {
            "given_name": luck.choice(first),
            "family_name": luck.choice(last),
            "birth_date": "".join(
                f"{luck.randint(*within):02}" for within in ((1940, 2004), (1, 12), (1, 28))
            ),
            "street": f"{luck.randint(1, 200)} Oak Street",
            "postcode": str(luck.randint(10_000, 99_999)),
        }

    rows = []
    for number in range(500):
        one = somebody()
        email = f"{one['given_name']}.{one['family_name']}{number}@ex.org".lower()
        phone = f"+4930{luck.randint(1_000_000, 9_999_999)}"
        rows.append(person(f"r{number}", email=email, phone=phone, **one))
        if number % 3 == 0:
            rows.append(person(f"s{number}", **one))
    rows += [person(f"e{n}", email="reception.desk@hotel.org", **somebody()) for n in range(14)]
    run(lake, rows)
    assert lake.summary("identity")["people"] == 514


def test_where_families_share_an_address_twins_stay_two_and_doubles_are_one(lake: Writer) -> None:
    luck = random.Random(7)
    first, last = FIRST.split(), LAST.split()

    def day(years: tuple[int, int]) -> str:
        return "".join(f"{luck.randint(*within):02}" for within in (years, (1, 12), (1, 28)))

    rows, doubles = [], []
    for number in range(400):
        home = {
            "family_name": luck.choice(last) + luck.choice(last).lower(),
            "street": f"{luck.randint(1, 200)} Oak Street",
            "postcode": str(luck.randint(10_000, 99_999)),
            "phone": f"+4930{luck.randint(1_000_000, 9_999_999)}",
        }
        born = day((1995, 2005))
        dates = [day((1940, 1970)), day((1940, 1970)), born, born]
        names = luck.sample(first, 4)
        for place in range(luck.choice([1, 1, 2, 2, 4])):
            said = home | {"given_name": names[place], "birth_date": dates[place]}
            rows.append(person(f"r{number}.{place}", **said))
            if luck.random() < 0.3:
                rows.append(person(f"s{number}.{place}", **said))
                doubles.append(f"{number}.{place}")
    run(lake, rows)
    assert len(partition(lake)) == len(rows) - len(doubles)
    user = ids(lake)
    assert all(user[f"r{one}"] == user[f"s{one}"] for one in doubles)


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(DETAILS, min_size=4, max_size=9), st.data())
def test_a_merge_tears_nobody(drawn: list[dict[str, Any]], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, Lake.writer(Path(folder) / "w") as lake:
        run(lake, [person(f"r{n}", at=n % 3, **said) for n, said in enumerate(drawn)])
        before = partition(lake)
        if len(before) > 1:
            users = st.sampled_from(sorted(set(ids(lake).values())))
            one, other = data.draw(st.lists(users, min_size=2, max_size=2, unique=True))
            merge(lake, one, other, JO)
            run(lake)
        assert all(any(old <= new for new in partition(lake)) for old in before)
