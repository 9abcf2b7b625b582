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
