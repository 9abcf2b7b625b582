"""Groups of near vectors at several resolutions, and how firmly each resolution stands.

A resolution is tried with several seeds and on resamples of the people; what comes out the same is
stable. Communities are proposals: whether they are personas, the recurrence test decides.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Floats, Ints

Leiden = Callable[[int, Ints, Ints, Floats, float, int], Ints]
"""(n, source, target, weight, resolution, seed) -> (n,) community of each node."""


@dataclass(frozen=True)
class Resolution:
    """What one resolution gave."""

    resolution: float
    communities: int
    seeds_ari: float
    resamples_ari: float

    @property
    def stability(self) -> float:
        """The weaker of the two agreements."""
        return min(self.seeds_ari, self.resamples_ari)


def native_leiden(
    n: int, source: Ints, target: Ints, weight: Floats, resolution: float, seed: int
) -> Ints:
    """Leiden (modularity) by graspologic-native, for where no store hands in its own.

    Source: Traag et al. 2019, doi:10.1038/s41598-019-41695-z.
    """
    import graspologic_native
    from scipy.sparse import csr_array

    both = (np.concatenate([weight, weight]), (np.r_[source, target], np.r_[target, source]))
    graph = csr_array(both, shape=(n, n))
    _, found = graspologic_native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        n,
        resolution=resolution,
        seed=seed,
        iterations=2,
    )
    return np.array([found[node] for node in range(n)], np.int64)


def agreement(left: Ints, right: Ints) -> float:
    """Adjusted Rand index of two labellings.

    Shapes: (n,), (n,) -> in [-0.5, 1].
    Source: Hubert and Arabie 1985, doi:10.1007/BF01908075.
    """
    if len(left) < 2:
        return 1.0
    _, first = np.unique(left, return_inverse=True)
    _, second = np.unique(right, return_inverse=True)
    width = int(second.max()) + 1
    both = np.unique(first * width + second, return_counts=True)[1].astype(float)

    def pairs(counts: NDArray[np.float64]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    rows, columns = (pairs(np.bincount(x).astype(float)) for x in (first, second))
    expected = rows * columns / (len(left) * (len(left) - 1) / 2)
    most = (rows + columns) / 2
    return (pairs(both) - expected) / (most - expected) if most != expected else 1.0


@dataclass(frozen=True)
class Graph:
    """Near vectors and whose they are.

    Shapes: source, target, weight (e,); person (n,) of each vector.
    """

    source: Ints
    target: Ints
    weight: Floats
    person: Ints


def scan(
    graph: Graph, leiden: Leiden, resolutions: tuple[float, ...], seeds: int, seed: int
) -> tuple[list[Resolution], list[list[Ints]]]:
    """Communities at each resolution, and their stability over seeds and resampled people.

    Shapes: n vectors -> per resolution a report and, per seed, (n,) communities.
    """
    n = len(graph.person)
    rng = np.random.default_rng(seed)
    resampled = rng.random(int(graph.person.max(initial=-1)) + 1) < 0.8
    part = np.flatnonzero(resampled[graph.person])
    reports, found = [], []
    for resolution in resolutions:
        runs = [
            np.asarray(
                leiden(n, graph.source, graph.target, graph.weight, resolution, seed + number)
            )
            for number in range(seeds)
        ]
        less = np.asarray(leiden(len(part), *_within(graph, part), resolution, seed))
        communities = _large(runs[0], 0.002)
        reports.append(
            Resolution(
                resolution,
                communities,
                float(np.mean([agreement(runs[0], run) for run in runs[1:]] or [1.0])),
                agreement(runs[0][part], less),
            )
        )
        found.append(runs)
    return reports, found


def _within(graph: Graph, part: Ints) -> tuple[Ints, Ints, Floats]:
    place = np.full(len(graph.person), -1, np.int64)
    place[part] = np.arange(len(part))
    source, target = place[graph.source], place[graph.target]
    inside = (source >= 0) & (target >= 0)
    return source[inside], target[inside], graph.weight[inside]


def _large(labels: Ints, least_share: float) -> int:
    counts = np.bincount(labels)
    return int((counts >= max(2, least_share * len(labels))).sum())
