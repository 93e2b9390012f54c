"""Intervals against published worked examples."""

from __future__ import annotations

import pytest

from pytest_ultra.analysis.intervals import measure_rate

# R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998),
# table I, method 3 (score, without continuity correction).
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("successes", "n", "low", "high"), NEWCOMBE)
def test_wilson_intervals_agree_with_newcombe(successes: int, n: int, low: float, high: float) -> None:
    rate = measure_rate(successes, n)
    assert rate is not None
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)


def test_the_ends_of_the_scale_are_met_exactly() -> None:
    for n in range(1, 500):
        none, every = measure_rate(0, n), measure_rate(n, n)
        assert none is not None
        assert every is not None
        assert (none.low, every.high) == (0.0, 1.0)
        assert none.high == pytest.approx(1 - every.low)


def test_nothing_measured_is_no_rate() -> None:
    assert measure_rate(0, 0) is None
