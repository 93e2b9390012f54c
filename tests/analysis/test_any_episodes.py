"""For any episodes, figures are finite or None, denominators add up, and order does not matter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ultra.analysis.paired_difference import compare
from pytest_ultra.analysis.run_comparison import compare_runs
from pytest_ultra.analysis.summary import summarize
from pytest_ultra.core.axes import PromptType, Severity
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.paired_evidence import Contrast, PairedDifference
from tests.results_factory import make_case, make_episode

SHARES = st.none() | st.floats(0, 1)
COSTS = st.none() | st.floats(0, 100)


@st.composite
def episodes(draw: st.DrawFn) -> Episode:
    prompt_type = draw(st.sampled_from(PromptType))
    case = make_case(
        prompt_type,
        model=draw(st.sampled_from(["a", "demo"])),
        severity=draw(st.sampled_from(Severity)) if prompt_type.flaw_kind else None,
        instance=draw(st.integers(0, 3)),
        repeat=draw(st.integers(0, 2)),
        tool_success_rate=draw(st.sampled_from([0.6, 1.0])),
    )
    faults = draw(st.integers(0, 5))
    return make_episode(
        case,
        draw(st.sampled_from(Outcome)),
        failure_class=draw(st.none() | st.sampled_from(FailureClass)),
        obedience=draw(SHARES),
        random_faults=faults,
        recovered_faults=draw(st.integers(0, faults)),
        tool_calls=draw(st.integers(0, 40)),
        cost=draw(COSTS),
        duration_s=draw(st.floats(0, 1e6)),
        reused=draw(st.booleans()),
        scorer_version=draw(st.sampled_from([1, 1, 1, 2])),
    )


RUNS = st.lists(episodes(), max_size=40, unique_by=lambda episode: episode.case_id)
RELAXED = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)


@RELAXED
@given(RUNS)
def test_no_figure_is_nan_or_infinite(run: list[Episode]) -> None:
    for figures in (summarize(run), compare_runs(run[::2], run[1::2]), compare_runs(run, run)):
        assert all(map(math.isfinite, numbers(msgspec.to_builtins(figures))))


@RELAXED
@given(RUNS, st.randoms())
def test_the_order_of_episodes_does_not_matter(run: list[Episode], chance: Any) -> None:
    shuffled = chance.sample(run, len(run))
    assert summarize(shuffled) == summarize(run)
    assert compare_runs(shuffled, run) == compare_runs(run, shuffled)


@RELAXED
@given(RUNS)
def test_denominators_add_up(run: list[Episode]) -> None:
    summary = summarize(run)
    assert sum(row.counts.planned for row in summary.rows) == summary.counts.planned == len(run)
    for row in summary.rows:
        pairs = row.difference.pairs if row.difference else 0
        assert row.success is None or row.success.n == row.counts.scored
        assert row.prompt_type is PromptType.OPTIMAL or pairs + row.unpaired == row.counts.scored
        assert sum(n for _, n in row.failure_classes) <= row.counts.planned


@RELAXED
@given(RUNS, RUNS, st.sampled_from(Contrast))
def test_a_difference_is_mirrored_when_its_sides_are_swapped(
    one: list[Episode], other: list[Episode], over: Contrast
) -> None:
    there, back = compare(one, other, over), compare(other, one, over)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        check(there)
        assert (there.pairs, there.won, there.lost, there.tasks) == (back.pairs, back.lost, back.won, back.tasks)
        assert there.value == -back.value
        assert (there.p_value, there.detectable) == (back.p_value, back.detectable)
        if there.low is not None and there.high is not None:
            assert back.low is not None
            assert back.high is not None
            assert math.isclose(there.low, -back.high, abs_tol=1e-12)
            assert math.isclose(there.high, -back.low, abs_tol=1e-12)


def check(difference: PairedDifference) -> None:
    assert 0 <= difference.won + difference.lost <= difference.pairs
    assert 1 <= difference.tasks <= difference.pairs
    assert 0 < difference.p_value <= 1
    assert difference.detectable is None or 0 < difference.detectable <= 1
    assert (difference.low is None) == (difference.high is None) == (difference.tasks == 1)
    if difference.low is not None and difference.high is not None:
        assert -1 <= difference.low <= difference.value <= difference.high <= 1


@RELAXED
@given(RUNS)
def test_nothing_differs_from_itself(run: list[Episode]) -> None:
    comparison = compare_runs(run, run)
    assert (comparison.flips, comparison.only_sample, comparison.only_reference) == ((), 0, 0)
    assert all(group.difference is None or group.difference.value == 0 for group in comparison.groups)
