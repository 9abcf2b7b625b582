"""Value, interval, test and q as pure functions of counts, against scipy and published figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kg.personas.statistics import (
    LEAST_OTHERS,
    Counts,
    comparable,
    difference,
    distinctiveness,
    effect,
    measured,
    p_value,
    q_value,
    standardise,
    wilson,
)
from tests.kg.personas.test_sentences import flat


def columns(*boxes: ArrayLike) -> list[NDArray[np.int64]]:
    """Tables of one stratum each: four (n,) -> four (n, 1)."""
    return [np.asarray(box, np.int64)[:, None] for box in boxes]


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    n1, n0 = draw(st.integers(1, 3000)), draw(st.integers(LEAST_OTHERS, 3000))
    return flat(n1, draw(st.integers(0, n1)), n0, draw(st.integers(0, n0)))


@given(counts())
def test_the_interval_is_scipys_wilson_interval(found: Counts) -> None:
    right = stats.binomtest(found.k1[0], found.n1[0]).proportion_ci(0.95, method="wilson")
    low, high = wilson(found.k1[0], found.n1[0])
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
    assert measured(flat(30, 3, 70, 7)).direction == "more"


def test_a_claim_that_compares_with_nobody_has_no_reference() -> None:
    assert measured(flat(100, 20, 0, 0)).reference_value is None


@pytest.mark.parametrize(
    "wrong", [flat(0, 0, 5, 1), flat(5, 6, 5, 1), flat(5, -1, 5, 1), flat(5, 1, 5, 6)]
)
def test_impossible_counts_are_refused(wrong: Counts) -> None:
    with pytest.raises(ValueError, match=r"impossible counts|no holders"):
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
    low, high = difference(*([box] for box in boxes))
    assert (float(low), float(high)) == pytest.approx(published, abs=6e-5)


def test_the_effect_is_the_end_of_the_interval_nearer_to_zero() -> None:
    found = effect(*columns([70, 80, 20], [56, 48, 10], [80, 70, 20], [48, 56, 10]))
    assert found == pytest.approx([0.0524, -0.0524, 0], abs=6e-5)


def test_the_p_value_is_the_n_minus_1_chi_squared_test() -> None:
    table = [[56, 14], [48, 32]]
    plain = stats.chi2_contingency(table, correction=False).statistic
    assert float(p_value([70], [56], [80], [48])) == pytest.approx(
        stats.chi2.sf(plain * 149 / 150, 1)
    )


def test_where_fewer_than_one_is_expected_it_is_fishers_exact_test() -> None:
    right = stats.fisher_exact([[1, 19], [0, 4999]]).pvalue
    assert float(p_value([20], [1], [4999], [0])) == pytest.approx(right)


def test_a_stratum_that_compares_nobody_changes_no_p_value() -> None:
    plain = float(p_value([10], [9], [30], [28]))
    assert plain == pytest.approx(1.0)
    assert float(p_value([0, 10], [0, 9], [0, 30], [0, 28])) == pytest.approx(plain)
    assert float(p_value([10, 3], [9, 3], [30, 5], [28, 0])) == pytest.approx(plain)  # few others


def test_p_values_of_many_tables_are_those_of_each() -> None:
    boxes = np.array([[70, 56, 80, 48], [20, 1, 4999, 0], [20, 20, 30, 30], [20, 0, 30, 0]])
    each = [float(p_value(*([box] for box in row))) for row in boxes]
    assert p_value(*columns(*boxes.T)) == pytest.approx(each)
    assert each[2:] == [1, 1]


def test_a_family_without_any_difference_rarely_yields_a_discovery() -> None:
    rng = np.random.default_rng(0)
    families = 300
    discoveries = 0
    for _ in range(families):
        n1, n0 = rng.integers(20, 400, 60), rng.integers(20, 4000, 60)
        share = rng.uniform(0.05, 0.6, 60)
        drawn = columns(n1, rng.binomial(n1, share), n0, rng.binomial(n0, share))
        q = q_value(p_value(*drawn))
        discoveries += bool((q <= 0.05).any())
    assert discoveries / families < 0.08  # 0.05 is promised; two standard errors above


def test_an_empty_family_has_no_q_values() -> None:
    assert q_value([]).size == 0


# Stratum 0: 10 of 20 holders, 25 of 100 others; stratum 1: 20 of 80 holders, 2 of 20 others.
TWO = ([20, 80], [10, 20], [100, 20], [25, 2])


def test_the_reference_is_the_others_share_at_the_holders_activity() -> None:
    found = standardise(*TWO)
    assert float(found.value) == pytest.approx(30 / 100)
    # (20 * 25/100 + 80 * 2/20) / 100, worked out by hand
    assert float(found.reference) == pytest.approx(0.13)
    assert float(found.low) < 0.13 < float(found.high)
    result = measured(Counts(*(tuple(box) for box in TWO)))
    assert (result.direction, result.people, result.others) == ("more", 100, 120)


def test_the_test_across_strata_is_worked_out_by_hand() -> None:
    # 35 of 120 and 22 of 100 have it; expected of holders: 5.83 and 17.6; variances 3.47 and 2.77
    expected = 20 * 35 / 120 + 80 * 22 / 100
    variance = 20 * 100 * 35 * 85 / (120**2 * 119) + 80 * 20 * 22 * 78 / (100**2 * 99)
    right = stats.chi2.sf((30 - expected) ** 2 / variance, 1)
    assert (expected, variance) == pytest.approx((23.43333, 6.24556), abs=1e-5)
    boxes = [np.repeat(box, 3) for box in TWO]  # the same strata thrice: three times as sure
    thrice = stats.chi2.sf(3 * (30 - expected) ** 2 / variance, 1)
    assert float(p_value(*boxes)) == pytest.approx(thrice)
    assert float(p_value(*TWO)) == pytest.approx(right)


def test_the_published_tables_of_a_stratified_study_give_their_statistic() -> None:
    # Admissions to six departments of Berkeley, men and women (Bickel, Hammel and O'Connell 1975).
    men = ([825, 560, 325, 417, 191, 373], [512, 353, 120, 138, 53, 22])
    women = ([108, 25, 593, 375, 393, 341], [89, 17, 202, 131, 94, 24])
    assert float(p_value(*men, *women)) == pytest.approx(stats.chi2.sf(1.5246, 1), abs=1e-4)


def test_few_outcomes_are_tested_by_counting_every_table_with_the_same_margins() -> None:
    n1, k1, n0, k0 = [20, 20], [2, 1], [30, 40], [0, 0]
    # Of two and of one outcome all fall on holders: (20*19/(50*49)) * (20/60), and none is rarer.
    assert float(p_value(n1, k1, n0, k0)) == pytest.approx(20 * 19 / (50 * 49) * 20 / 60)


def test_activity_alone_sets_nobody_apart() -> None:
    """Each stratum alike, holders mostly in the busy one: the raw shares are 67 % and 13 %."""
    n1, k1, n0, k0 = [10, 90], [1, 66], [900, 100], [90, 73]
    assert effect([100], [67], [1000], [163]) > 0.4
    found = standardise(n1, k1, n0, k0)
    assert float(found.value) == pytest.approx(float(found.reference), abs=0.01)
    assert effect(n1, k1, n0, k0) == 0
    assert distinctiveness(n1, k1, n0, k0) == 0
    assert float(p_value(n1, k1, n0, k0)) > 0.5


def test_a_stratum_with_too_few_others_counts_on_neither_side() -> None:
    counts = Counts((30, 50), (12, 50), (100, LEAST_OTHERS - 1), (20, 0))
    assert list(comparable(counts.n1, counts.n0)) == [True, False]
    result = measured(counts)
    assert (result.value, result.reference_value) == (12 / 30, 20 / 100)
    assert (result.people, result.doing, result.others) == (30, 12, 100)
    assert result.compared == 30 / 80


def test_a_rare_difference_tells_more_than_a_common_one_of_the_same_size() -> None:
    boxes = columns([2000, 2000, 2000], [600, 1200, 60], [9000] * 3, [900, 3600, 90])
    told = distinctiveness(*boxes)
    assert told[0] > told[1] > told[2]


@given(counts())
def test_strata_that_are_all_alike_are_one_crowd(one: Counts) -> None:
    many = Counts(*(box * 3 for box in one.boxes))
    assert measured(many).value == pytest.approx(measured(one).value)
    assert measured(many).reference_value == pytest.approx(measured(one).reference_value)
