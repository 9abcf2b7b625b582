import numpy as np
from sklearn.metrics import adjusted_rand_score

from gnn.communities import Graph, agreement, native_leiden, scan


def _blocks(seed: int = 0) -> Graph:
    """Four groups of fifty, densely joined within."""
    rng = np.random.default_rng(seed)
    group = np.arange(200) // 50
    joined = rng.random((200, 200)) < np.where(group[:, None] == group, 0.3, 0.01)
    source, target = np.nonzero(np.triu(joined, 1))
    return Graph(source, target, np.ones(len(source)), np.arange(200) // 2)


def test_planted_groups_are_found_and_stable() -> None:
    reports, found = scan(_blocks(), native_leiden, (1.0,), 2, 0)
    labels = np.asarray(found[0]).reshape(-1, 200)[0]
    assert agreement(labels, np.arange(200) // 50) > 0.95
    assert reports[0].stability > 0.9
    assert reports[0].communities == 4


def test_agreement_is_the_adjusted_rand_index() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 5, 300), rng.integers(0, 7, 300)
    assert np.isclose(agreement(one, other), adjusted_rand_score(one, other))
    assert agreement(one, one) == 1.0


def test_the_same_seed_gives_the_same_communities() -> None:
    graph = _blocks()
    runs = [native_leiden(200, graph.source, graph.target, graph.weight, 1.0, 7) for _ in range(2)]
    assert np.array_equal(*runs)
