"""Wilson intervals agree with published examples, SciPy and statsmodels, and cover the truth."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from benchmarks.coverage import cover_rate
from pytest_ultra.analysis.intervals import measure_rate

# R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998),
# table I, method 3 (score, without continuity correction).
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("successes", "n", "low", "high"), NEWCOMBE)
def test_wilson_intervals_agree_with_newcombe(successes: int, n: int, low: float, high: float) -> None:
    rate = measure_rate(successes, n)
    assert rate is not None
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)


def test_none_and_all_give_exact_bounds() -> None:
    for n in range(1, 500):
        none, every = measure_rate(0, n), measure_rate(n, n)
        assert none is not None
        assert every is not None
        assert (none.low, every.high) == (0.0, 1.0)
        assert none.high == pytest.approx(1 - every.low)


def test_nothing_measured_is_no_rate() -> None:
    assert measure_rate(0, 0) is None


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_intervals_agree_with_scipy_and_statsmodels(measured: tuple[int, int]) -> None:
    successes, n = measured
    rate = measure_rate(successes, n)
    assert rate is not None
    scipys = binomtest(successes, n).proportion_ci(method="wilson")
    assert (rate.low, rate.high) == pytest.approx((scipys.low, scipys.high), abs=1e-9)
    assert (rate.low, rate.high) == pytest.approx(proportion_confint(successes, n, method="wilson"), abs=1e-9)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1


@pytest.mark.parametrize("n", [5, 10, 20, 100])
def test_wilson_intervals_cover_the_truth(n: int) -> None:
    """Over rates from 0.01 to 0.99, exactly: 95 % on average, and never below what Brown, Cai and DasGupta found."""
    covered = [cover_rate(n, percent / 100) for percent in range(1, 100)]
    assert fmean(covered) == pytest.approx(0.95, abs=0.006)
    assert min(covered) > 0.85
