"""How well a grouping agrees with the true one, from the counts of (true, found) pairs alone."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """How often each (true, found) pair occurs.

    Shapes:
        truth, found (p,): codes; count (p,): rows; true_names and found_names: what codes mean.
    """

    truth: Counts
    found: Counts
    count: Counts
    true_names: list[object]
    found_names: list[object]

    @property
    def true_sizes(self) -> Counts:
        """Rows of each true group."""
        return np.bincount(self.truth, self.count, len(self.true_names)).astype(np.int64)

    @property
    def found_sizes(self) -> Counts:
        """Rows of each found group."""
        return np.bincount(self.found, self.count, len(self.found_names)).astype(np.int64)


def pairs(truth: pa.ChunkedArray, found: pa.ChunkedArray) -> Pairs:
    """Count the pairs of two columns; a null is a group of its own ("none")."""
    true_code, true_names = _codes(truth)
    found_code, found_names = _codes(found)
    key = true_code * max(len(found_names), 1) + found_code
    distinct, count = np.unique(key, return_counts=True)
    return Pairs(
        distinct // max(len(found_names), 1), distinct % max(len(found_names), 1),
        count.astype(np.int64), true_names, found_names,
    )  # fmt: skip


def _codes(column: pa.ChunkedArray) -> tuple[Counts, list[object]]:
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


@dataclass(frozen=True)
class Agreement:
    """How well a grouping agrees with the true one.

    Args:
        precision, recall: B-cubed over rows (Bagga & Baldwin 1998).
        pair_precision, pair_recall: over pairs of rows.
        ari: adjusted Rand index (Hubert & Arabie 1985).
    """

    precision: float
    recall: float
    pair_precision: float
    pair_recall: float
    ari: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the B-cubed figures."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-12)


def agreement(counted: Pairs) -> Agreement:
    """Agreement of a grouping with the true one; 0 everywhere when there are no rows."""
    count, total = counted.count.astype(float), float(counted.count.sum())
    if not total:
        return Agreement(0, 0, 0, 0, 0)
    true_sizes, found_sizes = counted.true_sizes, counted.found_sizes
    square = count**2
    both, in_true, in_found = (
        float((size * (size - 1) / 2).sum())
        for size in (count, true_sizes.astype(float), found_sizes.astype(float))
    )
    chance = in_true * in_found / max(total * (total - 1) / 2, 1.0)
    most = (in_true + in_found) / 2
    return Agreement(
        precision=float((square / found_sizes[counted.found]).sum() / total),
        recall=float((square / true_sizes[counted.truth]).sum() / total),
        pair_precision=both / in_found if in_found else 1.0,
        pair_recall=both / in_true if in_true else 1.0,
        ari=(both - chance) / (most - chance) if most != chance else 1.0,
    )
