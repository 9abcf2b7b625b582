"""What a run says of its steps."""

from pathlib import Path
from typing import Any

import pytest

from api.cli.notes import notes
from api.cli.notes_on_personas import (
    _who_counts,
    how_firm,
    little,
    of_personas,
    tried_in_vain,
    why_so_many,
)
from api.cli.personas import of_all, size
from api.cli.why import SHOWN_REASONS, ending, most_telling
from api.comparison import _missing
from kg.lake.tables import schema_of
from kg.lake.workspace import Workspace
from kg.words import WARNING

SAID = {
    "records": 900, "people": 262, "denied": 0, "blocked": [], "cut": [], "evidence": {},
    "reviews": 0,
}  # fmt: skip


class _Told:
    """A lake of which only one step has said something."""

    def __init__(self, said: dict[str, Any], step: str = "identity") -> None:
        self.said, self.step = said, step
        self.workspace = Workspace(Path("home/.personagraph/shop"))

    def summary(self, step: str) -> dict[str, Any]:
        return self.said if step == self.step else {}

    def arrow(self, table: str, columns: list[str]) -> Any:
        return schema_of(table).empty_table().select(columns)


def test_far_fewer_people_than_ids_are_warned_of() -> None:
    gathered = [{"namespace": "customer", "values": 700, "people": 262}]
    first, warned = notes(_Told(SAID | {"gathered": gathered}))
    assert first == "900 records turned out to be about 262 people."
    assert warned.startswith(f"{WARNING}700 values of customer became only 262 people.")
    assert notes(_Told(SAID)) == [first]


def test_who_was_merged_and_split_is_named_and_where_the_rest_is() -> None:
    users = [{"user_id": f"u_{n}", "others": [f"u_{n}", f"v_{n}"]} for n in range(7)]
    split = [{"user_id": "u_9", "others": ["u_9", "w"]}]
    changes = {"merged": {"count": 7, "users": users}, "split": {"count": 1, "users": split}}
    _, *told = notes(_Told(SAID | {"changes": changes}))
    assert told[0] == "Merged when people were last resolved: u_0, v_0 are u_0 now."
    assert told[5:] == [
        "2 more users merged (--json lists them, up to 200 in all).",
        "Split when people were last resolved: u_9 is u_9, w now.",
    ]
    nobody = {"count": 0, "users": []}
    assert len(notes(_Told(SAID | {"changes": {"merged": nobody, "split": nobody}}))) == 1


def test_what_is_said_of_some_records_is_not_said_of_all() -> None:
    joined = {"evidence": {"joined": 2}}
    _, some = notes(_Told(SAID | joined | {"settled": 40}))
    assert some.startswith("2 pairs of records of the 40 decided about anew joined")
    _, every = notes(_Told(SAID | joined | {"settled": 900}))
    assert every.startswith("2 pairs of records joined")


def test_a_hole_is_warned_of_with_its_days_and_who_goes_on() -> None:
    hole = {
        "dataset": "orders", "first": "2026-06-01", "last": "2026-06-30", "days": 30,
        "usual_days": 0, "is_open": True, "others": ["product"],
    }  # fmt: skip
    level = {
        "sessions": 1, "intents": 1, "topics": 1, "events_per_intent": 1.0, "topic_level": 0,
        "topic_level_why": "it is the only one", "holes": [hole],
    }  # fmt: skip
    warned, _ = notes(_Told(level, "intents"))
    assert warned.startswith(
        f"{WARNING}orders has no event from 2026-06-01 to 2026-06-30 (30 days; before, as long, "
        "never a day without one), and other tables have: product. "
    )


def test_texts_that_are_not_english_are_warned_of_with_what_to_do() -> None:
    shares = {"German": 0.3, "Cyrillic letters": 0.1} | dict.fromkeys("abcd", 0.01)
    of = {"texts": 2000, "shares": shares, "is_english": False}
    english = {"texts": 50, "shares": {"Italian": 0.02}, "is_english": True}
    said = {"is_english_model": True, "languages": {"item": english, "text": of}}
    (warned,) = notes(_Told(said, "topics"))
    assert warned.startswith(
        f"{WARNING}of 2,000 different texts at least 44% seem not to be English (30% German, "
        "10% Cyrillic letters, 1% a, 1% b, 1% c, and others). "
    )
    assert "`object`" in warned
    assert of_all(_Told(said, "topics")) == [warned], "whoever reads the personas later is told"
    assert "`categories`" in next(iter(notes(_Told(said | {"languages": {"item": of}}, "topics"))))
    assert not notes(_Told(said | {"is_english_model": False}, "topics"))
    assert not notes(_Told({"texts": 3}, "topics")), "a workspace of before"
    undivided = {"languages": {"text": of | {"undivided": ["Thai", "Japanese"]}}}
    told, _ = notes(_Told(said | undivided, "topics"))
    assert told.startswith(f"{WARNING}texts in Thai, Japanese are not divided into words")
    assert len(notes(_Told(undivided, "topics"))) == 1, "whatever the embedding model"
    assert not notes(_Told(undivided | {"are_divided": True}, "topics"))


