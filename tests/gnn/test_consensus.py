"""Communities that many runs agree on, on small graphs with known answers."""

import numpy as np
import pytest

from gnn.communities import native_leiden
from gnn.consensus import NOWHERE, Consensus, consensus
from gnn.tensors import Floats, Ints

Edges = tuple[Ints, Ints, Floats]


def _drawn(chance: Floats, seed: int) -> Edges:
    """Edges, each there with its own chance."""
    source, target = np.nonzero(
        np.triu(np.random.default_rng(seed).random(chance.shape) < chance, 1)
    )
    return source, target, np.ones(len(source))


def _found(n: int, edges: Edges, seed: int = 0) -> Consensus:
    return consensus(n, edges, native_leiden, seed=seed)


def _cliques(sizes: list[int]) -> tuple[Ints, Edges]:
    """Everyone joined with their group, and each group by one edge with the next."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    source, target = np.nonzero(np.triu(group[:, None] == group, 1))
    first = np.cumsum([0, *sizes[:-1]])
    source, target = np.r_[source, first], np.r_[target, np.roll(first, -1)]
    return group, (source, target, np.ones(len(source)))


@pytest.fixture(scope="module")
def planted() -> tuple[Ints, Edges]:
    """Twelve groups of twelve to thirty, and forty nodes that are joined with anyone."""
    group = np.repeat(np.arange(12), np.linspace(12, 30, 12).astype(int))
    group = np.r_[group, np.full(40, NOWHERE)]
    inside = (group[:, None] == group) & (group >= 0)
    chance = np.where(inside, 0.6, 0.01)
    chance[group < 0] = chance[:, group < 0] = 0.03
    return group, _drawn(chance, 3)


def test_groups_that_modularity_merges_are_told_apart() -> None:
    group, edges = _cliques([5] * 30)
    assert native_leiden(len(group), *edges, 1.0, 0).max() + 1 < 30
    found = _found(len(group), edges)
    assert found.labels.tolist() == group.tolist()
    assert found.stability.tolist() == pytest.approx([1.0] * 30)
    assert found.resolution > 1


def test_what_is_joined_with_anyone_belongs_nowhere(planted: tuple[Ints, Edges]) -> None:
    group, edges = planted
    found = _found(len(group), edges)
    assert found.labels[group >= 0].tolist() == group[group >= 0].tolist()
    assert (found.labels[group < 0] == NOWHERE).mean() > 0.5
    assert ((found.stability > 0.5) & (found.stability <= 1)).all()


def test_in_a_graph_of_chance_there_is_nothing() -> None:
    found = _found(300, _drawn(np.full((300, 300), 0.05), 1))
    assert (found.labels == NOWHERE).all()
    assert len(found.stability) == 0


def test_the_order_and_the_direction_of_edges_do_not_matter(planted: tuple[Ints, Edges]) -> None:
    group, (source, target, weight) = planted
    order = np.random.default_rng(0).permutation(len(source))
    one = _found(len(group), (source, target, weight), seed=5)
    other = _found(len(group), (target[order], source[order], weight[order]), seed=5)
    assert one.labels.tolist() == other.labels.tolist()
    assert one.stability.tolist() == other.stability.tolist()
    assert one.resolution == other.resolution


@pytest.mark.parametrize(("n", "labels"), [(0, []), (1, [NOWHERE]), (2, [NOWHERE, NOWHERE])])
def test_nodes_without_edges_belong_nowhere(n: int, labels: list[int]) -> None:
    none = np.zeros(0, np.int64)
    assert _found(n, (none, none, none.astype(float))).labels.tolist() == labels


def test_a_graph_that_is_one_whole_has_no_communities() -> None:
    assert _found(2, (np.array([1]), np.array([0]), np.array([0.5]))).labels.tolist() == [-1, -1]
