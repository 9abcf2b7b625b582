from dataclasses import replace

import numpy as np
import pyarrow as pa

from gnn.tensors import arrange, informative
from tests.gnn.planted import Story, plant


def test_the_order_of_rows_does_not_matter() -> None:
    world = plant(3, Story(people=60))
    mixed = world.intents.take(pa.array(np.random.default_rng(0).permutation(len(world.intents))))
    one, other = arrange(world.intents, world.users), arrange(mixed, world.users)
    assert one.intents.ids.equals(other.intents.ids)
    assert np.array_equal(one.type, other.type)
    for left, right in zip(one.manners, other.manners, strict=True):
        assert np.array_equal(left.values, right.values)


def test_only_manners_that_go_with_the_company_are_used() -> None:
    world = plant(3, Story(people=600))
    episodes = arrange(world.intents, world.users)
    used, _ = informative(episodes, np.arange(len(episodes)))
    assert {"hour", "channel", "price"} == {manner.name for manner in used}


def test_a_habit_that_goes_with_nothing_is_not_used() -> None:
    """Everybody has one weekday, whatever they are after."""
    world = plant(3, Story(people=600))
    episodes = arrange(world.intents, world.users)
    habit = np.random.default_rng(0).integers(0, 7, len(episodes.user_ids))[episodes.user]
    manners = [
        replace(manner, values=habit) if manner.name == "weekday" else manner
        for manner in episodes.manners
    ]
    used, ratios = informative(replace(episodes, manners=tuple(manners)), np.arange(len(episodes)))
    assert "weekday" not in {manner.name for manner in used}
    assert ratios["weekday"] < ratios["hour"]


def test_all_that_one_is_after_on_a_topic_at_once_is_one_episode() -> None:
    world = plant(3, Story(people=20))
    told = [("viewed", "a", 0), ("bought", "b", 1), ("viewed", "a", 2), ("bought", "a", 3)]
    intents = world.intents.slice(0, 5)
    for name, column in {
        "verb": pa.array([verb for verb, _, _ in told] + ["viewed"]),
        "topic": pa.array([topic for _, topic, _ in told] + ["a"]),
        "user_id": pa.array(["u_00000"] * 5),
        "started_at_ms": pa.array([60_000 * at for _, _, at in told] + [86_400_000]),
    }.items():
        intents = intents.set_column(intents.column_names.index(name), name, column)
    episodes = arrange(intents, world.users)
    names = [episodes.type_name(kind) for kind in episodes.type]
    assert episodes.intents.episode.tolist() == [0, 1, 0, 0, 2]
    assert names == ["bought|a", "bought|b", "viewed|a"]  # the rarest verb speaks for all


def test_the_answers_of_one_sitting_are_one_episode_about_what_most_answer() -> None:
    world = plant(3, Story(people=20))
    intents = world.intents.slice(0, 6)
    for name, column in {
        "verb": pa.array(["answered"] * 6),
        "topic": pa.array(["why", "how likely", "how likely", "why", "how likely", "how likely"]),
        "channel": pa.array(["survey"] * 5 + ["web"]),
        "user_id": pa.array(["u_00000"] * 2 + ["u_00001"] * 4),
        "session_id": pa.array(["s_0"] * 2 + ["s_1"] + ["s_2"] * 2 + ["s_3"]),
        "started_at_ms": pa.array([0, 0, 0, 86_400_000, 86_400_000, 172_800_000]),
    }.items():
        intents = intents.set_column(intents.column_names.index(name), name, column)
    episodes = arrange(intents, world.users)
    assert episodes.intents.episode.tolist() == [0, 0, 1, 2, 2, 3]
    assert {episodes.type_name(kind) for kind in episodes.type} == {"answered|how likely"}


def test_what_happens_at_one_moment_has_no_order() -> None:
    world = plant(3, Story(people=60))
    place = world.intents.column_names.index("started_at_ms")
    at_once = world.intents.set_column(place, "started_at_ms", pa.array([0] * len(world.intents)))
    order = next(m for m in arrange(at_once, world.users).manners if m.name == "order")
    assert set(order.values.tolist()) == {0}


def test_an_occasion_ends_after_half_a_day_of_quiet_and_with_the_person() -> None:
    world = plant(3, Story(people=20))
    hours = [0, 11, 23, 36, 36]  # the pause before the fourth is longer than twelve hours
    intents = world.intents.slice(0, len(hours))
    for name, column in {
        "started_at_ms": pa.array([3_600_000 * hour for hour in hours], pa.int64()),
        "user_id": pa.array(["u_00000"] * 4 + ["u_00001"]),
        "channel": pa.array(["web", "store", "web", "web", "web"]),
        "topic": pa.array(["a", "b", "c", "d", "e"]),
    }.items():
        intents = intents.set_column(intents.column_names.index(name), name, column)
    assert arrange(intents, world.users).occasion.tolist() == [0, 0, 0, 1, 2]


def test_no_intents_make_empty_arrays() -> None:
    world = plant(3, Story(people=20))
    empty = arrange(world.intents.slice(0, 0), world.users)
    assert len(empty) == 0
    assert empty.type_count == 0
