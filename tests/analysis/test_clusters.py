"""Pairs clustered by task, and their design effect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from pytest_ultra.analysis.clusters import Cluster, design_effect, group_by_task


def test_the_design_effect_agrees_with_statsmodels_clustered_variance() -> None:
    clusters = [Cluster(4, 1, 2), Cluster(3, 0, 3), Cluster(5, 2, 0), Cluster(4, 0, 4), Cluster(2, 1, 0)]
    gains = [g for c in clusters for g in [1] * c.won + [-1] * c.lost + [0] * (c.pairs - c.won - c.lost)]
    groups = [n for n, c in enumerate(clusters) for _ in range(c.pairs)]
    model = OLS(gains, [1.0] * len(gains))
    plain = model.fit().bse[0] ** 2
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}).bse[0] ** 2
    assert design_effect(clusters) == pytest.approx(5 / 4 * clustered / plain, abs=1e-9)


def test_pairs_of_a_task_that_are_all_alike_count_as_one() -> None:
    assert design_effect([Cluster(3, 3, 0), Cluster(3, 0, 3), Cluster(3, 0, 0)]) == 3
    assert design_effect([Cluster(3, 0, 0)] * 4) == 3, "nothing can be estimated, so the worst case is assumed"
    assert design_effect([Cluster(4, 2, 1)]) == 4, "of one task neither"
    assert design_effect([Cluster(4, 2, 1), Cluster(4, 1, 1)]) < 4


def make_cluster(sizes: tuple[int, int, int]) -> Cluster:
    won, lost, alike = sizes
    return Cluster(won + lost + alike, won, lost)


CLUSTERS = st.lists(
    st.tuples(*[st.integers(0, 6)] * 3).filter(any).map(make_cluster),
    min_size=2,
    max_size=30,
)


@given(CLUSTERS)
def test_the_design_effect_is_between_one_pair_and_a_whole_task(clusters: list[Cluster]) -> None:
    assert 1 <= design_effect(clusters) <= max(c.pairs for c in clusters)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([-1, 0, 1])), min_size=1))
def test_clusters_do_not_depend_on_the_order_of_pairs(gains: list[tuple[int, int]]) -> None:
    clusters = group_by_task(gains)
    assert group_by_task(reversed(gains)) == clusters
    assert sum(c.pairs for c in clusters) == len(gains)
    assert len(clusters) == len({task for task, _ in gains})
