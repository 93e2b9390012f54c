"""Tango's score interval agrees with published examples and with a numerical solution of the likelihood."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar

from pytest_ultra.analysis.score_interval import score_bound, score_statistic
from tests.independent_statistics import tango

Z = norm.ppf(0.975)
COUNTS = st.tuples(*[st.integers(0, 60)] * 3).filter(any)


def interval(won: float, lost: float, pairs: float, z: float = Z) -> tuple[float, float]:
    return score_bound(won, lost, pairs, z), score_bound(won, lost, pairs, -z)


def test_the_interval_agrees_with_a_published_example() -> None:
    """M. W. Fagerland, S. Lydersen and P. Laake, Statistics in Medicine 33 (2014): airways, 1 and 7 of 21 pairs."""
    assert interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)


@pytest.mark.parametrize("pairs", [1, 5, 20, 500])
def test_without_a_pair_that_differs_the_ends_are_those_of_wilsons_interval(pairs: int) -> None:
    """Then the statistic is that of a binomial test of the difference, and its square is pairs * d / (1 - d)."""
    end = Z**2 / (pairs + Z**2)
    assert interval(0, 0, pairs) == pytest.approx((-end, end), abs=1e-9)


@given(COUNTS)
def test_at_zero_it_is_mcnemars_statistic(counts: tuple[int, int, int]) -> None:
    won, lost, alike = counts
    if won + lost:
        expected = mcnemar([[alike, won], [lost, 0]], exact=False, correction=False).statistic
        assert score_statistic(won, lost, sum(counts), 0) ** 2 == pytest.approx(expected, abs=1e-9)


@given(COUNTS, st.floats(-0.99, 0.99), st.floats(0.1, 1))
def test_the_statistic_agrees_with_the_likelihoods_maximum(
    counts: tuple[int, int, int], difference: float, share: float
) -> None:
    """Also for counts that are divided by a design effect."""
    won, lost, pairs = share * counts[0], share * counts[1], share * sum(counts)
    expected = tango(won, lost, pairs, difference)
    assert score_statistic(won, lost, pairs, difference) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(COUNTS, st.floats(0.5, 3))
def test_the_ends_are_where_the_statistic_is_z(counts: tuple[int, int, int], z: float) -> None:
    won, lost, pairs = counts[0], counts[1], sum(counts)
    low, high = interval(won, lost, pairs, z)
    assert -1 <= low <= (won - lost) / pairs <= high <= 1
    for end, value in ((low, z), (high, -z)):
        if abs(end) < 1 - 1e-6:
            assert score_statistic(won, lost, pairs, end) == pytest.approx(value, abs=1e-5)


@given(COUNTS)
def test_winning_and_losing_are_mirrored(counts: tuple[int, int, int]) -> None:
    won, lost, pairs = counts[0], counts[1], sum(counts)
    low, high = interval(won, lost, pairs)
    assert interval(lost, won, pairs) == pytest.approx((-high, -low), abs=1e-9)


def test_all_pairs_lost_exclude_nothing_worse_and_zero_from_four_pairs_on() -> None:
    ends = {pairs: interval(0, pairs, pairs) for pairs in (3, 4, 5)}
    assert [low for low, _ in ends.values()] == [-1, -1, -1]
    assert ends[3][1] > 0 > ends[4][1] > ends[5][1]
    assert math.isclose(ends[5][1], -0.131035, abs_tol=1e-6)
