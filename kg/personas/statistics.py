"""What a claim's numbers say: pure functions from counts per stratum to value, interval and test.

scipy is imported where it is needed: that takes seconds, for which who only looks at personas
would wait.

Every outcome is one yes or no per person, so resampling people is drawing from a binomial and
nothing here needs the people themselves: whoever has the counts gets the same numbers.

Holders are more active than others, and who does more does more of everything. So counts come in
strata of activity, and holders are compared with others *as active as they are*: `standardise`.
All functions take arrays whose last axis is the strata, so that a scan of every persona and
subject costs one call.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
MAX_Q = 0.05
MIN_PEOPLE = 20

"""Of fewer people, but some, nothing is said."""

LEAST_OTHERS = 10
"""A stratum with fewer others has no rate to compare with; it is left out of both sides."""

LEAST_COMPARED = 0.5
"""The share of the holders in strata that can be compared, below which nothing is said."""

LEAST_EXPECTED = 5.0
"""Nearer than this to the fewest or the most there could be, chi-squared is replaced by counting
(Mantel and Fleiss 1980, American Journal of Epidemiology 112:129-134)."""

Floats = NDArray[np.float64]


def unless_few(people: int) -> int | None:
    """How many people, where that may be told: nobody, or `MIN_PEOPLE` at least; None: too few."""
    return None if 0 < people < MIN_PEOPLE else people


@dataclass(frozen=True)
class Counts:
    """People in four boxes, each per stratum of activity (tuples of one length).

    Args:
        n1: holders of the persona that the question applies to.
        k1: those of them with the outcome.
        n0: everyone else that the question applies to (all 0: the claim compares with nobody).
        k0: those of them with the outcome.
    """

    n1: tuple[int, ...]
    k1: tuple[int, ...]
    n0: tuple[int, ...]
    k0: tuple[int, ...]

    @property
    def boxes(self) -> tuple[tuple[int, ...], ...]:
        """n1, k1, n0, k0."""
        return self.n1, self.k1, self.n0, self.k0

    @property
    def compares(self) -> bool:
        """Whether there is anybody to compare with."""
        return sum(self.n0) > 0


@dataclass(frozen=True)
class Standardised:
    """Holders against others of the same activity; one number (or array) of each.

    Attributes:
        n1: holders in the strata that can be compared; `k1` of them have the outcome.
        n0: others in those strata; `k0` of them have the outcome.
        value: k1 / n1.
        reference: the others' share, each stratum weighted by the holders in it.
        low: and `high`: of the reference, 95 %.
        compared: the share of all holders that `n1` is.
    """

    n1: Floats
    k1: Floats
    n0: Floats
    k0: Floats
    value: Floats
    reference: Floats
    low: Floats
    high: Floats
    compared: Floats


@dataclass(frozen=True)
class Measured:
    """What the counts say; shares are 0 to 1. `q` is not here: it needs its whole family.

    Attributes:
        people: holders that the value rests on.
        doing: those of them with the outcome.
        others: people that the reference rests on.
        compared: the share of all holders that `people` is.
    """

    value: float
    low: float
    high: float
    reference_value: float | None
    direction: str
    people: int
    doing: int
    others: int
    compared: float


def measured(counts: Counts) -> Measured:
    """The share among holders with its interval, and whether equally active others do it less.

    Raises:
        ValueError: there are no holders, or none in a stratum that can be compared; there are more
            with the outcome than people; the boxes differ in length.
    """
    n1, k1, n0, k0 = (np.asarray(box, np.int64) for box in counts.boxes)
    if not n1.shape == k1.shape == n0.shape == k0.shape:
        raise ValueError(f"impossible counts: {counts}")
    if not (k1 >= 0).all() or (k1 > n1).any() or not (k0 >= 0).all() or (k0 > n0).any():
        raise ValueError(f"impossible counts: {counts}")
    found = standardise(n1, k1, n0, k0)
    if not found.n1 > 0:
        raise ValueError(f"no holders, or nobody to compare them with: {counts}")
    low, high = wilson(found.k1, found.n1)
    # Two shares that are equal must not differ by rounding.
    less = counts.compares and bool(found.value < found.reference - 1e-12)
    return Measured(
        value=float(found.value),
        low=float(low),
        high=float(high),
        reference_value=float(found.reference) if counts.compares else None,
        direction="less" if less else "more",
        people=int(found.n1),
        doing=int(found.k1),
        others=int(found.n0),
        compared=float(found.compared),
    )


def comparable(n1: ArrayLike, n0: ArrayLike) -> NDArray[np.bool_]:
    """The strata with holders, and with others enough to know their rate.

    Shapes: n1 (..., s), n0 (..., s) -> (..., s) bool. Without any others at all: all with holders.
    """
    holders, others = np.asarray(n1), np.asarray(n0)
    nobody = others.sum(axis=-1, keepdims=True) == 0
    known: NDArray[np.bool_] = (others >= LEAST_OTHERS) | nobody
    return known & (holders > 0)


def standardise(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> Standardised:
    """The share of holders, and what it would be if they were others of the same activity.

    value = sum k1 / sum n1; reference = sum n1 * (k0 / n0) / sum n1, over the comparable strata.

    Shapes: four (..., s) -> numbers of shape (...,); 0 where no stratum can be compared.
    Source: direct standardisation; the reference's interval from those of its strata: Zou and
        Donner 2008, doi:10.1002/sim.3095; Yan and Su 2010, doi:10.1198/sbr.2009.0049.
    """
    kept = comparable(n1, n0)
    every = np.asarray(n1, np.float64).sum(axis=-1)
    a1, b1, a0, b0 = (np.where(kept, np.asarray(x, np.float64), 0.0) for x in (n1, k1, n0, k0))
    people = a1.sum(axis=-1)
    weight = a1 / np.maximum(people, 1)[..., None]
    rate = b0 / np.maximum(a0, 1)
    low, high = wilson(b0, a0)
    reference = (weight * rate).sum(axis=-1)
    return Standardised(
        n1=people,
        k1=b1.sum(axis=-1),
        n0=a0.sum(axis=-1),
        k0=b0.sum(axis=-1),
        value=b1.sum(axis=-1) / np.maximum(people, 1),
        reference=reference,
        low=reference - np.sqrt(((weight * (rate - low)) ** 2).sum(axis=-1)),
        high=reference + np.sqrt(((weight * (high - rate)) ** 2).sum(axis=-1)),
        compared=people / np.maximum(every, 1),
    )


def wilson(with_outcome: ArrayLike, people: ArrayLike) -> tuple[Floats, Floats]:
    """The interval of a share that keeps its coverage near 0 and 1.

    Shapes: with_outcome (...,), people (...,) -> low, high of the same. No people: 0 to 1.
    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953; equal to
        `scipy.stats.binomtest(k, n).proportion_ci(method="wilson")`, but for many at once.
    """
    k, n = np.asarray(with_outcome, np.float64), np.asarray(people, np.float64)
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    safe = np.maximum(n, 1)
    share = k / safe
    centre = (share + z * z / (2 * safe)) / (1 + z * z / safe)
    half = z / (1 + z * z / safe) * np.sqrt(share * (1 - share) / safe + (z / (2 * safe)) ** 2)
    low = np.where((n == 0) | (k == 0), 0.0, np.clip(centre - half, 0, 1))
    high = np.where((n == 0) | (k == n), 1.0, np.clip(centre + half, 0, 1))
    return low, high


def difference(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> tuple[Floats, Floats]:
    """The interval of value minus reference: holders against equally active others.

    Shapes: four (..., s) -> low (...,), high (...,), both -1 to 1.
    Source: Newcombe 1998, Statistics in Medicine 17:873-890, method 10, which it is for one
        stratum; for several Zou and Donner 2008, doi:10.1002/sim.3095.
    """
    found = standardise(n1, k1, n0, k0)
    low1, high1 = wilson(found.k1, found.n1)
    apart = found.value - found.reference
    down = (found.value - low1) ** 2 + (found.high - found.reference) ** 2
    up = (high1 - found.value) ** 2 + (found.reference - found.low) ** 2
    return apart - np.sqrt(down), apart + np.sqrt(up)


def effect(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> Floats:
    """How much value and reference differ at least: the end of the interval nearer to zero.

    Shapes: four (..., s) -> (...,), -1 to 1; 0 where the interval holds 0.
    """
    low, high = difference(n1, k1, n0, k0)
    return np.where(low > 0, low, np.where(high < 0, high, 0.0))


def distinctiveness(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> Floats:
    """How much the claim tells a holder from an equally active other, at least; in bits.

    The divergence of two shares that are `effect` apart, so that difference and lift both count:
    30 % against 10 % tells more than 60 % against 40 %, and 3 % against 1 % less than either.

    Shapes: four (..., s) -> (...,), 0 or more; 0 where the direction is in doubt.
    Source: Kullback and Leibler 1951, doi:10.1214/aoms/1177729694
    """
    found = standardise(n1, k1, n0, k0)
    # Half a person more: nobody among the others is not certainty.
    base = (found.reference * found.n0 + 0.5) / (found.n0 + 1)
    share = np.clip(base + effect(n1, k1, n0, k0), 0, 1)
    return np.asarray((_kl(share, base) + _kl(1 - share, 1 - base)) / np.log(2), np.float64)


def _kl(share: Floats, base: Floats) -> Floats:
    positive = np.where(share > 0, share, 1.0)
    return np.where(share > 0, share * np.log(positive / base), 0.0)


def p_value(n1: ArrayLike, k1: ArrayLike, n0: ArrayLike, k0: ArrayLike) -> Floats:
    """How often the strata would differ this much by chance if no rate in any of them did.

    Cochran-Mantel-Haenszel over the comparable strata, two-sided, without correction for
    continuity; for one stratum the 'N - 1' chi-squared test. Where the total lies too near the
    fewest or the most there could be, the exact conditional test.

    Shapes: four (..., s) -> (...,), 0 to 1; 1 where nothing can differ.
    Source: Cochran 1954, doi:10.2307/3001616; Mantel and Haenszel 1959, doi:10.1093/jnci/22.4.719;
        the exact test: Birch 1964, J. R. Statist. Soc. B 26:313-324
    """
    from scipy.special import chdtrc

    kept = comparable(n1, n0)
    a1, b1, a0, b0 = (np.where(kept, np.asarray(x, np.float64), 0.0) for x in (n1, k1, n0, k0))
    total, done = a1 + a0, b1 + b0
    expected = a1 * done / np.maximum(total, 1)
    spread = (
        a1 * a0 * done * (total - done) / (np.maximum(total, 1) ** 2 * np.maximum(total - 1, 1))
    )
    variance = spread.sum(axis=-1)
    apart = (b1 - expected).sum(axis=-1) ** 2
    chi = np.where(variance > 0, apart / np.where(variance > 0, variance, 1.0), 0.0)
    p = np.atleast_1d(np.asarray(chdtrc(1, chi), np.float64)).copy()
    below = (expected - np.maximum(0, done - a0)).sum(axis=-1)
    above = (np.minimum(done, a1) - expected).sum(axis=-1)
    rare = np.atleast_1d((np.minimum(below, above) < LEAST_EXPECTED) & (variance > 0))
    boxes = [np.reshape(x, (-1, x.shape[-1])).astype(np.int64) for x in (a1, b1, a0, b0)]
    for place in np.flatnonzero(rare):
        p[place] = _exact(*(box[place] for box in boxes))
    return p.reshape(variance.shape)


def _exact(n1: NDArray[np.int64], k1: NDArray[np.int64], n0: NDArray[np.int64],
           k0: NDArray[np.int64]) -> float:  # fmt: skip
    """The chance of a total of `k1` no likelier than this one, all margins given.

    Shapes: four (s,). One stratum: Fisher-Irwin.
    """
    from scipy import stats

    chance, fewest = np.ones(1), 0
    for a, b, c in zip(n1, n0, k1 + k0, strict=True):
        if a + b == 0:  # nobody to compare there, and scipy knows no such distribution
            continue
        low, high = max(0, c - b), min(c, a)
        each = stats.hypergeom.pmf(np.arange(low, high + 1), a + b, c, a)
        chance, fewest = np.convolve(chance, each), fewest + low
    here = chance[k1.sum() - fewest]
    # As scipy's own: equal chances must not differ by rounding.
    return float(min(chance[chance <= here * (1 + 1e-7)].sum(), 1.0))


def q_value(p: ArrayLike) -> Floats:
    """The share of false discoveries accepted with each test of a family.

    Shapes: p (n,) -> (n,). The family is every pair of persona and subject that a tested kind
    could have stated at its floor, stated or not.
    Source: Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    values = np.asarray(p, np.float64)
    if values.size == 0:
        return values
    from scipy import stats

    return np.asarray(stats.false_discovery_control(values, method="bh"), np.float64)
