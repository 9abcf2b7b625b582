from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gnn.communities import native_leiden
from gnn.encoder import EncoderConfig
from gnn.found import Found, PersonaConfig, Report
from gnn.personas import discover
from gnn.proposals import COMMUNITIES, PARTS, ProposalConfig, Way
from gnn.race import Race, Trial
from gnn.returning import Return
from gnn.tensors import Episodes
from tests.gnn.planted import Story, arranged, plant

PLAIN = PersonaConfig(
    proposals=ProposalConfig(
        resolutions=(0.1, 0.3), parts=(3, 4, 5, 6), encoder=EncoderConfig(steps=2)
    )
)


@pytest.fixture(scope="module")
def world() -> tuple[Episodes, np.ndarray]:
    return arranged(plant(7, Story(people=600, personas=6, topics=30)))


def _found(episodes: Episodes, config: PersonaConfig) -> tuple[Found, Report]:
    report = Report()
    return discover(episodes, config, native_leiden, report), report


def test_another_seed_finds_the_same_personas(world: tuple[Episodes, np.ndarray]) -> None:
    config = replace(PLAIN, proposals=replace(PLAIN.proposals, resolutions=()))
    one, other = (_found(world[0], replace(config, seed=seed))[0] for seed in (0, 1))
    assert one.rule.personas == other.rule.personas >= 3
    labels = [found.soft.argmax(1) for found in (one, other)]
    assert adjusted_rand_score(*labels) > 0.8


def test_the_better_parts_are_measured_again_and_others_only_while_they_lead(
    world: tuple[Episodes, np.ndarray],
) -> None:
    report = _found(world[0], PLAIN)[1]
    times = {(one["by"], one["size"]): one["times"] for one in report.summary["trials"]}
    assert times["parts", report.summary["taken"]["size"]] == PLAIN.halvings
    assert times["parts", 3] == 1
    assert report.summary["taken"]["by"] == "parts"
    assert times["communities", 0.1] < PLAIN.halvings
    taken = report.summary["taken"]
    for one in report.summary["as_good"]:
        assert one["times"] == PLAIN.halvings
        assert one["size"] != taken["size"]


def test_where_there_are_no_parts_communities_are_taken(
    world: tuple[Episodes, np.ndarray],
) -> None:
    config = replace(PLAIN, proposals=replace(PLAIN.proposals, parts=()))
    found, report = _found(world[0], config)
    assert report.summary["taken"]["by"] == "communities"
    assert (
        report.summary["taken"]["come_back"] >= found.rule.personas - report.summary["overlooked"]
    )


def test_what_comes_back_less_than_by_chance_is_nothing() -> None:
    back = Return(np.ones(1), -0.01)
    trial = Trial(Way(PARTS, 3), backs=[back, back])
    assert trial.information == 0
    race = Race.__new__(Race)
    race.config = PLAIN
    race._measured = lambda trials: None  # type: ignore[method-assign]
    assert race._of_parts([trial]) is None


@pytest.mark.parametrize(
    ("came_back", "times", "taken"),
    [
        ((0.17, 0.14, 0.16, 0.15), 1, False),  # more, but no such lead
        ((0.35, 0.08, 0.10, 0.12), 2, False),  # once, by luck
        ((0.90, 0.03, 0.03, 0.02), 4, False),  # a lead that varies more than it is large
        ((0.27, 0.24, 0.26, 0.25), 4, True),
    ],
)
def test_communities_are_taken_where_twice_as_much_comes_back_and_it_varies_less(
    came_back: tuple[float, ...], times: int, taken: bool
) -> None:
    race = Race.__new__(Race)
    race.config = replace(PLAIN, halvings=4)
    left = iter(came_back)

    def measured(trials: list[Trial]) -> None:
        trials[0].backs.append(Return(np.ones(1), next(left)))

    race._measured = measured  # type: ignore[method-assign]
    parts = Trial(Way(PARTS, 5), [], [Return(np.ones(1), n) for n in (0.12, 0.09, 0.13, 0.10)])
    communities = Trial(Way(COMMUNITIES, 0.1))
    assert race._challenger([communities], parts) is (communities if taken else None)
    assert len(communities.backs) == times
