import numpy as np

from gnn.communities import native_leiden
from gnn.proposals import ProposalConfig, propose
from gnn.training import Work
from tests.gnn.planted import Story, arranged, plant


def _untouched(*_: object) -> np.ndarray:
    raise AssertionError("vectors were made")


def test_no_vectors_are_made_where_only_parts_are_asked_for() -> None:
    episodes, _ = arranged(plant(3, Story(people=60)))
    config = ProposalConfig(resolutions=(), parts=(3, 4), encode=_untouched)
    rows = np.arange(len(episodes))
    found = propose(episodes, rows, (), (config, native_leiden, 0, Work()))
    assert [(one.by, one.size) for one in found] == [("parts", 3), ("parts", 4)]
    assert all(len(one.labels) == len(rows) for one in found)
