"""Sentences against their claims: what is right passes, whatever else is said is refused."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.personas import template
from kg.personas.claims import Claim, Counts
from kg.personas.sentences import GLUE, mentioned, percent, percents, problem


def flat(n1: int, k1: int, n0: int, k0: int) -> Counts:
    """Counts of people who are all equally active."""
    return Counts((n1,), (k1,), (n0,), (k0,))


TINS = Claim(
    "p_1", 1, "topic", "bought cake-tins", flat(431, 267, 1000, 210), None, 0, {}, "cake tins"
)
LAMPS = Claim(
    "p_1", 1, "topic", "viewed desk-lamps", flat(431, 30, 1000, 300), None, 0, {}, "3 desk lamps"
)
MAIL = Claim("p_1", 1, "response", "m1", flat(80, 40, 90, 9), 0.001, 0, {}, "Spring Mail")
YOUNG = Claim("p_1", 1, "trait", "age=18-34", flat(300, 200, 900, 300), 0.01, 0, {}, "age 18-34")
SHARE = Claim("p_1", 1, "share", "", flat(2000, 500, 0, 0), None, 0, {})
FEW = Claim("p_1", 1, "common", "bought tins", flat(28, 24, 0, 0), None, 0, {}, "cake tins")
EVERY = [SHARE, TINS, LAMPS, MAIL, YOUNG]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("62 % of them bought cake tins, against 21 % of equally active others "
         "(95 % interval 57-66 %, 431 people).", [TINS]),
        ("They bought cake tins more than equally active others.", [TINS]),
        ("61.9% of them bought cake tins.", [TINS]),
        ("7 % of them viewed 3 desk lamps, against 30 % of equally active others.", [LAMPS]),
        ("Unlike equally active others, they bought cake tins and responded to Spring Mail more.",
         [TINS, MAIL]),
        ("50 percent of those who received it responded to Spring Mail.", [MAIL]),
        ("50 % of them responded to Spring Mail (of those who received it).", [MAIL]),
        ("They responded to Spring Mail more than equally active others.", [MAIL]),
        ("25 % of all people hold this persona (95 % interval 23-27 %, 2,000 people).", [SHARE]),
    ],
)  # fmt: skip
def test_a_sentence_that_restates_its_claims_is_right(text: str, cited: list[Claim]) -> None:
    assert problem(text, cited) is None


@pytest.mark.parametrize("claim", [*EVERY, FEW], ids=lambda claim: claim.kind)
def test_every_sentence_of_the_template_is_right(claim: Claim) -> None:
    assert problem(template.sentence(claim), [claim]) is None


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("They bought cake tins more than equally active others.", []),
        ("63 % of them bought cake tins.", [TINS]),
        ("62 % of them bought cake tins, against 22 % of equally active others.", [TINS]),
        ("21 % of them bought cake tins, against 62 % of everyone else.", [TINS]),
        ("62 % of equally active others bought cake tins, against 21 % of them.", [TINS]),
        ("62 % of them bought cake tins (95 % interval 50-66 %).", [TINS]),
        ("62 % of them bought cake tins (432 people).", [TINS]),
        ("62 % of them bought cake tins 7 times more.", [TINS]),
        ("They bought cake tins less than equally active others.", [TINS]),
        ("They viewed 3 desk lamps more than equally active others.", [LAMPS]),
        (
            "They bought cake tins and viewed 3 desk lamps more than equally active others.",
            [TINS, LAMPS],
        ),
        ("They bought garden hoses more than equally active others.", [TINS]),
        ("They viewed cake tins more than equally active others.", [TINS]),
        ("They bought cake tins more than equally active others.", [TINS, MAIL]),
        ("They bought cake tins and responded to Spring Mail more.", [TINS]),
        ("They never bought cake tins more than equally active others.", [TINS]),
        ("They did not buy, but equally active others bought cake tins more.", [TINS]),
        ("Equally active others bought cake tins more than they.", [TINS]),
        ("62 % of them bought cake tins, against 21 % of everyone else.", [TINS]),
        ("They bought cake tins more than everyone else.", [TINS]),
        ("They bought cake tins more than the others.", [TINS]),
        ("Active people bought cake tins more.", [TINS]),
        ("More than these people, equally active others bought cake tins.", [TINS]),
        ("Everyone bought cake tins more.", [TINS]),
        ("They bought cake tins more than equally active others because they bake.", [TINS]),
        ("They love that they bought cake tins more than equally active others.", [TINS]),
        ("Twice as many of them bought cake tins, more than equally active others.", [TINS]),
        ("Most of them bought cake tins, more than equally active others.", [TINS]),
        ("They bought cake tins.", [TINS]),
        ("They bought cake tins, 62 %, and responded to Spring Mail, 50 %.", [TINS, MAIL]),
        ("100 % of them bought cake tins.", [TINS]),
        ("62 % of people bought cake tins.", [TINS]),
        ("62 % of people of this persona bought cake tins.", [TINS]),
        ("62 % of 62 % bought cake tins.", [TINS]),
        ("Them 62 % to 62 % bought cake tins.", [TINS]),
        ("62 % of them bought cake tins; so did 62 % of people.", [TINS]),
        ("62 % of them bought cake tins, against 62 % of them.", [TINS]),
        ("62 % of them bought cake tins, against 21 % of them.", [TINS]),
        ("431 people bought cake tins.", [TINS]),
        (
            "In the group 431 people bought cake tins, against 21 % of equally active others.",
            [TINS],
        ),
        ("62 % of them bought cake tins, 431 people.", [TINS]),
        ("62 % of them, 95 % interval 57-66 %, 431 people bought cake tins.", [TINS]),
        ("More people bought cake tins than did these.", [TINS]),
        ("50 % of them responded to Spring Mail.", [MAIL]),
        ("50 % of people responded to Spring Mail.", [MAIL]),
        ("67 % of them have the age 18-34, against 33 % of equally active others.", [YOUNG]),
        ("They hold more: 25 % of all people hold this persona.", [SHARE]),
        ("", [TINS]),
    ],
)
def test_a_sentence_that_says_anything_else_is_refused(text: str, cited: list[Claim]) -> None:
    assert problem(text, cited) is not None


def test_a_label_with_numbers_is_not_taken_for_a_figure() -> None:
    claim = replace(TINS, subject_label="set of 3 tins, 50 %")
    assert problem(template.sentence(claim), [claim]) is None


def test_no_sentence_passes_over_claims_whose_counts_were_shuffled() -> None:
    """Shuffled evidence must not earn the same words."""
    for right, wrong in zip(EVERY[1:], [*EVERY[2:], EVERY[1]], strict=True):
        shuffled = replace(right, counts=wrong.counts)
        assert problem(template.sentence(right), [shuffled]) is not None


def test_every_changed_number_is_caught() -> None:
    rng = random.Random(0)
    for claim in EVERY:
        text = template.sentence(claim)
        start = len(claim.phrase) and text.index(claim.phrase)
        spared = range(start, start + len(claim.phrase))
        for place, digit in enumerate(text):
            confidence = text[place:].startswith("95 % interval") or text[place - 1 :].startswith(
                "95 % interval"
            )
            if digit.isdigit() and place not in spared and not confidence:
                other = rng.choice([d for d in "0123456789" if d != digit])
                forged = text[:place] + other + text[place + 1 :]
                assert problem(forged, [claim]) is not None, forged


def test_nonsense_of_permitted_words_states_nothing() -> None:
    rng = random.Random(1)
    words = [*sorted(GLUE), "more", "less", "62 %", "21 %", "431 people"]
    for _ in range(2000):
        text = " ".join(rng.choices(words, k=rng.randint(1, 14)))
        assert problem(text, [TINS]) is not None


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0"),
        (1.0, "100"),
        (0.62, "62"),
        (0.004, "0.4"),
        (0.9996, "99.96"),
        (0.0001, "0.01"),
        (0.021, "2.1"),
        (0.0996, "10"),
        (0.1, "10"),
    ],
)
def test_a_share_is_shown_whole_but_never_as_none_or_all_when_it_is_not(
    share: float, text: str
) -> None:
    assert percent(share) == text


@given(share=st.floats(0, 1))
def test_nothing_and_all_are_told_apart_from_nearly(share: float) -> None:
    told = float(percent(share))
    assert told == pytest.approx(100 * share, abs=0.5)
    assert (told == 0) == (share < 5e-10) or share == pytest.approx(5e-10)
    assert (told == 100) == (1 - share < 5e-10) or 1 - share == pytest.approx(5e-10)


@pytest.mark.parametrize(
    ("share", "low", "high", "told"),
    [
        (0.616, 0.55, 0.68, ("62", "55", "68")),
        (0.0069, 0.0051, 0.0093, ("0.7", "0.5", "0.9")),  # "1 % (1-1 %)"
        (0.496, 0.492, 0.499, ("49.6", "49.2", "49.9")),  # "50 % (49-50 %)"
        (0.022, 0.015, 0.032, ("2.2", "1.5", "3.2")),  # "2 % (2-3 %)"
        (0.04, 0.006, 0.131, ("4.0", "0.6", "13.1")),
        (0.12, 0.086, 0.16, ("12", "9", "16")),
        (0.0, 0.0, 0.043, ("0", "0", "4")),
        (0.988, 0.936, 0.998, ("99", "94", "99.8")),
        (1.0, 0.957, 1.0, ("100", "96", "100")),
        (1.0, 1.0, 1.0, ("100", "100", "100")),
    ],
)
def test_a_share_is_told_within_its_interval(
    share: float, low: float, high: float, told: tuple[str, str, str]
) -> None:
    assert percents(share, low, high) == told


def test_a_small_share_of_many_people_is_told_by_words_that_pass() -> None:
    few = replace(SHARE, counts=flat(5942, 41, 0, 0))
    told = template.sentence(few)
    assert told == "0.7 % of all people hold this persona (95 % interval 0.5-0.9 %, 5,942 people)."
    assert problem(told, [few]) is None


def test_what_few_do_is_told_to_a_tenth_and_whole_percents_of_before_still_pass() -> None:
    rare = replace(TINS, counts=flat(431, 13, 100_000, 200))
    told = template.sentence(rare)
    assert told == (
        "3.0 % of them bought cake tins, against 0.2 % of equally active others "
        "(95 % interval 1.8-5.1 %, 431 people)."
    )
    assert problem(told, [rare]) is None
    before = told.replace("3.0 %", "3 %").replace("1.8-5.1", "2-5")
    assert problem(before, [rare]) is None
    assert problem(told.replace("3.0", "3.1"), [rare]) is not None


def test_all_is_all_up_to_floating_error() -> None:
    nearly = sum([0.1] * 10)
    assert nearly < 1
    assert percent(nearly) == "100"
    assert percent(1 - nearly) == "0"
    assert percent(1 - 1e-8) == "99.999999"


def test_a_longer_phrase_is_not_taken_for_a_shorter_one() -> None:
    longer = replace(TINS, subject="bought cake-tins-round", subject_label="cake tins, round")
    assert mentioned("They bought cake tins, round, more.", [TINS, longer]) == [longer]


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("Cake Tins Buyers", True),
        ("Cake Tins Responders", True),
        ("Tins", False),
        ("Desk Lamps Browsers", False),
        ("Wealthy Cake Buyers", False),
        ("cake tins buyers", False),
        ("Young Cake Buyers", False),
        ("Cake Tins Buyers People Spring", False),
        ("Spring Mail Responders", False),
    ],
)
def test_a_name_is_two_to_four_words_that_the_claims_say(name: str, fine: bool) -> None:
    assert (template.name_problem(name, EVERY, ["Spring Mail Responders"]) is None) == fine


def test_names_are_unique_and_free_of_protected_traits() -> None:
    taken: list[str] = []
    for _ in range(40):
        name = template.name([TINS, YOUNG, replace(TINS, subject_label="women's tops")], taken)
        assert template.name_problem(name, [TINS, YOUNG], taken) is None
        taken.append(name)
    assert len(set(taken)) == 40
    assert not any("Women" in name or "18" in name for name in taken)


@pytest.mark.parametrize("kind", sorted(template.NAMING_KINDS))
@pytest.mark.parametrize("subject", [*template.NOUNS, *template.MODIFIERS, "feature_used"])
def test_every_name_of_the_template_is_one_that_its_claims_say(kind: str, subject: str) -> None:
    claim = Claim("p_1", 1, kind, subject, flat(100, 80, 200, 10), 0.001, 0, {}, "Deep Blue, tins")
    for claims, taken in (([claim], []), ([claim, TINS], [template.name([claim], ())])):
        assert template.name_problem(template.name(claims, taken), claims, taken) is None


def test_a_persona_without_anything_to_say_still_has_a_name() -> None:
    names = [template.name([SHARE], []), template.name([SHARE], ["Unnamed Group"])]
    assert names == ["Unnamed Group", "Unnamed Group II"]


def test_a_persona_of_few_is_named_after_what_most_of_all_its_holders_do() -> None:
    assert template.sentence(FEW) == (
        "86 % of all who hold it bought cake tins (95 % interval 69-94 %, 28 people)."
    )
    assert template.name([SHARE, FEW], []) == "Cake Tins Buyers"
    assert template.name_problem("Cake Tins Buyers", [SHARE, FEW], []) is None


def test_a_claim_is_told_to_nobody_by_an_id() -> None:
    from kg.personas.llm import _messages

    sent = json.dumps(_messages(EVERY, []))
    assert not any(claim.claim_id in sent or claim.persona_id in sent for claim in EVERY)


def test_a_persona_is_named_after_what_many_of_its_holders_do() -> None:
    few = replace(TINS, subject="returned retrospot", subject_label="retrospot",
                  counts=flat(1000, 140, 1000, 50))  # fmt: skip
    often = replace(few, subject="bought cards", subject_label="cards", counts=flat(90, 60, 90, 9))
    assert template.name([few, often], []) == "Cards Buyers"
    assert template.name([few, often], ["Cards Buyers"]) == "Cards Buyers II"
    assert template.name([few], []) == "Mixed Interests"


def test_night_people_come_at_night() -> None:
    night = replace(TINS, kind="daypart", subject="night", subject_label="at night",
                    counts=flat(200, 37, 1000, 20))  # fmt: skip
    half = replace(night, counts=flat(200, 100, 1000, 20))
    assert template.name([SHARE, half], []) == "Night People"
    assert template.name([SHARE, night], []) == "Mixed Interests"
    assert template.name([night, TINS], []) == "Cake Tins Buyers"
    assert template.name_problem("Night People", [night, TINS], []) is not None
    assert template.name_problem("Mixed Interests", [night, TINS], []) is None


def test_what_sets_them_apart_most_is_in_their_name_though_two_other_things_go_together() -> None:
    most = replace(
        TINS, subject="redeemed a", subject_label="Type A", counts=flat(150, 99, 900, 90)
    )
    goods = [
        replace(
            most, subject=f"bought {label}", subject_label=label, counts=flat(150, 90, 900, 180)
        )
        for label in ("nutrition", "bananas")
    ]
    assert template.name([most, *goods], []) == "Type A Redeemers"
    assert template.name(goods, []) == "Nutrition and Bananas Buyers"


def test_a_name_never_ends_in_the_middle_of_a_label() -> None:
    toys = replace(TINS, subject="bought toys", subject_label="toys for people who travel")
    kind = replace(TINS, kind="item", subject="m13", subject_label="Type A (13)")
    assert template.name([toys], []) == "Toys Buyers"
    assert template.name([kind], []) == "Type A Buyers"


def test_what_others_do_nearly_as_often_is_in_no_name() -> None:
    returned = replace(MAIL, kind="returned", subject="", subject_label="")
    week = replace(returned, kind="weekday", subject="week", counts=flat(500, 480, 500, 440))
    assert template.name([returned, week], []) == "Goods Returners"
    seldom = replace(week, counts=flat(500, 480, 500, 300))
    assert template.name([returned, seldom], []) == "Weekday Returners"


def test_a_summary_does_not_say_of_all_what_is_true_of_some() -> None:
    few = replace(TINS, counts=flat(1000, 140, 1000, 50))
    assert template.summary([few]) == "More of them than of equally active others bought cake tins."
    fewer = template.summary([LAMPS])
    assert fewer == "Fewer of them than of equally active others viewed 3 desk lamps."
    assert problem(fewer, [LAMPS]) is None
