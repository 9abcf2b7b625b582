"""What the nodes of evidence paths are, in words."""

from pathlib import Path

from rows import put

from kg.lake import Lake
from kg.personas.nodes import in_words

AT = {"started_at_ms": 1_767_261_600_000, "ended_at_ms": 1_767_261_600_000, "event_count": 1}
INTENT = {
    "intent_id": "i_1", "session_id": "s_1", "user_id": "u_1", "verb": "bought", "topic": "t_1",
    "channel": "web", "position": 1, "quantity": 1.0, "value": 1.0, "text": "call Ann at home",
}  # fmt: skip
SESSION = {"session_id": "s_1", "user_id": "u_1", "channel": "web", "number": 1, "value": 1.0}
TOPIC = {"topic": "t_1", "label": "Tea", "kind": "category", "level": 0, "item_count": 1}


def test_a_node_says_what_was_done_and_nothing_of_who_did_it(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("intents") as step:
            put(
                step,
                intents=[INTENT | AT],
                sessions=[SESSION | AT],
                topics=[TOPIC],
                items=[{"item_id": "tea", "title": "Green tea"}],
            )
        path = [("User", "u_1"), ("Session", "s_1"), ("Intent", "i_1"), ("Item", "tea")]
        assert in_words(lake, [*path, ("Trait", "plan=team")]) == {
            ("User", "u_1"): "one of its holders",
            ("Session", "s_1"): "web, 2026-01-01 10:00 UTC",
            ("Intent", "i_1"): "bought Tea, 2026-01-01 10:00 UTC",
            ("Item", "tea"): "Green tea",
        }


def test_what_was_done_with_two_topics_of_one_name_is_told_apart(tmp_path: Path) -> None:
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("intents") as step:
            other = {"intent_id": "i_2", "topic": "shop/t_1", "position": 2}
            third = other | {"intent_id": "i_3", "verb": "viewed", "position": 3}
            put(
                step,
                intents=[INTENT | AT, INTENT | AT | other, INTENT | AT | third],
                topics=[TOPIC, TOPIC | {"topic": "shop/t_1"}],
            )
        told = in_words(lake, [("Intent", one) for one in ("i_1", "i_2", "i_3")])
        assert [told["Intent", one].partition(",")[0] for one in ("i_1", "i_2", "i_3")] == [
            "bought Tea (t 1)",
            "bought Tea (shop/t 1)",
            "viewed Tea",
        ]


def test_of_a_day_without_a_time_no_time_is_said(tmp_path: Path) -> None:
    day = {"started_at_ms": 1_767_225_600_000}
    with Lake.writer(tmp_path / "w") as lake:
        with lake.step("intents") as step:
            put(step, intents=[INTENT | AT | day], sessions=[SESSION | AT | day], topics=[TOPIC])
        assert in_words(lake, [("Session", "s_1"), ("Intent", "i_1")]) == {
            ("Session", "s_1"): "web, 2026-01-01",
            ("Intent", "i_1"): "bought Tea, 2026-01-01",
        }
