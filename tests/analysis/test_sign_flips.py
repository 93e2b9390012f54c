"""The sign-flip test agrees with the enumeration of all flips, and its bounds with the test."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, permutation_test

from pytest_ultra.analysis.clusters import Cluster
from pytest_ultra.analysis.sign_flips import MOST_EXACT, SignFlips
from tests.independent_statistics import flips_below


def make_cluster(sizes: tuple[int, int, int]) -> Cluster:
    won, lost, alike = sizes
    return Cluster(won + lost + alike, won, lost)


CLUSTERS = st.lists(st.tuples(*[st.integers(0, 4)] * 3).filter(any).map(make_cluster), min_size=1, max_size=9)
DIFFERENCES = st.fractions(-1, 1, max_denominator=12).map(float)


def gains_of(clusters: list[Cluster]) -> list[list[int]]:
    return [[1] * c.won + [-1] * c.lost + [0] * (c.pairs - c.won - c.lost) for c in clusters]


def mirror(clusters: list[Cluster]) -> list[Cluster]:
    return [Cluster(c.pairs, c.lost, c.won) for c in clusters]


@settings(deadline=None)
@given(CLUSTERS, DIFFERENCES)
def test_p_is_the_share_of_flips_with_a_sum_no_larger(clusters: list[Cluster], difference: float) -> None:
    flips = SignFlips(clusters)
    assert flips.p_below(difference) == pytest.approx(flips_below(gains_of(clusters), difference), abs=1e-12)
    assert flips.p_above(difference) == pytest.approx(flips_below(gains_of(mirror(clusters)), -difference), abs=1e-12)


def test_p_of_no_difference_agrees_with_scipys_permutation_test() -> None:
    clusters = [
        Cluster(4, 1, 3),
        Cluster(4, 0, 2),
        Cluster(3, 1, 1),
        Cluster(4, 0, 4),
        Cluster(4, 2, 1),
        Cluster(2, 0, 1),
    ]
    found = permutation_test(
        ([c.gain for c in clusters],), np.sum, permutation_type="samples", alternative="less", n_resamples=10_000
    )
    assert SignFlips(clusters).p_below(0) == pytest.approx(found.pvalue, abs=1e-12)


@pytest.mark.parametrize(("won", "lost", "alike"), [(1, 7, 2), (0, 5, 0), (3, 3, 4)])
def test_with_one_pair_a_task_it_is_mcnemars_exact_test(won: int, lost: int, alike: int) -> None:
    clusters = [Cluster(1, 1, 0)] * won + [Cluster(1, 0, 1)] * lost + [Cluster(1, 0, 0)] * alike
    assert SignFlips(clusters).p_below(0) == pytest.approx(binom.cdf(won, won + lost, 0.5), abs=1e-12)


@settings(deadline=None)
@given(CLUSTERS, st.sampled_from([0.05, 0.025, 0.01]))
def test_a_difference_beyond_a_bound_is_rejected_and_one_within_is_not(clusters: list[Cluster], level: float) -> None:
    flips = SignFlips(clusters)
    low, high = flips.bounds(level)
    if 0.5 ** len(clusters) > level:
        assert (low, high) == (-1, 1)
    else:
        assert flips.p_below(high) > level >= flips.p_below(high + 1e-9)
        assert flips.p_above(low) > level >= flips.p_above(low - 1e-9)


def draw_clusters(tasks: int, seed: int) -> list[Cluster]:
    chance = random.Random(seed)
    return [make_cluster((chance.randint(0, 2), chance.randint(0, 4), chance.randint(1, 4))) for _ in range(tasks)]


def test_a_sample_of_the_sets_is_close_to_all_of_them() -> None:
    """One more task than are enumerated, against the exact distribution of all flips by a sum over tasks."""
    clusters = draw_clusters(MOST_EXACT + 1, seed=2)
    chances = {0: 1.0}
    for cluster in clusters:
        flipped: dict[int, float] = {}
        for total, chance in chances.items():
            for gain in (cluster.gain, -cluster.gain):
                flipped[total + gain] = flipped.get(total + gain, 0) + chance / 2
        chances = flipped
    observed = sum(c.gain for c in clusters)
    exact = sum(chance for total, chance in chances.items() if total <= observed)
    assert 0.001 < exact < 0.1
    assert SignFlips(clusters).p_below(0) == pytest.approx(exact, abs=0.004)


@pytest.mark.parametrize("tasks", [8, 40])
def test_swapped_sides_and_another_order_give_the_same_figures(tasks: int) -> None:
    clusters = draw_clusters(tasks, seed=3)
    there, back, shuffled = SignFlips(clusters), SignFlips(mirror(clusters)), SignFlips(clusters[::-1])
    low, high = there.bounds(0.025)
    assert back.bounds(0.025) == (-high, -low)
    assert shuffled.bounds(0.025) == (low, high)
    assert back.p_above(0.1) == there.p_below(-0.1) == shuffled.p_below(-0.1)
