import warnings
from dataclasses import replace

import numpy as np
import pytest

from gnn.communities import native_leiden
from gnn.proposals import COMMUNITIES, PARTS, ProposalConfig, Proposer, Way, ways
from tests.gnn.planted import Story, arranged, plant


def _untouched(*_: object) -> np.ndarray:
    raise AssertionError("vectors were made")


def test_no_vectors_are_made_where_only_parts_are_asked_for() -> None:
    episodes, _ = arranged(plant(3, Story(people=60)))
    config = ProposalConfig(resolutions=(), parts=(3, 4), encode=_untouched)
    assert ways(config) == [Way(PARTS, 3), Way(PARTS, 4)]
    rows = np.arange(len(episodes))
    proposer = Proposer(episodes, rows, (), (config, native_leiden, 0))
    assert all(len(proposer.groups(way)) == len(rows) for way in ways(config))
    with pytest.raises(RuntimeError, match="read"):
        proposer.groups(Way(COMMUNITIES, 0.1))


def test_people_who_all_did_the_same_bring_no_warning() -> None:
    episodes, _ = arranged(plant(3, Story(people=60)))
    one, people = np.flatnonzero(episodes.user == episodes.user[0]), 100
    count = people * len(one)
    same = replace(
        episodes,
        user=np.repeat(np.arange(people), len(one)),
        occasion=np.arange(count),
        type=np.tile(episodes.type[one], people),
        manners=(),
    )
    config = ProposalConfig(resolutions=(), parts=(8, 12), encode=_untouched)
    proposer = Proposer(same, np.arange(count), (), (config, native_leiden, 0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(len(proposer.groups(way)) == count for way in ways(config))
