"""What the personas found do not explain is seen once they are known, however small it is."""

from dataclasses import replace

import numpy as np
import pytest

from gnn.communities import native_leiden
from gnn.memberships import MixtureConfig, assign, fit
from gnn.overlooked import OverlookedConfig, _in_one_sitting, seen, unexplained
from gnn.tensors import Episodes, Ints
from tests.gnn.planted import Story, arranged, plant

SETTINGS = (OverlookedConfig(), native_leiden, 0)
RARE = 7


@pytest.fixture(scope="module")
def world() -> tuple[Episodes, Ints]:
    """Two thousand people; the last of eight personas is held by one in fifty."""
    return arranged(plant(5, Story(topics=60)))


def known(truth: Ints, personas: int) -> np.ndarray:
    """The posterior of whoever knows the first personas, and takes all else for none."""
    soft = np.zeros((len(truth), personas + 1))
    soft[np.arange(len(truth)), np.where(truth < personas, truth + 1, 0)] = 1
    return soft


def test_a_persona_that_was_missed_is_the_most_unexplained(world: tuple[Episodes, Ints]) -> None:
    episodes, truth = world
    rows = np.arange(len(episodes))
    guess = unexplained(episodes, rows, known(truth, RARE), SETTINGS)[:, 0]
    sure = guess > 0.8
    assert sure.sum() >= 0.3 * (truth == RARE).sum()
    assert (truth[sure] == RARE).mean() > 0.6


def test_it_is_found_from_there_and_only_by_those_who_hold_it(
    world: tuple[Episodes, Ints],
) -> None:
    episodes, truth = world
    rows, soft = np.arange(len(episodes)), known(truth, RARE)
    guess = unexplained(episodes, rows, soft, SETTINGS)[:, :1]
    start = np.concatenate([soft * (1 - guess), guess], 1) + 1e-3
    start /= start.sum(1, keepdims=True)
    rule, _ = fit(episodes, rows, (), start, MixtureConfig())
    found = assign(episodes, rows, (), rule).argmax(1) - 1 == RARE
    rare = truth == RARE
    assert 2 * (found & rare).sum() / (found.sum() + rare.sum()) > 0.7
    holders = len(np.unique(episodes.user[rare])) / len(episodes.user_ids)
    assert rule.held[RARE] == pytest.approx(holders, rel=0.5)


def test_what_halves_saw_in_several_halvings_is_proposed_and_nothing_else() -> None:
    user = np.repeat(np.arange(100), 5)
    persona, rare, luck = user < 40, user >= 90, (user >= 60) & (user < 70)

    def said(*groups: np.ndarray) -> np.ndarray:
        soft = np.stack(groups, 1) * 0.9
        return np.concatenate([1 - soft.sum(1, keepdims=True), soft], 1)

    fewer = rare & (user != 95)
    halves = [
        (0, said(persona, rare)), (0, said(persona, luck)),
        (1, said(fewer, persona)), (1, said(persona)),
    ]  # fmt: skip
    found = seen(user, halves, said(persona), OverlookedConfig())
    assert found.shape == (len(user), 1)
    assert found[:, 0] == pytest.approx(0.45 * rare + 0.45 * fewer)
    assert seen(user, halves[:2], said(persona), OverlookedConfig()).shape == (len(user), 0)
    assert seen(user, [], said(persona), OverlookedConfig()).shape == (len(user), 0)


def test_where_all_is_explained_only_chance_is_left(world: tuple[Episodes, Ints]) -> None:
    episodes, truth = world
    rows = np.arange(len(episodes))
    everything = unexplained(episodes, rows, known(truth, RARE + 1), SETTINGS)
    missed = unexplained(episodes, rows, known(truth, RARE), SETTINGS)
    assert (everything > 0.8).sum(0).max(initial=0) < 0.4 * (missed[:, 0] > 0.8).sum()


def test_what_stands_together_in_one_visit_only_is_no_aim(world: tuple[Episodes, Ints]) -> None:
    episodes, _ = world
    rng = np.random.default_rng(0)
    alone = replace(
        episodes,
        occasion=np.unique(episodes.user, return_inverse=True)[1].reshape(-1),
        type=rng.integers(0, episodes.type_count, len(episodes)),
    )
    some = rng.random(len(episodes.user_ids)) < 0.05
    pair = some[alone.user] & (np.concatenate([[True], np.diff(alone.user) != 0]))
    second = np.flatnonzero(pair)[:-1] + 1
    alone.type[np.flatnonzero(pair)], alone.type[second] = 0, 1
    nothing = np.ones((len(alone), 1))
    assert unexplained(alone, np.arange(len(alone)), nothing, SETTINGS).shape == (len(alone), 0)


def test_who_does_everything_on_several_occasions_has_nothing_in_one_sitting() -> None:
    seen = np.array([0, 0, 0, 0]), np.array([0, 1, 0, 1])
    assert not _in_one_sitting(seen, np.array([0, 0, 1, 1]), 3).any()
    assert _in_one_sitting((seen[0][:2], seen[1][:2]), np.zeros(2, int), 3).sum() == 4
