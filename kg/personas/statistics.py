"""What a claim's numbers say: one pure function from four counts to value, interval and test.

Every outcome is one yes or no per person, so resampling people is drawing from a binomial and
nothing here needs the people themselves: whoever has the four counts gets the same numbers.
All functions take arrays, so that a scan of every persona and subject costs one call.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

CONFIDENCE = 0.95
MAX_Q = 0.05
MIN_PEOPLE = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """People in four boxes.

    Args:
        n1: holders of the persona that the question applies to.
        k1: those of them with the outcome.
        n0: everyone else that the question applies to (0: the claim compares with nobody).
        k0: those of them with the outcome.
    """

    n1: int
    k1: int
    n0: int
    k0: int


@dataclass(frozen=True)
class Measured:
    """What the counts say; shares are 0 to 1. `q` is not here: it needs its whole family."""

    value: float
    low: float
    high: float
    reference_value: float | None
    direction: str


def measured(counts: Counts) -> Measured:
    """The share among holders with its interval, and whether that is more or less than elsewhere.

    Raises:
        ValueError: there are no holders, or more with the outcome than there are.
    """
    if not (0 <= counts.k1 <= counts.n1 and 0 <= counts.k0 <= counts.n0 and counts.n1 > 0):
        raise ValueError(f"impossible counts: {counts}")
    low, high = wilson(counts.k1, counts.n1)
    value = counts.k1 / counts.n1
    reference = counts.k0 / counts.n0 if counts.n0 else None
    # Compared as integers: two shares that are equal must not differ by rounding.
    less = counts.n0 > 0 and counts.k1 * counts.n0 < counts.k0 * counts.n1
    return Measured(value, float(low), float(high), reference, "less" if less else "more")


def wilson(with_outcome: ArrayLike, people: ArrayLike) -> tuple[Floats, Floats]:
    """The interval of a share that keeps its coverage near 0 and 1.

    Shapes: with_outcome (n,), people (n,) -> low (n,), high (n,). No people: 0 to 1.
    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953; equal to
        `scipy.stats.binomtest(k, n).proportion_ci(method="wilson")`, but for many at once.
    """
    k, n = np.asarray(with_outcome, np.float64), np.asarray(people, np.float64)
    z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))
    safe = np.maximum(n, 1)
    share = k / safe
    centre = (share + z * z / (2 * safe)) / (1 + z * z / safe)
    half = z / (1 + z * z / safe) * np.sqrt(share * (1 - share) / safe + (z / (2 * safe)) ** 2)
    low = np.where((n == 0) | (k == 0), 0.0, np.clip(centre - half, 0, 1))
    high = np.where((n == 0) | (k == n), 1.0, np.clip(centre + half, 0, 1))
    return low, high


def difference(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> tuple[Floats, Floats]:
    """The interval of the difference of two shares, holders minus everyone else.

    Shapes: four (n,) -> low (n,), high (n,), both -1 to 1.
    Source: Newcombe 1998, Statistics in Medicine 17:873-890, method 10
    """
    (l1, u1), (l0, u0) = wilson(k1, n1), wilson(k0, n0)
    p1 = np.asarray(k1, np.float64) / np.maximum(n1, 1)
    p0 = np.asarray(k0, np.float64) / np.maximum(n0, 1)
    low = p1 - p0 - np.sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2)
    high = p1 - p0 + np.sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2)
    return low, high


def effect(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> Floats:
    """How much two shares differ at least: the end of the interval nearer to zero, or zero.

    Shapes: four (n,) -> (n,), -1 to 1; 0 where the interval holds 0.
    """
    low, high = difference(n1, k1, n0, k0)
    return np.where(low > 0, low, np.where(high < 0, high, 0.0))


def p_value(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> Floats:
    """How often two equal shares would differ this much by chance, two-sided.

    The 'N - 1' chi-squared test where every expected count is 1 or more, else Fisher-Irwin.

    Shapes: four (n,) -> (n,), 0 to 1; 1 where one side has no people or all agree.
    Source: Campbell 2007, doi:10.1002/sim.2832
    """
    table = [np.asarray(x, np.float64) for x in (n1, k1, n0, k0)]
    a, b, c, d = table[1], table[0] - table[1], table[3], table[2] - table[3]
    total, done, undone = a + b + c + d, a + c, b + d
    margins = (a + b) * (c + d) * done * undone
    safe = np.where(margins > 0, margins, 1.0)
    chi = np.where(margins > 0, (a * d - b * c) ** 2 * (total - 1) / safe, 0.0)
    p = np.atleast_1d(np.asarray(stats.chi2.sf(chi, 1), np.float64)).copy()
    least = np.minimum(a + b, c + d) * np.minimum(done, undone) / np.maximum(total, 1)
    rare = np.atleast_1d((least < 1) & (margins > 0))
    boxes = np.stack([np.atleast_1d(x) for x in (a, b, c, d)], axis=-1).astype(np.int64)
    for place in np.flatnonzero(rare):
        p[place] = stats.fisher_exact(boxes[place].reshape(2, 2)).pvalue
    return p.reshape(np.shape(a))


def q_value(p: ArrayLike) -> Floats:
    """The share of false discoveries accepted with each test of a family.

    Shapes: p (n,) -> (n,). The family is every pair of persona and subject that a tested kind
    could have stated at its floor, stated or not.
    Source: Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    values = np.asarray(p, np.float64)
    if values.size == 0:
        return values
    return np.asarray(stats.false_discovery_control(values, method="bh"), np.float64)
