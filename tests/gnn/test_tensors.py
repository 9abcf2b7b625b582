import numpy as np
import pyarrow as pa

from gnn.tensors import arrange, informative
from tests.gnn.planted import Story, plant


def test_the_order_of_rows_does_not_matter() -> None:
    world = plant(3, Story(people=60))
    mixed = world.intents.take(pa.array(np.random.default_rng(0).permutation(len(world.intents))))
    one, other = arrange(world.intents, world.users), arrange(mixed, world.users)
    assert one.ids.equals(other.ids)
    assert np.array_equal(one.type, other.type)
    for left, right in zip(one.manners, other.manners, strict=True):
        assert np.array_equal(left.values, right.values)


def test_only_manners_that_tell_people_apart_are_used() -> None:
    world = plant(3, Story(people=600))
    intents = arrange(world.intents, world.users)
    used, _ = informative(intents, np.arange(len(intents)), 0)
    assert {"hour", "channel", "price"} == {manner.name for manner in used}


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
    }.items():
        intents = intents.set_column(intents.column_names.index(name), name, column)
    assert arrange(intents, world.users).occasion.tolist() == [0, 0, 0, 1, 2]


def test_no_intents_make_empty_arrays() -> None:
    world = plant(3, Story(people=20))
    empty = arrange(world.intents.slice(0, 0), world.users)
    assert len(empty) == 0
    assert empty.type_count == 0
