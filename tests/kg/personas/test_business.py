"""Goals, rules and what is kept out, over tables small enough to count by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kg.errors import InputError
from kg.exports import export_rows
from kg.lake import Writer
from kg.lake.lake import Lake
from kg.personas.beside import Beside, shared
from kg.personas.constraints import parse
from kg.personas.goals import aim
from kg.personas.rules import apply, rule_id
from kg.personas.shaping import check_must_keep, shape
from tests.rows import put

DAY_MS = 86_400_000
# who, on which day, verb, topic, channel, campaign
STORY = [
    ("ann", 0, "viewed", "home/tea", "web", None),
    ("ann", 5, "bought", "home/tea", "app", "spring"),
    ("ann", 40, "bought", "home/cups", "app", None),
    ("bob", 0, "viewed", "screws", "web", None),
    ("bob", 39, "bought", "screws", "web", None),
    ("cat", 38, "bought", "home/cups", "web", None),
    ("dan", 1, "bought", "home/tea", "web", None),  # who denied consent
    ("dan", 2, "bought", "home/tea", "web", None),
]


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    path: Path = tmp_path_factory.mktemp("business") / "workspace"
    with Lake.writer(path) as lake:
        with lake.step("intents") as step:
            _write(step)
        yield lake


def _write(step: Any) -> None:
    intents, events = [], []
    for number, (user, day, verb, topic, channel, campaign) in enumerate(STORY):
        at = {"started_at_ms": day * DAY_MS, "ended_at_ms": day * DAY_MS}
        intents.append(
            {"intent_id": f"i{number}", "session_id": f"s{number}", "user_id": user}
            | {"verb": verb, "topic": topic, "channel": channel, "campaign_id": campaign}
            | {"position": 1, "event_count": 1, "quantity": 1.0, "value": 1.0}
            | at
        )
        events.append({"record_key": f"i{number}", "occurred_at_ms": day * DAY_MS})
    users = [
        {"user_id": user, "half": "test", "consent_denied": user == "dan"}
        | dict.fromkeys(("first_seen_ms", "last_seen_ms", "record_count", "event_count"), 1)
        for user in ("ann", "bob", "cat", "dan")
    ]
    labels = {"home": "Home", "home/tea": "Tea", "home/cups": "Cups", "screws": "Screws"}
    topics = [{"topic": t, "label": label, "kind": "category"} for t, label in labels.items()]
    items = [{"item_id": "spring", "title": "Spring Mail", "role": "campaign"}]
    put(step, intents=intents, events=events, users=users, topics=topics, items=items)


def _run(lake: Writer, text: str) -> None:
    asked = parse(text)
    with lake.step("goals", config={"text": text}) as step:
        if not step.done:
            aim(step, asked)
    with lake.step("rules", config={"text": text}) as step:
        if not step.done:
            apply(step, asked)


def test_who_reaches_a_goal_follows_from_its_definition(writer: Writer) -> None:
    _run(
        writer,
        """
goals:
  buy: {verb: bought}
  home: {verb: bought, topic: Home}
  mail: {campaign: Spring Mail}
  again: {returns_within_days: 7}
  again later: {returns_within_days: 39}
""",
    )
    rows = writer.arrow("reached").to_pylist()
    found = {
        goal: sorted({(row["user_id"], row["intent_id"]) for row in rows if row["goal"] == goal})
        for goal in ("home", "mail", "again", "again later")
    }
    assert found == {
        "home": [("ann", "i1"), ("ann", "i2"), ("cat", "i5"), ("dan", "i6"), ("dan", "i7")],
        "mail": [("ann", "i1")],
        "again": [("ann", "i1"), ("dan", "i7")],
        "again later": [("ann", "i1"), ("bob", "i4"), ("dan", "i7")],
    }
    assert set(writer.summary("goals")["people"].values()) == {None}, "of few it says only that"
    goals = {row["goal"]: row for row in writer.arrow("goals").to_pylist()}
    assert goals["again"]["before_ms"] == 33 * DAY_MS
    assert goals["buy"]["before_ms"] == 40 * DAY_MS
    assert [goals[g]["kind"] for g in ("buy", "again")] == ["goal", "goal_return"]


RULES = """
rules:
  home buyers:
    - {verb: bought, topic: home, occasions: 2}
  recent app users:
    - {channel: app, within_days: 10}
    - {verb: viewed}
  nobody:
    - {verb: bought, topic: screws, occasions: 2}
  everybody:
    - {verb: bought}
