"""Which vectors lie near each other: the mutual nearest neighbours among distinct vectors."""

import numpy as np
from numpy.typing import NDArray

from gnn.tensors import Floats, Ints

EXACT_BELOW = 3000


def mutual_neighbours(vectors: NDArray[np.float32], count: int) -> tuple[Ints, Ints, Floats]:
    """Pairs of vectors that are each among the other's nearest, by cosine.

    Args:
        count: how many nearest neighbours of each are looked at.

    Shapes: vectors (n, d) unit -> source (e,), target (e,) with source < target, weight (e,) in
    (0, 1], sorted.
    """
    n = len(vectors)
    near = nearest(vectors, vectors, min(count + 1, n)) if n > 1 else np.zeros((n, 0), np.int64)
    source = np.repeat(np.arange(n), near.shape[1])
    target = near.reshape(-1)
    apart = (source != target) & (target >= 0)
    low, high = np.minimum(source, target)[apart], np.maximum(source, target)[apart]
    pair, seen = np.unique(low * n + high, return_counts=True)
    pair = pair[seen > 1]
    low, high = pair // max(n, 1), pair % max(n, 1)
    weight = np.einsum("nd,nd->n", vectors[low], vectors[high]).astype(float)
    positive = weight > 1e-6
    return low[positive], high[positive], weight[positive]


def nearest(
    among: NDArray[np.float32], vectors: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """The nearest of some vectors, for each vector, by cosine; exact where they are few.

    Shapes: among (n, d), vectors (m, d), all unit -> (m, count) places in `among`.
    Source: HNSW, Malkov and Yashunin 2018, arXiv:1603.09320 (usearch).
    """
    if len(among) <= EXACT_BELOW and len(vectors) <= EXACT_BELOW:
        likeness = vectors @ among.T
        return np.asarray(np.argsort(-likeness, axis=1, kind="stable")[:, :count], np.int64)
    from usearch.index import Index

    index = Index(ndim=among.shape[1], metric="cos", dtype="f32", connectivity=16)
    # One thread: the index depends on the order in which vectors arrive.
    index.add(np.arange(len(among)), among, threads=1)
    found = index.search(vectors, count, threads=1)
    return np.asarray(found.keys, dtype=np.int64).reshape(len(vectors), -1)