def test_a_topic_of_half_of_all_intents_is_warned_of_with_how_to_keep_it_out() -> None:
    def told(**changed: Any) -> list[str]:
        topic = {"topic": "extras", "label": "Extras", "topics": 9, "share": 0.62} | changed
        said: Any = {"constraints": {"largest_topic": topic}, "result": "no persona"}
        return notes(_Told(said, "personas"))

    (warned,) = told()
    assert warned.startswith(
        f"{WARNING}62% of the intents that personas are made of are about Extras (the other 8 topic"
    )
    assert "`keep_out: {topics: [extras]}`" in warned
    (warned,) = told(topic="other", label="other")
    assert "things of no known kind: nothing tells" in warned
    assert "an item's `id` alone does not" in warned, "as where the mapping names nothing else"
    assert not told(share=0.4)
    assert not told(topics=3)
    assert not notes(_Told({"constraints": {"largest_topic": None}}, "personas"))


def test_what_retired_beside_a_hole_is_said_to_be_perhaps_for_want_of_records() -> None:
    hole = {"dataset": "orders", "first": "2026-06-01", "last": "2026-06-30"}
    lake = _Told({"holes": [hole]}, "intents")

    def told(**became: int) -> list[str]:
        return list(of_personas({"descent": became}, lake, str))

    _, warned = told(continued=8, retired=1)
    assert warned.startswith(f"{WARNING}what is new, retired, split or merged may be so for want")
    assert "orders" in warned
    assert len(told(continued=9)) == 1


def test_a_hole_in_what_is_recent_is_said_where_personas_are_compared() -> None:
    hole = {"dataset": "orders", "first": "2026-06-01", "last": "2026-06-30"}
    lake: Any = _Told({"holes": [hole]}, "intents")
    june_30_ms = 1_782_777_600_000
    (told,) = _missing(lake, june_30_ms)
    assert told.startswith("orders has no event from 2026-06-01 to 2026-06-30: how fresh")
    assert not list(_missing(lake, june_30_ms + 86_400_000))


def test_records_of_nobody_are_told_with_the_reason() -> None:
    nobody = [{"records": 90, "cause": "shared", "why": "only what many people use"}]
    _, told = notes(_Told(SAID | {"nobody": nobody}))
    assert told == (
        "90 records of nobody, kept and in no persona: each names only what many people use."
    )


def test_records_that_only_a_placeholder_names_are_warned_of() -> None:
    datasets = [{"anonymous": 5, "placeholders": 2}, {"anonymous": 1}]
    said = {
        "report": {"files": [], "datasets": datasets, "mapping": "m", "time_zone": None,
                   "consent": {}, "sampled": "no"},
        "consent": {"default": "granted", "basis": "terms"}, "sampled": "no",
    }  # fmt: skip
    for one in datasets:
        one |= {"name": "events", "kind": "event", "accepted": 9}
    warned, nameless, _ = notes(_Told(said, "ingest"))
    assert warned.startswith(f"{WARNING}2 records that name nobody but by what stands for nobody")
    assert nameless.startswith("4 records without any identifier")


def test_who_is_not_among_the_people_of_shares_is_said() -> None:
    told = list(_who_counts({"people": 200}, SAID | {"denied": 12}))
    assert told == [
        "200 people had an intent; all shares are of these.",
        "The other people are not among them: 50 of whom nothing is known that an intent is made "
        "of and the 12 who denied consent.",
    ]
    assert len(list(_who_counts({"people": 262}, SAID))) == 1


def test_why_there_are_no_personas_is_left_to_where_they_would_stand() -> None:
    assert notes(_Told({"result": "too few people to look for personas"}, "personas")) == []


def test_what_a_run_of_before_said_of_descent_is_told_as_far_as_it_went() -> None:
    said = {"descent": {"continued": 4, "split": 2, "retired": 1}, "result": "no persona"}
    (told,) = notes(_Told(said, "personas"))
    assert "when they were last searched for or updated: 4 went on, some split, 1 retired (" in told


def test_a_folder_of_strangers_is_warned_of() -> None:
    _, warned = notes(_Told(SAID | {"newcomers": 262}))
    assert warned.startswith(f"{WARNING}none of the 262 people in these files was known")
    assert notes(_Told(SAID | {"newcomers": 0})) == notes(_Told(SAID))


