"""McNemar's test, its correction and its power agree with SciPy, statsmodels and published examples."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, multinomial, norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from pytest_ultra.analysis.mcnemar import adjust_holm, detectable_difference, pairs_needed, power_of_test
from pytest_ultra.analysis.score_interval import score_statistic

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


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


def score_p(won: int, lost: int) -> float:
    return float(mcnemar([[0, won], [lost, 0]], exact=False, correction=False).pvalue)


@pytest.mark.parametrize(("pairs", "won", "lost"), [(8, 0.1, 0.7), (12, 0.2, 0.6), (15, 0.0, 0.5), (9, 0.25, 0.25)])
def test_the_power_is_that_of_all_outcomes_that_statsmodels_rejects(pairs: int, won: float, lost: float) -> None:
    power = 0.0
    for w in range(pairs + 1):
        for x in range(pairs + 1 - w):
            if w + x and score_p(w, x) <= 0.05:
                power += multinomial.pmf([w, x, pairs - w - x], pairs, [won, lost, 1 - won - lost])
    assert power_of_test(pairs, lost - won, lost + won) == pytest.approx(power, abs=1e-9)


@given(st.integers(1, 3000), st.floats(0.001, 1), st.floats(0.001, 1), st.sampled_from([0.05, 0.05 / 7, 0.001]))
def test_the_power_agrees_with_scipys_distribution(pairs: int, difference: float, share: float, level: float) -> None:
    discordant = max(difference, share)
    k = np.arange(1, pairs + 1)
    rarer = np.floor((k - norm.isf(level / 2) * np.sqrt(k)) / 2)
    lost = (1 + difference / discordant) / 2
    rejects = binom.cdf(rarer, k, lost) + binom.cdf(rarer, k, 1 - lost)
    power = float(binom.pmf(k, pairs, discordant) @ rejects)
    assert power_of_test(pairs, difference, discordant, level) == pytest.approx(power, abs=1e-9)


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
    found = detectable_difference(math.ceil(connor(difference, discordant)), discordant)
    assert found == pytest.approx(difference, rel=0.11)


@pytest.mark.parametrize(("difference", "discordant"), [(0.1, 0.3), (-0.2, 0.2), (0.15, 0.5)])
def test_the_pairs_needed_agree_with_connors_formula(difference: float, discordant: float) -> None:
    assert pairs_needed(difference, discordant) == pytest.approx(connor(abs(difference), discordant), rel=1e-9)


def test_no_number_of_pairs_tells_a_difference_from_itself() -> None:
    assert pairs_needed(-0.2, 0.3, limit=-0.2) is None
    near, far = (pairs_needed(-0.2, 0.3, limit=limit) or 0.0 for limit in (-0.15, 0.1))
    assert near > 10 * far


@pytest.mark.parametrize(("loss", "limit"), [(0.4, 0.2), (0.05, 0.2), (0.1, 0.0)])
def test_the_pairs_needed_decide_a_gate_four_times_out_of_five(loss: float, limit: float) -> None:
    needed = pairs_needed(-loss, loss + 0.1, limit=-limit, level=0.05)
    assert needed is not None
    chances = [0.05, loss + 0.05, 0.9 - loss]
    drawn = np.random.default_rng(5).multinomial(math.ceil(needed), chances, size=2000).tolist()
    z = norm.isf(0.05)
    statistics = [score_statistic(w, x, math.ceil(needed), -limit) for w, x, _ in drawn]
    decided = [s <= -z if loss > limit else s >= z for s in statistics]
    assert np.mean(decided) == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(("pairs", "discordant"), [(6, 0.0), (6, 0.5), (10, 0.2), (20, 0.1), (100, 0.3), (1000, 0.02)])
def test_the_detectable_difference_is_found_with_80_percent_power(pairs: int, discordant: float) -> None:
    found = detectable_difference(pairs, discordant)
    assert found is not None
    assert power_of_test(pairs, found, max(found, discordant)) == pytest.approx(0.8, abs=1e-4)


def test_a_simulated_test_finds_the_detectable_difference_with_80_percent_power() -> None:
    found = detectable_difference(40, 0.4)
    assert found is not None
    lost = (0.4 + found) / 2
    drawn = np.random.default_rng(5).multinomial(40, [0.4 - lost, lost, 0.6], size=2000)
    assert np.mean([w != x and score_p(w, x) <= 0.05 for w, x, _ in drawn.tolist()]) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("pairs", range(4))
def test_fewer_than_four_pairs_detect_nothing(pairs: int) -> None:
    assert detectable_difference(pairs, 0.5) is None


def test_a_stricter_level_detects_less() -> None:
    """As of a family of seven tests, of which the smallest p must be at most 0.05 / 7."""
    alone, of_seven = (detectable_difference(30, 0.3, level) or 1.0 for level in (0.05, 0.05 / 7))
    assert alone < of_seven < 1
    assert power_of_test(30, of_seven, max(of_seven, 0.3), 0.05 / 7) == pytest.approx(0.8, abs=1e-4)
    assert detectable_difference(6, 0.3, 0.05 / 7) is None


def test_more_pairs_detect_smaller_differences() -> None:
    found = [detectable_difference(pairs, 0.3) or 1.0 for pairs in (6, 10, 20, 40, 80, 160, 320)]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)