"""


def test_who_meets_a_rule_and_by_which_intents(writer: Writer) -> None:
    _run(writer, RULES)
    rows = writer.arrow("rule_memberships").to_pylist()
    met = {
        name: sorted({row["intent_id"] for row in rows if row["persona_id"] == rule_id(name)})
        for name in ("home buyers", "recent app users", "nobody", "everybody")
    }
    assert met == {
        "home buyers": ["i1", "i2"],
        "recent app users": ["i0", "i2"],
        "nobody": [],
        "everybody": ["i1", "i2", "i4", "i5"],
    }
    people = {row["name"]: row["people"] for row in writer.arrow("rule_personas").to_pylist()}
    assert people == {"home buyers": 1, "recent app users": 1, "nobody": 0, "everybody": 3}
    told = {one["name"]: one["people"] for one in writer.summary("rules")["rules"]}
    assert told == {"home buyers": None, "recent app users": None, "nobody": 0, "everybody": None}
    exported = writer.run(export_rows(writer, "rule_personas")).to_pylist()
    assert {row["kind"] for row in exported} == {"rule"}


def test_the_two_kinds_are_set_side_by_side_and_each_says_what_it_cannot(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(writer, RULES)
    few = {one["name"]: one for one in Beside(writer, 40 * DAY_MS, days=10).each()}
    assert few["everybody"]["people"] is few["everybody"]["fresh"] is None
    assert few["nobody"]["people"] == 0
    told = Beside(writer, 40 * DAY_MS, days=10).coverage()["rule"]
    assert told.pop("personas") == 4
    assert set(told.values()) == {None}  # of few people no sum over rules tells either
    monkeypatch.setattr("kg.personas.beside.MIN_PEOPLE", 1)
    beside = Beside(writer, 40 * DAY_MS, days=10)
    each = {one["name"]: one for one in beside.each()}
    assert each["nobody"]["share"] == 0
    assert "nobody holds it" in each["nobody"]["said"]
    assert "everybody holds it: it tells nobody apart" in each["everybody"]["said"]
    assert each["everybody"]["still_held"] == 1.0  # ann, of three, met it on day 30
    assert each["everybody"]["fresh"] == 1.0
    assert each["home buyers"]["still_held"] is None
    coverage = beside.coverage()
    assert coverage["rule"]["share_of_people"] == 1.0
    assert coverage["rule"]["share_of_intents"] == round(5 / 6, 4)
    assert coverage["found"]["personas"] == 0
    assert beside.overlap() == []
    assert beside.by_rule_at(30 * DAY_MS, ("ann", "bob", "zoe")).sum() == 1


def test_of_fewer_than_twenty_in_common_no_figure_of_the_overlap_tells() -> None:
    people = np.arange(200)
    for left, right in ((people < 60, people >= 50), (people < 12, people >= 100)):
        told = shared(left, right)
        assert set(told.values()) == {None}
        assert "adjusted_rand" in told
    assert shared(people < 60, people >= 30)["both"] == 30


def test_what_is_kept_out_has_a_reason_and_a_count(writer: Writer) -> None:
    text = (
        "keep_out: {channels: [app], topics: [Home], manners: [hour]}\ngoals: {buy: {verb: bought}}"
    )
    with writer.step("personas", config={"text": text}) as step:
        told = shape(step, parse(text))
        why = {row["intent_id"]: row["why"] for row in step.arrow("kept_out").to_pylist()}
    assert why == {
        "i0": "topic Home", "i1": "channel app", "i2": "channel app", "i4": "goal buy",
        "i5": "topic Home", "i6": "topic Home", "i7": "topic Home",
    }  # fmt: skip
    assert told["intents_kept_out"] == 7
    assert told["largest_topic"] == {
        "topic": "screws", "label": "Screws", "topics": 1, "share": 1.0,
    }  # fmt: skip
    assert {"what": "goal buy", "intents": 1} in told["keep_out"]
    assert set(told["silenced"]) == {"daypart", "repeat"}


def test_an_id_that_no_persona_ever_had_cannot_be_kept(writer: Writer) -> None:
    with pytest.raises(InputError, match="line 2: there never was a persona 'p_1'"):
        check_must_keep(writer, parse("must_keep:\n  - p_1\n"))
