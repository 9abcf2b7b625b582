"""Families and micro-personas: found where they are planted, nowhere else; counts add up."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn.communities import native_leiden
from gnn.families import Families, FamilyConfig, families
from gnn.found import PersonaConfig, holders
from gnn.micro import Micro, parts, within
from gnn.signatures import names_of
from gnn.tensors import Episodes, Ints
from tests.gnn.planted import Planted, Story, arranged, plant
from tests.gnn.told import A, B, Told, found, small_world

CONFIG = FamilyConfig()


def _half(seed: int, about: list[range]) -> tuple[Ints, Ints]:
    """Episodes of personas (from 1) that want these topics of 30, and more of nobody."""
    rng = np.random.default_rng(seed)
    persona = np.repeat(np.arange(len(about) + 1), [2000] + [400] * len(about))
    topic = [rng.integers(0, 30, 2000), *(rng.choice(list(one), 400) for one in about)]
    return persona, np.concatenate(topic)


def _found(first: list[range], second: list[range]) -> Families:
    return families((_half(1, first), _half(2, second)), len(first), CONFIG, 0)


def test_personas_about_the_same_topics_are_one_family() -> None:
    about = [range(6), range(10, 16), range(1, 7), range(20, 26)]
    together = _found(about, about)
    assert together.family.tolist() == [0, -1, 0, -1]
    assert len(together.likeness) == 1
    assert together.likeness[0] > 0.5


def test_who_is_alike_on_one_half_of_the_people_only_has_no_family() -> None:
    first = [range(6), range(6), range(20, 26)]
    second = [range(6), range(10, 16), range(20, 26)]
    assert _found(first, second).family.tolist() == [-1, -1, -1]


def test_personas_about_anything_are_no_family() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        kinds = rng.dirichlet(np.full(30, 0.3), 8)
        halves = []
        for _ in range(2):
            topic = np.concatenate([rng.choice(30, 400, p=one) for one in kinds])
            halves.append((np.repeat(np.arange(1, 9), 400), topic))
        assert set(families((halves[0], halves[1]), 8, CONFIG, seed).family.tolist()) == {-1}


def test_one_persona_and_none_have_no_family() -> None:
    for count in (0, 1):
        assert _found([range(5)] * count, [range(5)] * count).family.tolist() == [-1] * count


@pytest.fixture(scope="module")
def merged() -> tuple[Episodes, Ints, Ints]:
    """A world in which two planted personas are told as one: its episodes, told, and planted."""
    world = plant(23, Story(people=700, personas=6, topics=30))
    episodes, truth = arranged(world)
    told = np.where(truth == 3, 2, truth)
    return episodes, np.where(told == 4, 3, np.where(told == 5, -1, told)), truth


def _parts(episodes: Episodes, told: Ints) -> Micro:
    one, config = found(told, episodes.type_count), PersonaConfig()
    held = holders(episodes, one.soft, config)
    return parts(episodes, one, held, (config, native_leiden))


def test_two_personas_told_as_one_are_its_micro_personas(
    merged: tuple[Episodes, Ints, Ints],
) -> None:
    episodes, told, truth = merged
    inner = _parts(episodes, told)
    assert set(inner.persona.tolist()) == {2}
    assert set(told[inner.labels >= 0].tolist()) == {2}
    mine = [Counter(truth[inner.labels == n].tolist()) for n in range(len(inner.persona))]
    assert {count.most_common(1)[0][0] for count in mine} <= {2, 3}
    assert all(count.most_common(1)[0][1] > 0.8 * count.total() for count in mine)
    held = holders(episodes, found(told, episodes.type_count).soft, PersonaConfig())
    assert not (inner.held & ~held[:, inner.persona]).any()


def test_types_dealt_within_the_persona_over_its_people_leave_none(
    merged: tuple[Episodes, Ints, Ints],
) -> None:
    episodes, told, _ = merged
    rng, type_ = np.random.default_rng(0), episodes.type.copy()
    for number in range(int(told.max()) + 1):
        mine = np.flatnonzero(told == number)
        type_[mine] = type_[rng.permutation(mine)]
    dealt = Episodes(**vars(episodes) | {"type": type_})
    assert len(_parts(dealt, told).persona) == 0


def test_some_episodes_are_read_as_if_there_were_no_others() -> None:
    world = plant(3, Story(people=20, personas=4, topics=12))
    episodes, _ = arranged(world)
    rows = np.flatnonzero(episodes.user % 2 == 0)[::2]
    some = within(episodes, rows)
    assert len(some) == len(rows)
    assert [some.user_ids[n] for n in some.user] == [
        episodes.user_ids[n] for n in episodes.user[rows]
    ]
    inside = np.isin(episodes.intents.episode, rows)
    assert some.intents.ids.to_pylist() == episodes.intents.ids.filter(inside).to_pylist()
    assert (rows[some.intents.episode] == episodes.intents.episode[inside]).all()


@pytest.fixture
def told(tmp_path: Path, small: Planted) -> Told:
    return Told(tmp_path / "workspace", small)


@pytest.fixture(scope="module")
def small() -> Planted:
    return small_world()


def _levels(told: Told) -> dict[str, list[dict[str, Any]]]:
    rows = told.rows("levels")
    return {
        one: [row for row in rows if row["level"] == one] for one in ("family", "micro-persona")
    }


def test_counts_add_up(told: Told) -> None:
    told.run()
    personas = {row["persona_id"]: row for row in told.rows("personas")}
    (family,), (part,) = _levels(told).values()
    members = told.rows("memberships")
    inside = [one for one, row in personas.items() if row["parent_id"] == family["level_id"]]
    assert sorted(inside) == sorted([told.id_of(A), told.id_of(B)])
    assert family["intents"] == sum(personas[one]["intents"] for one in inside)
    people = {
        row["user_id"]
        for row in told.rows("holdings")
        if row["persona_id"] in inside and row["valid_to_ms"] is None
    }
    assert family["people"] == len(people) < sum(personas[one]["people"] for one in inside)
    mine = [row for row in members if row["micro_persona_id"] == part["level_id"]]
    assert {row["persona_id"] for row in mine} == {part["parent_id"]} == {told.id_of(B)}
    rest = [
        row
        for row in members
        if row["persona_id"] == part["parent_id"] and row["micro_persona_id"] is None
    ]
    assert part["intents"] == len(mine)
    assert len(mine) + len(rest) == personas[part["parent_id"]]["intents"]
    assert part["people"] == len(told.rows("micro_holdings"))


def test_ids_stay_while_the_intents_do_and_are_never_given_again(told: Told) -> None:
    told.run()
    before = {row["level_id"] for row in told.rows("levels")}
    told.run()
    assert {row["level_id"] for row in told.rows("levels")} == before
    told.run(gone=(A, B))
    # C and D are the first two now, and D has the part.
    other = {row["level_id"] for row in told.rows("levels")}
    assert len(other) == 2
    assert not other & before


def test_a_name_is_of_the_leading_topics_and_no_two_are_the_same() -> None:
    tea = '{"types": [{"label": "Tea"}, {"label": "Mugs"}, {"label": "Tea"}], "manners": []}'
    early = '{"types": [], "manners": [{"value": "06-09 h"}]}'
    none = '{"types": [], "manners": []}'
    assert names_of([tea, early, none, tea], "family") == [
        "Tea and Mugs",
        "06-09 h",
        "family",
        "Tea and Mugs (2)",
    ]
    shouted = '{"types": [{"label": "POSTAGE, PACKING"}, {"label": "Tea"}], "manners": []}'
    assert names_of([shouted], "family") == ["postage / packing and Tea"]
