"""pass@k and pass^k agree with the published estimator, enumeration and figures computed by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import msgspec
import numpy as np
import pytest

from pytest_ultra.analysis.repeats import measure_repeats
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from tests.results_factory import make_case, make_episode

FULL, PARTIAL, FAILED, ERROR, SKIPPED = Outcome


def repeats_of(instance: int, full: int, n: int, **axes: Any) -> list[Episode]:
    outcomes = [FULL] * full + [FAILED] * (n - full)
    case = {"instance": instance} | axes
    return [make_episode(make_case(PromptType.COT, repeat=r, **case), o) for r, o in enumerate(outcomes)]


def chen(n: int, c: int, k: int) -> float:
    """The numerically stable form of M. Chen et al. (2021), figure 3."""
    return 1.0 if n - c < k else float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


@pytest.mark.parametrize(("full", "n"), [(0, 3), (1, 4), (3, 5), (5, 5), (7, 20)])
def test_pass_at_k_agrees_with_the_published_form(full: int, n: int) -> None:
    found = measure_repeats(repeats_of(0, full, n))
    assert [repeats.pass_at for repeats in found] == pytest.approx(
        [chen(n, full, k) for k in range(1, n + 1)], abs=1e-9
    )


@pytest.mark.parametrize(("full", "n"), [(0, 3), (1, 4), (3, 5), (5, 5)])
def test_both_are_the_share_of_all_ways_to_choose_k_repeats(full: int, n: int) -> None:
    for repeats in measure_repeats(repeats_of(0, full, n)):
        ways = list(combinations([True] * full + [False] * (n - full), repeats.k))
        assert repeats.pass_at == pytest.approx(sum(map(any, ways)) / len(ways), abs=1e-9)
        assert repeats.pass_all == pytest.approx(sum(map(all, ways)) / len(ways), abs=1e-9)


def test_they_are_means_over_the_tasks_with_enough_repeats() -> None:
    found = measure_repeats(repeats_of(0, 1, 2) + repeats_of(1, 3, 3) + repeats_of(2, 0, 1))
    assert [(r.k, r.tasks) for r in found] == [(1, 3), (2, 2), (3, 1)]
    assert [r.pass_at for r in found] == pytest.approx([0.5, 1.0, 1.0])
    assert [r.pass_all for r in found] == pytest.approx([0.5, 0.5, 1.0])


def test_cases_that_differ_in_more_than_the_repeat_are_no_repeats() -> None:
    apart = repeats_of(0, 1, 1) + repeats_of(0, 1, 1, tool_success_rate=0.6) + repeats_of(0, 0, 1, seed=3)
    assert measure_repeats(apart) == ()


def test_a_case_run_again_under_other_versions_is_no_repeat() -> None:
    (episode,) = repeats_of(0, 1, 1)
    assert measure_repeats([episode, msgspec.structs.replace(episode, scorer_version=99)]) == ()


def test_without_repeats_there_is_nothing() -> None:
    assert measure_repeats(repeats_of(0, 1, 1) + repeats_of(1, 0, 1)) == ()
    assert measure_repeats([]) == ()
