"""Groups of near vectors: proposals of personas, at several resolutions.

Communities change with every run and nobody governs them; whether they are personas, other people
and the recurrence test decide. The store hands in its own Leiden (Graph Data Science on Neo4j); the
native one is for where there is no store.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gnn.tensors import Floats, Ints

Leiden = Callable[[int, Ints, Ints, Floats, float, int], Ints]
"""(n, source, target, weight, resolution, seed) -> (n,) community of each node."""


def native_leiden(
    n: int, source: Ints, target: Ints, weight: Floats, resolution: float, seed: int
) -> Ints:
    """Leiden (modularity) by the native library, as the embedded store runs it.

    Source: Traag et al. 2019, doi:10.1038/s41598-019-41695-z.
    """
    from kg.store import communities

    edges = communities.canonical_edges(source, target, weight)
    found = communities.native_leiden(n, *edges, resolution=resolution, seed=seed)
    return communities.numbered_by_first_member(found)


@dataclass(frozen=True)
class Graph:
    """Near vectors and which of them stand for all.

    Attributes:
        nearest: (m,) for every vector the place, in the graph, of itself or of the one nearest it.

    Shapes: n nodes; source, target, weight (e,).
    """

    n: int
    source: Ints
    target: Ints
    weight: Floats
    nearest: Ints


def large(labels: Ints, least_share: float) -> Ints:
    """Communities numbered by size; those with a smaller share of the rows, and none (-1), -1."""
    counts = np.bincount(labels[labels >= 0])
    order = np.argsort(-counts, kind="stable")
    enough = int((counts >= least_share * len(labels)).sum())
    rank = np.full(len(counts) + 1, -1, np.int64)  # the last is that of -1
    rank[order[:enough]] = np.arange(enough)
    return rank[labels]
