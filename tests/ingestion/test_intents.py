"""What one intent is, whatever the order of the input."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import Row, put, put_people

from ingestion.identity import resolve
from ingestion.intents import Level, choose_level, intents
from kg.hashing import text_hash
from kg.lake import Lake, Writer

TOPICS = [
    {"item_id": item, "topic": topic, "kind": "category", "level": level}
    for item, path in {
        "tea": ["food", "drinks"],
        "jam": ["food", "spreads"],
        "mug": ["home"],
    }.items()
    for level, topic in enumerate(path)
]


@pytest.fixture
def lake(tmp_path: Path) -> Iterable[Writer]:
    with Lake.writer(tmp_path / "shop") as lake:
        yield lake


def event(key: str, at: int, **more: Any) -> dict[str, Any]:
    return {"record_key": key, "occurred_at_ms": at, "ids": {"user_id": "1"}} | more


def run(
    lake: Writer, events: Sequence[Row], topic_level: int | None = None, zone: str | None = None
) -> list[dict[str, Any]]:
    """The intents of the events, in order, as the lake has them."""
    people = {row["record_key"]: row for row in events}
    with lake.step("ingest") as step:
        put_people(step, [row | {"kind": "profile"} for row in people.values()])
        put(step, events=events)
    with lake.step("identity") as step:
        resolve(step, bytes(32))
    with lake.step("topics") as step:
        put(step, item_topics=TOPICS,
            text_topics=[{"text_hash": text_hash("it broke"), "topic": "repairs", "level": 0}],
            topics=[{"topic": "food", "label": "Food", "kind": "category"}])  # fmt: skip
    with lake.step("intents", config={"topic_level": topic_level, "time_zone": zone}) as step:
        intents(step)
    return lake.arrow("intents").to_pylist()


HOUR_MS = 3_600_000
MONDAY_MS = 4 * 24 * HOUR_MS


@pytest.mark.parametrize(
    ("zone", "at", "hour", "weekday"),
    [
        (None, MONDAY_MS + 8 * HOUR_MS, 8, 0),
        (None, MONDAY_MS, None, 0),  # a day without a time is no night
        (None, MONDAY_MS + 1, 0, 0),
        ("Australia/Sydney", MONDAY_MS - 3 * HOUR_MS, 7, 0),  # Sunday evening in UTC
        ("Australia/Sydney", MONDAY_MS - 10 * HOUR_MS, None, 0),  # a Monday, read in the zone
        ("America/New_York", MONDAY_MS, None, 0),  # a Monday, read in UTC
        ("America/New_York", MONDAY_MS + 3 * HOUR_MS, 22, 6),
    ],
)
def test_hour_and_weekday_are_by_the_clock_of_the_zone(
    lake: Writer, zone: str | None, at: int, hour: int | None, weekday: int
) -> None:
    found = run(lake, [event("a", at, verb="bought", item_id="tea")], zone=zone)
    assert [(row["hour"], row["weekday"]) for row in found] == [(hour, weekday)]


def goals(found: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(row["verb"], row["topic"], row["event_count"]) for row in found]


def test_consecutive_events_with_one_goal_are_one_intent(lake: Writer) -> None:
    found = run(lake, [event("a", 0, item_id="tea"), event("b", 1, item_id="tea"),
                       event("c", 2, item_id="jam"), event("d", 3, item_id="tea"),
                       event("e", 4, item_id="tea", verb="bought")])  # fmt: skip
    assert goals(found) == [("viewed", "drinks", 2), ("viewed", "spreads", 1),
                            ("viewed", "drinks", 1), ("bought", "drinks", 1)]  # fmt: skip
    assert [row["position"] for row in found] == [1, 2, 3, 4]


def test_events_at_one_time_are_a_set_of_topics(lake: Writer) -> None:
    found = run(lake, [event("a", 5, item_id="tea"), event("b", 5, item_id="jam"),
                       event("c", 5, item_id="tea"), event("d", 5, item_id="mug")])  # fmt: skip
    assert goals(found) == [
        ("viewed", "drinks", 2),
        ("viewed", "home", 1),
        ("viewed", "spreads", 1),
    ]


def test_a_message_with_several_products_has_one_record_and_several_intents(lake: Writer) -> None:
    found = run(lake, [event("a", 0, item_id="tea", value=2.0, quantity=1.0),
                       event("a", 0, item_id="tea", value=3.0, quantity=2.0),
                       event("a", 0, item_id="jam", value=4.0)])  # fmt: skip
    assert goals(found) == [("viewed", "drinks", 2), ("viewed", "spreads", 1)]
    assert [(row["value"], row["quantity"]) for row in found] == [(5.0, 3.0), (4.0, 0.0)]
    assert lake.arrow("event_intents").num_rows == 2
    items = lake.arrow("intent_items").to_pylist()
    assert sorted((i["item_id"], i["count"], i["value"]) for i in items) == [
        ("jam", 1, 4.0), ("tea", 2, 5.0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "topic"),
    [
        ({"item_id": "tea", "category": "Gifts"}, "drinks"),
        ({"item_id": "mug"}, "home"),
        ({"item_id": "unknown", "category": "Gifts & Cards"}, "gifts-cards"),
        ({"category": "Größe/Maß", "text": "it broke"}, "größe-maß"),
        ({"text": "it broke"}, "repairs"),
        ({"text": "it broke", "object": "/Pricing/"}, "pricing"),
        ({"text": "never seen"}, "other"),
        ({"object": "!!"}, "other"),
        ({}, "other"),
    ],
)
def test_the_topic_is_the_best_that_is_known(lake: Writer, more: Row, topic: str) -> None:
    assert run(lake, [event("a", 0, **more)])[0]["topic"] == topic


def test_topics_that_only_events_declare_are_topics_too(lake: Writer) -> None:
    run(lake, [event("a", 0, category="Food"), event("b", 1, category="How-To"),
               event("c", 2, object="/pricing"), event("d", 3, item_id="tea")])  # fmt: skip
    rows = lake.arrow("topics").to_pylist()
    assert sorted((row["topic"], row["label"], row["kind"]) for row in rows) == [
        ("food", "Food", "category"),
        ("how-to", "How-To", "category"),
        ("other", "other", "object"),
        ("pricing", "/pricing", "object"),
    ]


def test_an_intent_keeps_its_longest_text_and_its_campaign(lake: Writer) -> None:
    spring = event("a", 0, text="short", campaign_id="spring")
    autumn = event("b", 1, text="much longer", campaign_id="autumn")
    found = run(lake, [spring, autumn, event("c", 2)])
    assert [(row["text"], row["campaign_id"]) for row in found] == [("much longer", "spring")]


def test_a_declared_level_is_taken_and_said(lake: Writer) -> None:
    found = run(lake, [event("a", 0, item_id="tea"), event("b", 1, item_id="jam")], topic_level=0)
    assert goals(found) == [("viewed", "food", 2)]
    summary = lake.summary("intents")
    assert summary["topic_level_why"] == "the mapping declares level 0"
    assert [(row["level"], row["intents"]) for row in summary["levels"]] == [(0, 1), (1, 2)]
    assert summary["events_per_intent"] == 2.0


@pytest.mark.parametrize(
    ("figures", "level"),
    [
        ([Level(0, 100, 100, 1)], 0),
        ([Level(0, 100, 50, 25), Level(1, 100, 80, 90)], 1),  # fine enough
        ([Level(0, 100, 50, 25), Level(1, 100, 95, 90)], 0),  # raised
        ([Level(0, 100, 90, 25), Level(1, 100, 95, 90)], 1),  # would gain too little
        ([Level(0, 100, 50, 19), Level(1, 100, 95, 90)], 1),  # would leave too few topics
        ([Level(0, 100, 40, 20), Level(1, 100, 86, 30), Level(2, 100, 99, 90)], 0),  # raised twice
        ([Level(0, 0, 0, 0), Level(1, 0, 0, 0)], 1),
    ],
)
def test_the_level_is_raised_only_where_that_helps(figures: list[Level], level: int) -> None:
    assert choose_level(figures, None)[0] == level


def test_a_table_with_a_hole_is_told_by_its_name(lake: Writer) -> None:
    day = 86_400_000
    whole = [event(f"w{n}", n * day, dataset="web") for n in range(100)]
    orders = [event(f"o{n}", n * day, dataset="orders") for n in range(100) if not 40 <= n < 70]
    run(lake, whole + orders)
    (hole,) = lake.summary("intents")["holes"]
    assert (hole["dataset"], hole["first"], hole["last"]) == ("orders", "1970-02-10", "1970-03-11")
    assert list(hole["others"]) == ["web"]


def test_no_events_are_no_error(lake: Writer) -> None:
    assert run(lake, []) == []


def test_one_very_busy_user_costs_what_the_events_cost(lake: Writer) -> None:
    # Joined with each other by their user alone, as many events took minutes.
    found = run(lake, [event(f"r{n}", n * 3_600_000, item_id="tea") for n in range(6_000)])
    assert goals(found) == [("viewed", "drinks", 1)] * 6_000


def ordered(table: pa.Table) -> pa.Table:
    table = table.drop_columns(["run_id"])
    return table.sort_by([(name, "ascending") for name in table.column_names])


EVENTS = st.lists(
    st.fixed_dictionaries(
        {"occurred_at_ms": st.integers(0, 3), "verb": st.sampled_from(["viewed", "bought"])},
        optional={
            "item_id": st.sampled_from(["tea", "jam", "mug"]),
            "text": st.sampled_from(["one", "two", "three"]),
            "campaign_id": st.sampled_from(["spring", "autumn"]),
        },
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=10, deadline=None)
@given(EVENTS, st.data())
def test_the_order_of_the_input_never_matters(
    drawn: list[dict[str, Any]], data: st.DataObject
) -> None:
    events = [event(f"r{n}", 0) | row for n, row in enumerate(drawn)]
    shuffled = data.draw(st.permutations(events))
    names = ("sessions", "intents", "event_intents", "intent_items", "topics")
    found = []
    with TemporaryDirectory() as folder:
        for name, rows in (("one", events), ("two", shuffled)):
            with Lake.writer(Path(folder) / name) as lake:
                run(lake, rows)
                found.append([ordered(lake.arrow(table)) for table in names])
    assert found[0] == found[1]