@pytest.mark.parametrize(
    ("error", "rivals", "passed", "says"),
    [
        (0.02, [], [True], "0.1 ± 0.02"),
        (
            0.005,
            [{"by": "parts", "size": 6}, {"by": "communities", "size": 1.5}],
            [True],
            "(5 parts of people's histories) is not the only one that came back: so did 6 parts of "
            "people's histories, communities at resolution 1.5.",
        ),
        (0.005, [], [True, False, False], "of 3 groups that came back 2 are topics only"),
        (0.005, [], [True, False], None),
    ],
)
def test_that_another_seed_may_find_others_is_warned_of(
    error: float, rivals: list[dict[str, Any]], passed: list[bool], says: str | None
) -> None:
    taken = {"by": "parts", "size": 5, "information": 0.1, "error": error}
    said = {
        "personas": 3, "overlooked": 0, "people": 90, "episodes": 900,
        "candidates": [{"kept": one, "passed": one} for one in passed],
        "unassigned_share": 0.5, "levels": {"families": 0, "micro_personas": 0},
        "taken": taken | {"personas": 5, "come_back": 3},
        "trials": [taken | {"size": 4, "error": None}, taken], "as_good": rivals,
    }  # fmt: skip
    warned = [line for line in notes(_Told(said, "personas")) if line.startswith(WARNING)]
    assert ["weak: " in line and says in line for line in warned] == ([True] if says else [])


def test_what_was_tried_in_vain_is_told() -> None:
    trials: Any = {"trials": [{}] * 13, "result": "no stable structure"}
    assert tried_in_vain(trials) == (
        "Of 13 ways to group intents none gave a group that came back when other people were "
        "grouped."
    )
    topic = {"kept": False, "passed": False}
    found = {"taken": {"come_back": 2}, "overlooked": 0, "candidates": [topic, topic]}
    assert "2 groups did. Of these dropped: 2 only a topic (" in tried_in_vain(trials | found)
    assert tried_in_vain(trials | {"personas": 1}) == tried_in_vain({"result": "too few"}) == ""


def test_every_reason_why_a_group_is_no_persona_is_told_apart() -> None:
    reasons = ["topic", "few", "alike", "busier", "busier"]
    told = why_so_many({
        "personas": 1, "overlooked": 0, "trials": [{}] * 13,
        "taken": {"personas": 6, "come_back": 6},
        "candidates": [
            {"kept": False, "passed": why != "topic", "dropped": why} for why in reasons
        ] + [{"kept": True, "passed": True, "dropped": None}],
    })  # fmt: skip
    assert "6 of its 6 did. Of these dropped: 1 telling its people from nobody as active" in told
    assert "2 whose people are mostly more active than anybody to compare them with, 1 held" in told
    assert told.endswith("1 only a topic (its intents do not recur in the same people more than "
                         "chance).")  # fmt: skip


def test_those_that_the_business_keeps_are_counted_beside_those_that_were_found() -> None:
    said = {
        "personas": 9, "overlooked": 0, "trials": [{}], "taken": {"personas": 9, "come_back": 9},
        "candidates": [], "kept_by_business": [{"persona_id": "p_1", "because": "not found"}],
    }  # fmt: skip
    assert why_so_many(said).startswith("9 personas, and 1 kept by the business. Of 1 way ")


def test_where_no_persona_was_found_nothing_is_said_of_how_firm_they_are() -> None:
    taken = {"by": "parts", "size": 5, "information": 0.1, "error": 0.09}
    assert not list(how_firm({"result": "no stable structure", "taken": taken, "as_good": [taken]}))
    assert not list(how_firm({}))


@pytest.mark.parametrize("drifted", [True, False])
def test_what_drift_comes_to_is_said_behind_its_figures(drifted: bool) -> None:
    figure = {"value": 0.2, "usual": 0.1, "spread": 0.01, "most": 0.15, "has_drifted": drifted}
    said = {
        "personas": 3, "people": 90, "episodes": 900, "new_episodes": 90, "unassigned_share": 0.5,
        "gone_share": 0.0, "drift": {"unseen": figure},
    }  # fmt: skip
    *_, told = notes(_Told(said, "personas"))
    assert "unseen 0.2 (0.1 ± 0.01, at most 0.15)." in told
    assert told.endswith("None is beyond it.") is not drifted


def test_a_persona_that_had_to_be_named_anew_is_told_of() -> None:
    said = {"claims": 3, "evidence_paths": 4, "claims_tested": 0, "disabled": {}}
    renamed = [{"version": "p_1@2", "before": "Crafts Buyers", "name": "Garden Buyers"}]
    _, told = notes(_Told(said | {"renamed": renamed}, "claims"))
    assert told.startswith("p_1@2 was Crafts Buyers and is Garden Buyers now: of what the name")
    assert len(notes(_Told(said, "claims"))) == 1
    assert notes(_Told(said | {"claims": 0, "evidence_paths": 0}, "claims")) == []


