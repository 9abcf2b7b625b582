"""Value, interval, test and q as pure functions of counts, against scipy and published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kg.personas.statistics import (
    Counts,
    difference,
    effect,
    measured,
    p_value,
    q_value,
    wilson,
)


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    n1, n0 = draw(st.integers(1, 3000)), draw(st.integers(1, 3000))
    return Counts(n1, draw(st.integers(0, n1)), n0, draw(st.integers(0, n0)))


@given(counts())
def test_the_interval_is_scipys_wilson_interval(found: Counts) -> None:
    right = stats.binomtest(found.k1, found.n1).proportion_ci(0.95, method="wilson")
    low, high = wilson(found.k1, found.n1)
    assert (float(low), float(high)) == pytest.approx((right.low, right.high), abs=1e-12)


@given(counts())
def test_the_value_lies_in_its_interval_and_the_direction_is_that_of_the_shares(
    found: Counts,
) -> None:
    result = measured(found)
    assert 0 <= result.low <= result.value <= result.high <= 1
    assert result.reference_value is not None
    if result.direction == "less":
        assert result.value < result.reference_value
    else:
        assert result.value >= result.reference_value


def test_equal_shares_of_different_crowds_are_not_less_by_rounding() -> None:
    assert measured(Counts(30, 3, 70, 7)).direction == "more"


def test_a_claim_that_compares_with_nobody_has_no_reference() -> None:
    assert measured(Counts(100, 20, 0, 0)).reference_value is None


@pytest.mark.parametrize(
    "wrong", [Counts(0, 0, 5, 1), Counts(5, 6, 5, 1), Counts(5, -1, 5, 1), Counts(5, 1, 5, 6)]
)
def test_impossible_counts_are_refused(wrong: Counts) -> None:
    with pytest.raises(ValueError, match="impossible counts"):
        measured(wrong)


@pytest.mark.parametrize(
    ("boxes", "published"),
    [
        ((70, 56, 80, 48), (0.0524, 0.3339)),
        ((10, 9, 10, 3), (0.1705, 0.8090)),
        ((10, 10, 10, 0), (0.6075, 1.0)),
    ],
)
def test_the_interval_of_the_difference_is_newcombes_published_one(
    boxes: tuple[int, int, int, int], published: tuple[float, float]
) -> None:
    low, high = difference(*boxes)
    assert (float(low), float(high)) == pytest.approx(published, abs=6e-5)


def test_the_effect_is_the_end_of_the_interval_nearer_to_zero() -> None:
    found = effect([70, 80, 20], [56, 48, 10], [80, 70, 20], [48, 56, 10])
    assert found == pytest.approx([0.0524, -0.0524, 0], abs=6e-5)


def test_the_p_value_is_the_n_minus_1_chi_squared_test() -> None:
    table = [[56, 14], [48, 32]]
    plain = stats.chi2_contingency(table, correction=False).statistic
    assert float(p_value(70, 56, 80, 48)) == pytest.approx(stats.chi2.sf(plain * 149 / 150, 1))


def test_where_fewer_than_one_is_expected_it_is_fishers_exact_test() -> None:
    right = stats.fisher_exact([[1, 19], [0, 4999]]).pvalue
    assert float(p_value(20, 1, 4999, 0)) == pytest.approx(right)


def test_p_values_of_many_tables_are_those_of_each() -> None:
    boxes = np.array([[70, 56, 80, 48], [20, 1, 4999, 0], [20, 20, 30, 30], [20, 0, 30, 0]])
    each = [float(p_value(*row)) for row in boxes]
    assert p_value(*boxes.T) == pytest.approx(each)
    assert each[2:] == [1, 1]


def test_a_family_without_any_difference_rarely_yields_a_discovery() -> None:
    rng = np.random.default_rng(0)
    families = 300
    discoveries = 0
    for _ in range(families):
        n1, n0 = rng.integers(20, 400, 60), rng.integers(20, 4000, 60)
        share = rng.uniform(0.05, 0.6, 60)
        q = q_value(p_value(n1, rng.binomial(n1, share), n0, rng.binomial(n0, share)))
        discoveries += bool((q <= 0.05).any())
    assert discoveries / families < 0.08  # 0.05 is promised; two standard errors above


def test_an_empty_family_has_no_q_values() -> None:
    assert q_value([]).size == 0
