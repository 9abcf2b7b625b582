import numpy as np
from sklearn.metrics import adjusted_rand_score

from gnn.communities import large, native_leiden
from gnn.tensors import Floats, Ints


def _blocks(seed: int = 0) -> tuple[Ints, Ints, Floats]:
    """Four groups of fifty, densely joined within."""
    rng = np.random.default_rng(seed)
    group = np.arange(200) // 50
    joined = rng.random((200, 200)) < np.where(group[:, None] == group, 0.3, 0.01)
    source, target = np.nonzero(np.triu(joined, 1))
    return source, target, np.ones(len(source))


def test_planted_groups_are_found() -> None:
    labels = native_leiden(200, *_blocks(), 1.0, 0)
    assert adjusted_rand_score(labels, np.arange(200) // 50) > 0.95


def test_the_same_seed_gives_the_same_communities() -> None:
    runs = [native_leiden(200, *_blocks(), 1.0, 7) for _ in range(2)]
    assert np.array_equal(*runs)


def test_communities_are_numbered_by_size_and_small_ones_propose_nothing() -> None:
    labels = np.array([3] * 2 + [7] * 5 + [1] * 1)
    assert large(labels, 0.2).tolist() == [1, 1, 0, 0, 0, 0, 0, -1]


def test_what_belongs_nowhere_proposes_nothing() -> None:
    assert large(np.array([-1, 2, 2, -1, 0]), 0.2).tolist() == [-1, 0, 0, -1, 1]
    assert large(np.array([-1, -1]), 0.2).tolist() == [-1, -1]
