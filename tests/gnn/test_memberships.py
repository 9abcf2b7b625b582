"""A rule is fitted once; whoever has it says the same of the same episodes."""

from dataclasses import replace

import numpy as np
import pytest

from gnn.found import PersonaConfig, holders
from gnn.memberships import MixtureConfig, Rule, assign, cells, dispersion, fit
from gnn.tensors import Episodes, Ints
from tests.gnn.planted import Planted, Story, arranged, plant, tables

CONFIG = MixtureConfig()


@pytest.fixture(scope="module")
def world() -> tuple[Episodes, Ints]:
    """Episodes of four hundred people, and the persona each was planted by (-1: noise)."""
    return arranged(plant(3, Story(people=400, personas=5, topics=24)))


@pytest.fixture(scope="module")
def fitted(world: tuple[Episodes, Ints]) -> tuple[Rule, np.ndarray]:
    """A rule fitted on half of the people, from a guess that is right three times in four."""
    episodes, truth = world
    rows = half(episodes, True)
    guess = np.random.default_rng(0).integers(0, 6, len(rows))
    right = np.random.default_rng(1).random(len(rows)) < 0.75
    return fit(episodes, rows, (), soft_of(np.where(right, truth[rows] + 1, guess)), CONFIG)


def half(episodes: Episodes, fit_half: bool) -> Ints:
    return np.flatnonzero(episodes.fit[episodes.user] == fit_half)


def soft_of(labels: Ints, count: int = 6) -> np.ndarray:
    soft = np.full((len(labels), count), 0.02)
    soft[np.arange(len(labels)), labels] += 1
    return soft / soft.sum(1, keepdims=True)


def test_every_posterior_sums_to_one(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, _ = world
    rule, soft = fitted
    for found in (soft, assign(episodes, half(episodes, False), (), rule)):
        assert found.shape[1] == rule.personas + 1
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)


def test_the_rule_alone_says_the_same_each_time(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, _ = world
    rows = np.arange(len(episodes))
    first, second = (assign(episodes, rows, (), fitted[0]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_what_a_rule_says_of_a_person_does_not_depend_on_others(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, _ = world
    together = assign(episodes, np.arange(len(episodes)), (), fitted[0])
    some = np.flatnonzero(episodes.user < 50)
    alone = assign(episodes, some, (), fitted[0])
    np.testing.assert_allclose(alone, together[some], atol=1e-4)


def test_people_who_were_not_fitted_get_their_planted_personas(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, truth = world
    rows = half(episodes, False)
    found = assign(episodes, rows, (), fitted[0]).argmax(1) - 1
    known = truth[rows] > 1  # 0 and 1 differ by the hour alone, and no manner is used here
    assert (found[known] == truth[rows][known]).mean() > 0.7


def test_the_background_explains_noise(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, truth = world
    none = assign(episodes, np.arange(len(episodes)), (), fitted[0]).argmax(1) == 0
    assert none[truth < 0].mean() > 0.5
    assert none[truth >= 0].mean() < 0.18


def test_a_rule_of_no_persona_assigns_nothing(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, _ = world
    soft = assign(episodes, np.arange(len(episodes)), (), fitted[0].only(np.zeros(0, np.int64)))
    np.testing.assert_array_equal(soft, np.ones((len(episodes), 1)))


def test_a_kept_persona_keeps_its_preferences(fitted: tuple[Rule, np.ndarray]) -> None:
    rule = fitted[0]
    kept = rule.only(np.array([2]))
    assert kept.personas == 1
    np.testing.assert_array_equal(kept.types, rule.types[[0, 3]])


def test_what_is_not_named_explains_what_it_did_and_makes_no_other_persona_larger(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    episodes, truth = world
    rows, rule = np.arange(len(episodes)), fitted[0].naming(np.array([2]))
    assert (rule.personas, rule.unnamed) == (1, fitted[0].personas - 1)
    soft, whole = assign(episodes, rows, (), rule), assign(episodes, rows, (), fitted[0])
    np.testing.assert_allclose(soft[:, 1], whole[:, 3], atol=1e-5)
    np.testing.assert_allclose(soft.sum(1), 1, atol=1e-5)
    alone = assign(episodes, rows, (), rule.named())
    others = (truth >= 0) & (truth != 2)
    assert alone[others, 1].sum() > 1.5 * soft[others, 1].sum()


def test_occasions_differ_no_more_than_chance_where_bins_are_dealt_at_random(
    world: tuple[Episodes, Ints],
) -> None:
    episodes, _ = world
    manner = episodes.manners[1]
    dealt = replace(manner, values=np.random.default_rng(0).integers(0, 4, len(episodes)))
    data = cells(episodes, np.arange(len(episodes)), (dealt,))
    whole = np.ones((len(episodes), 1), np.float32)
    spread = dispersion(data, data.by(1, whole), dealt.values, data.by(3, whole))
    assert spread == pytest.approx(1, abs=0.15)


def test_no_episodes_have_no_posterior(
    world: tuple[Episodes, Ints], fitted: tuple[Rule, np.ndarray]
) -> None:
    soft = assign(world[0], np.zeros(0, np.int64), (), fitted[0])
    assert soft.shape == (0, fitted[0].personas + 1)


def test_who_does_anything_mostly_holds_nothing() -> None:
    """Where topics are few, a quarter of what anybody does is of any persona's."""
    episodes, truth = arranged(four_groups(600))
    rows = half(episodes, True)
    rule, _ = fit(episodes, rows, (), soft_of(truth[rows] + 1, 4), CONFIG)
    held = holders(episodes, assign(episodes, np.arange(len(episodes)), (), rule), PersonaConfig())
    group = np.array([int(name[2:]) for name in episodes.user_ids]) % 4
    shares = np.array([[held[group == g, k].mean() for g in range(4)] for k in range(3)])
    assert shares[range(3), range(3)].min() > 0.9
    assert shares[:, 3].mean() < 0.4
    assert shares[:, :3].sum() - np.trace(shares) < 0.6


def four_groups(people: int) -> Planted:
    """Three groups after three topics of twelve each, seven times in ten; the fourth after any."""
    rng = np.random.default_rng(7)
    user = np.repeat(np.arange(people), rng.integers(5, 20, people))
    count, group = len(user), user % 4
    after = (group < 3) & (rng.random(count) < 0.6)
    topic = np.where(after, 3 * group + rng.integers(0, 3, count), rng.integers(0, 12, count))
    day = rng.integers(0, 170, count)
    at = 1_600_000_000_000 + 86_400_000 * day
    nothing, one = np.zeros(count, np.int64), np.ones(count)
    truth = np.where(after, group, -1)
    return tables(
        [
            user,
            np.arange(count),
            rng.integers(0, 2, count),
            topic,
            nothing,
            nothing,
            at,
            one,
            truth,
        ],
        people,
    )
