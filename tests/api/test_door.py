"""Which way personas come to be: a search only where it must be, or is asked for."""

from typing import Any

import pytest

from api.door import Door, choose

SETTINGS = {"store": "embedded", "seed": 0, "program": "1"}
LAST = {"run_id": "p1", "topics": "t1", "kept_topic_level": 1, "settings": SETTINGS}
FOUND = {"personas": {"personas": 3, "search": LAST}, "topics": {"grouped": "t1"}}


class Told:
    """A lake of which only summaries and the id of the topics are asked."""

    def __init__(self, summaries: dict[str, Any], topics: str) -> None:
        self.summaries = summaries
        self.steps = {"topics": topics, "ingest": "i1"}

    def summary(self, step: str) -> dict[str, Any]:
        return self.summaries.get(step, {})

    def step_id(self, step: str) -> str | None:
        return self.steps.get(step)


def _chosen(
    summaries: dict[str, Any], wanted: bool = False, topics: str = "t1", **other: Any
) -> Door:
    lake: Any = Told(summaries, topics)
    return choose(lake, SETTINGS | other, "t2", wanted)


def test_new_records_update_what_is_there() -> None:
    door = _chosen(FOUND)
    assert door.is_update
    assert door.kept("run_id") == {"run_id": "p1"}
    assert door.told({}, skipped=False).startswith("Personas were updated by the rule they have")
    assert door.told({"personas": 3}, skipped=True).endswith("the personas are as they were.")
    assert door.told({}, skipped=True) == "Nothing is new: no persona, as before."


@pytest.mark.parametrize(
    ("read", "why"),
    [
        ({}, "records are new, gone or read otherwise, and nothing else"),
        ({"read": "i0"}, "records are new, gone or read otherwise, and nothing else"),
        ({"read": "i1"}, "who is one person was decided anew, and nothing else"),
    ],
)
def test_an_update_says_what_is_not_as_it_was(read: dict[str, str], why: str) -> None:
    door = _chosen(FOUND | {"personas": FOUND["personas"] | read})
    assert door.is_update
    assert why in door.told({"trials": []}, skipped=False)


@pytest.mark.parametrize(
    ("summaries", "more", "why"),
    [
        ({}, {}, "there was none"),
        (FOUND, {"wanted": True}, "asked for"),
        (FOUND, {"seed": 1}, "another seed than"),
        (FOUND, {"seed": 1, "program": "2"}, "another seed and another program than"),
        (FOUND | {"topics": {"grouped": "t9"}}, {}, "did not end"),
        (FOUND | {"personas": {"search": LAST}}, {}, "found no persona"),
        (FOUND, {"topics": "t2"}, "the same records"),
    ],
)
def test_a_search_is_made_where_it_must_be(
    summaries: dict[str, Any], more: dict[str, Any], why: str
) -> None:
    door = _chosen(summaries, **more)
    assert not door.is_update
    assert why in door.told({"trials": []}, skipped=False)
    assert door.kept("run_id") == {}


def test_where_there_was_nothing_to_search_in_no_search_is_told_of() -> None:
    told = _chosen({}).told({"result": "too few people to look for personas"}, skipped=False)
    assert told == "Personas could not be searched for."
