"""How good a partition is."""

import numpy as np

from kg.store.communities import canonical_edges


def modularity(
    groups: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    resolution: float = 1.0,
) -> float:
    """Weighted modularity: groups (n,), the rest (m,)."""
    low, high, w = canonical_edges(source, target, weight)
    total = w.sum()
    strength = np.bincount(low, w, len(groups)) + np.bincount(high, w, len(groups))
    inside = w[groups[low] == groups[high]].sum() / total
    expected = (np.bincount(groups, strength) ** 2).sum() / (2 * total) ** 2
    return float(inside - resolution * expected)