def test_reasons_that_are_not_named_are_counted() -> None:
    reasons = {f"reason_{n}": 10 - n for n in range(8)}
    said = {
        "report": {"files": [{"source": "a", "status": "read", "reasons": reasons,
                              "first": {"reason_0": 4}}],
                   "datasets": []},
        "consent": {"default": "granted", "basis": "test"}, "sampled": "no",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patched:
        for teller in ("_shrunk", "_same_key"):
            patched.setattr(f"api.cli.notes_on_records.{teller}", lambda report: iter(()))
        told = " ".join(notes(_Told(said, "ingest")))
    assert "5 reason_5, 7 for other reasons" in told
    assert "10 reason_0 (first: row 4 of a), 9 reason_1, " in told
    assert "`personagraph export records -o records.csv --workspace shop` lists each." in told


def test_that_the_template_wrote_in_place_of_a_model_is_told_with_the_reasons() -> None:
    said = {"claims": 0, "disabled": {}}
    down = "The language model did not answer: InternalServerError 500."
    template = {"author": "template", "coverage": 1.0, "instead": ""}
    assert notes(_Told(said | {"personas": {"p_1@1": template}}, "claims")) == []
    personas = {
        "p_1@1": {"author": "tiny", "coverage": 0.75, "instead": ""},
        "p_2@1": {"author": "tiny", "coverage": 0.85, "instead": ""},
        "p_3@1": template | {"instead": down},
        "p_4@1": template | {"instead": down},
        "p_5@1": template | {"instead": "Of 3 sentences of the model 1 were right."},
    }
    assert notes(_Told(said | {"personas": personas}, "claims")) == [
        "The language model wrote 2 of 5 personas; 80% of its sentences say what their claims say, "
        "the others were cut.",
        f"{WARNING}the template wrote 3 of 5 personas, not the language model that was asked: "
        "The language model did not answer: InternalServerError 500 (2); "
        "Of 3 sentences of the model 1 were right (1).",
    ]


def test_what_is_not_claimed_is_told_in_words() -> None:
    disabled = {"repeat": "it is a sample", "goal_return": "it is a sample"}
    (told,) = notes(_Told({"claims": 0, "disabled": disabled}, "claims"))
    assert told == "No claims on coming back, goal of coming again: it is a sample."


@pytest.mark.parametrize(
    ("people", "population", "low", "high", "told"),
    [
        (41, 5942, 0.0051, 0.0093, "0.7% of people (0.5% to 0.9%; 41 of 5,942)"),
        (183, 2029, 0.0785, 0.1034, "9.0% of people (7.8% to 10.3%; 183 of 2,029)"),
        (20, 90_000, 0.00014, 0.00034, "0.02% of people (0.01% to 0.03%; 20 of 90,000)"),
    ],
)
def test_the_size_of_a_persona_is_within_its_interval(
    people: int, population: int, low: float, high: float, told: str
) -> None:
    figures = {"people": people, "population": population, "share": people / population}
    assert size(figures | {"share_low": low, "share_high": high}) == told


@pytest.mark.parametrize(("outside", "warned"), [(0.98, True), (0.54, False), (0.9999, True)])
def test_that_personas_tell_of_little_is_warned_of(outside: float, warned: bool) -> None:
    said = {
        "personas": 2, "overlooked": 0, "people": 2373, "episodes": 58_922, "candidates": [],
        "unassigned_share": outside, "levels": {"families": 0, "micro_personas": 0},
        "trials": [], "taken": {"personas": 2, "come_back": 2},
    }  # fmt: skip
    told = [line for line in notes(_Told(said, "personas")) if "of 58,922 episodes" in line]
    assert len(told) == 1
    assert told[0].startswith(WARNING) is warned
    assert "100% of" not in told[0]
    assert (told == little(said)) is warned
    assert little(said | {"drift": {}}) == little({"result": "no stable structure"}) == []


def test_of_many_reasons_why_somebody_holds_a_persona_the_most_telling_are_shown() -> None:
    reasons = [{"occasion": n, "times": float(n % 3)} for n in range(3 * SHOWN_REASONS)]
    shown = most_telling(reasons)
    assert shown == reasons[2::3], "in the order of time"
    assert most_telling(reasons[:5]) == reasons[:5]


def test_of_a_long_change_that_would_end_a_holding_the_latest_occasions_are_named() -> None:
    few = ending({"change": [3, 7, 8, 9, 12], "is_smallest": True})
    assert few.endswith("had they not come on occasions 3, 7, 8, 9, 12.")
    many = ending({"change": list(range(2, 32)), "is_smallest": False})
    assert (
        "had they not come on 30 occasions, the latest of them 27, 28, 29, 30, 31 "
        "(--json lists all). There may be a smaller one"
    ) in many
