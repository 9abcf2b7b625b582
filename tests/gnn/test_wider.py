"""A persona that was overlooked is added; a part of one that was found is not."""

from dataclasses import replace

import numpy as np
import pytest

from gnn.communities import native_leiden
from gnn.found import PersonaConfig, Report
from gnn.overlooked import OverlookedConfig
from gnn.proposals import PARTS, Way
from gnn.race import Race, Trial
from gnn.tensors import Episodes, Ints
from gnn.wider import Told, Wider
from tests.gnn.planted import Story, arranged, plant

RARE = 7
NEVER = OverlookedConfig(least_z=np.inf)
"""No types go together: only what halves saw is proposed."""


@pytest.fixture(scope="module")
def world() -> tuple[Episodes, Ints]:
    """Two thousand people; the last of eight personas is held by one in fifty."""
    return arranged(plant(5, Story(topics=250)))


def as_soft(labels: Ints) -> np.ndarray:
    """Labels (n,), -1 none, as a guess."""
    soft = np.full((len(labels), RARE + 2), 0.01)
    soft[np.arange(len(labels)), labels + 1] = 1
    return np.asarray(soft / soft.sum(1, keepdims=True))


def all_but_the_rare_one(world: tuple[Episodes, Ints], overlooked: OverlookedConfig) -> Wider:
    """What is told knows seven personas of eight."""
    episodes, truth = world
    config, hours = PersonaConfig(overlooked=overlooked), (episodes.manner("hour"),)
    race = Race(episodes, hours, config, (native_leiden, Report()))
    mine = truth[race.rows]
    rule = race.fit(race.rows, as_soft(np.where(mine == RARE, -1, mine))[:, : RARE + 1])
    # What half of the people saw, twice; the other half saw no such thing.
    saw, saw_not = (as_soft(truth[race.common]), as_soft(np.full(len(race.common), -1)))
    race._tried = [Trial(Way(PARTS, 8), [(saw, saw_not), (saw_not, saw)])]
    return Wider(race, Told(rule, np.arange(RARE), np.ones(RARE)))


@pytest.mark.parametrize("overlooked", [NEVER, OverlookedConfig(least_halvings=99)])
def test_what_halves_saw_and_what_goes_together_is_each_added(
    world: tuple[Episodes, Ints], overlooked: OverlookedConfig
) -> None:
    wider = all_but_the_rare_one(world, overlooked)
    told = wider.looked()
    assert told.kept.tolist() == [*range(RARE), told.rule.personas - 1]
    added = wider._common.argmax(1) == told.rule.personas
    rare = world[1][wider._race.common] == RARE
    assert added[rare].mean() > 0.7
    assert rare[added].mean() > 50 * rare.mean()


def test_what_one_halving_alone_saw_is_not_proposed(world: tuple[Episodes, Ints]) -> None:
    wider = all_but_the_rare_one(world, replace(NEVER, least_halvings=3))
    assert wider.looked().kept.tolist() == list(range(RARE))


def test_a_part_of_a_persona_is_none(world: tuple[Episodes, Ints]) -> None:
    episodes, truth = world
    wider = all_but_the_rare_one(world, NEVER)
    rows, mine = wider._some, truth[wider._some] == 2
    half = episodes.type[rows] % 2 == 0
    wider._try(np.where(mine & half, 0.9, 0.0))
    assert wider.told.kept.tolist() == list(range(RARE))
