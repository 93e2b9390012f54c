"""McNemar's test, its correction and its power agree with SciPy, statsmodels and published examples."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial, norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from pytest_ultra.analysis.mcnemar import adjust_holm, detectable_difference, exact_p_value, exact_test_power

COUNTS = st.integers(0, 400)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(COUNTS, COUNTS)
def test_p_agrees_with_scipys_binomial_test(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert exact_p_value(won, lost) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_p_agrees_with_statsmodels_for_any_number_of_concordant_pairs(won: int, lost: int, alike: int) -> None:
    if won + lost:
        assert exact_p_value(won, lost) == pytest.approx(mcnemar([[alike, won], [lost, 3]]).pvalue, abs=1e-9)


def test_p_agrees_with_a_published_example() -> None:
    """M. W. Fagerland, S. Lydersen and P. Laake, BMC Medical Research Methodology 13:91 (2013): 1 and 7 of 21 pairs."""
    assert exact_p_value(1, 7) == pytest.approx(0.0703125, abs=1e-9)


@pytest.fixture(scope="module")
def _frozen_heap() -> Iterator[None]:
    """Leave what exists out of the garbage collection that statsmodels starts at each call."""
    gc.freeze()
    yield
    gc.unfreeze()


@settings(max_examples=30, deadline=None)  # the first call imports half of statsmodels
@pytest.mark.usefixtures("_frozen_heap")
@given(P_VALUES)
def test_the_correction_agrees_with_statsmodels(p_values: list[float]) -> None:
    assert adjust_holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)


@given(P_VALUES)
def test_a_corrected_p_is_no_smaller_and_keeps_its_rank(p_values: list[float]) -> None:
    corrected = adjust_holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    ranks = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[i] for i in ranks] == sorted(corrected)


def test_no_tests_need_no_correction() -> None:
    assert adjust_holm([]) == ()


@pytest.mark.parametrize(("pairs", "won", "lost"), [(8, 0.1, 0.7), (12, 0.2, 0.6), (15, 0.0, 0.5), (9, 0.25, 0.25)])
def test_the_power_is_that_of_all_outcomes_that_statsmodels_rejects(pairs: int, won: float, lost: float) -> None:
    power = 0.0
    for w in range(pairs + 1):
        for x in range(pairs + 1 - w):
            if w + x and mcnemar([[0, w], [x, 0]]).pvalue <= 0.05:
                power += multinomial.pmf([w, x, pairs - w - x], pairs, [won, lost, 1 - won - lost])
    assert exact_test_power(pairs, lost - won, lost + won) == pytest.approx(power, abs=1e-9)


def connor(difference: float, discordant: float) -> float:
    """R. J. Connor, Sample size for testing differences in proportions for the paired-sample design, Biometrics 43."""
    a, b = norm.ppf(0.975) * math.sqrt(discordant), norm.ppf(0.8) * math.sqrt(discordant - difference**2)
    return float((a + b) / difference) ** 2


def test_connors_formula_agrees_with_a_published_example() -> None:
    """The example of powerandsamplesize.com: chances of 0.45 and 0.05 to differ either way, 23 pairs."""
    assert math.ceil(connor(0.4, 0.5)) == 23


@pytest.mark.parametrize(("difference", "discordant"), [(0.1, 0.3), (0.05, 0.1), (0.2, 0.2), (0.15, 0.5)])
def test_the_detectable_difference_agrees_with_connors_formula_for_many_pairs(
    difference: float, discordant: float
) -> None:
    """The exact test is a little less powerful than the normal approximation of Connor's formula."""
    found = detectable_difference(math.ceil(connor(difference, discordant)), discordant)
    assert found is not None
    assert difference < found < 1.09 * difference


@pytest.mark.parametrize(("pairs", "discordant"), [(6, 0.0), (6, 0.5), (10, 0.2), (20, 0.1), (100, 0.3), (1000, 0.02)])
def test_the_detectable_difference_is_found_with_80_percent_power(pairs: int, discordant: float) -> None:
    found = detectable_difference(pairs, discordant)
    assert found is not None
    assert exact_test_power(pairs, found, max(found, discordant)) == pytest.approx(0.8, abs=1e-4)


def test_a_simulated_test_finds_the_detectable_difference_with_80_percent_power() -> None:
    found = detectable_difference(40, 0.4)
    assert found is not None
    lost = (0.4 + found) / 2
    drawn = np.random.default_rng(5).multinomial(40, [0.4 - lost, lost, 0.6], size=4000)
    assert np.mean([exact_p_value(w, x) <= 0.05 for w, x, _ in drawn.tolist()]) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("pairs", range(6))
def test_fewer_than_six_pairs_detect_nothing(pairs: int) -> None:
    assert detectable_difference(pairs, 0.5) is None


def test_more_pairs_detect_smaller_differences() -> None:
    found = [detectable_difference(pairs, 0.3) or 1.0 for pairs in (6, 10, 20, 40, 80, 160, 320)]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)
