"""Gates are judged by the figure or the worse end of its interval; a gate without a figure is missed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pytest_ultra.analysis.gate_verdicts import GateEvaluator, decide, is_significant_loss
from pytest_ultra.core.axes import PromptType, TaskType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import PairedDifference
from pytest_ultra.core.gates import Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import GateOn
from tests.results_factory import make_case, make_episode

MISUSE, DRIFT = PromptType.FLAWED_TOOL_MISUSE, PromptType.FLAWED_SEMANTIC_DRIFT
F, P, X, E = Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED, Outcome.ERROR


def episodes_of(prompt_type: PromptType, outcomes: Iterable[Outcome], **axes: Any) -> list[Episode]:
    """Make an episode for each outcome, each of a different task."""
    return [
        make_episode(make_case(prompt_type, instance=instance, **axes), outcome)
        for instance, outcome in enumerate(outcomes)
    ]


def judge(gate: Gate, episodes: list[Episode], reference: Iterable[Episode] = (), on: GateOn = GateOn.RATE) -> Verdict:
    return GateEvaluator(episodes, list(reference), on).evaluate(gate)


def fail_under(limit: float, group: str = "all") -> Gate:
    return Gate(GateKind.FAIL_UNDER, limit, group)


@pytest.mark.parametrize(("limit", "is_met"), [(0.3, True), (0.30001, False), (0.0, True)])
def test_a_rate_is_met_when_it_is_reached(limit: float, *, is_met: bool) -> None:
    """3 of 10 are 0.3 despite rounding; only `full` is a success, and an error is not counted."""
    verdict = judge(fail_under(limit), episodes_of(PromptType.COT, [F, F, F, P, P, X, X, X, X, X, E]))
    assert verdict.is_met is is_met
    assert verdict.rate is not None
    assert (verdict.rate.successes, verdict.rate.n) == (3, 10)


def test_the_bound_of_a_rate_is_its_lower_end() -> None:
    episodes = episodes_of(PromptType.COT, [F] * 10)
    assert judge(fail_under(0.72), episodes, on=GateOn.BOUND).is_met
    assert not judge(fail_under(0.73), episodes, on=GateOn.BOUND).is_met


@pytest.mark.parametrize("group", ["all", "cot", "demo"])
def test_a_group_without_a_scored_case_is_missed(group: str) -> None:
    verdict = judge(fail_under(0.0, group), episodes_of(PromptType.COT, [E]))
    assert verdict == Verdict(fail_under(0.0, group), is_met=False, obstacle=Obstacle.NO_SCORED_CASE)


@pytest.mark.parametrize(("outcomes", "is_met"), [([F, E], True), ([F, E, E], False), ([F, F, E, E, E, E], False)])
def test_a_figure_over_the_few_that_were_answered_meets_no_gate(outcomes: list[Outcome], *, is_met: bool) -> None:
    verdict = judge(fail_under(0.9), episodes_of(PromptType.COT, outcomes))
    assert (verdict.is_met, verdict.left_out) == (is_met, outcomes.count(E))
    assert verdict.obstacle is (None if is_met else Obstacle.MOSTLY_ERRORS)
    assert verdict.rate is not None


def test_errors_outside_a_gates_group_do_not_matter_to_it() -> None:
    episodes = episodes_of(PromptType.COT, [F]) + episodes_of(PromptType.OPTIMAL, [E, E, E])
    assert judge(fail_under(0.9, "cot"), episodes).is_met


def test_a_group_is_the_value_of_any_axis() -> None:
    episodes = episodes_of(PromptType.COT, [F, X]) + episodes_of(
        MISUSE, [X, X], task_type=TaskType.DATA_PIPELINE, model="other"
    )
    rates = {}
    for group in ("cot", "flawed", "data_pipeline", "simple_task", "easy", "severe", "other"):
        verdict = judge(fail_under(0.5, group), episodes)
        assert verdict.rate is not None
        rates[group] = verdict.rate.value
    assert rates == {
        "cot": 0.5,
        "flawed": 0.0,
        "data_pipeline": 0.0,
        "simple_task": 0.5,
        "easy": 0.25,
        "severe": 0.0,
        "other": 0.0,
    }


def drop(limit: float, group: str = "all") -> Gate:
    return Gate(GateKind.MAX_DROP, limit, group)


def test_over_any_flaw_the_one_that_costs_most_is_judged() -> None:
    episodes = (
        episodes_of(PromptType.OPTIMAL, [F] * 5)
        + episodes_of(DRIFT, [F, F, F, F, X])
        + episodes_of(MISUSE, [F, F, F, X, X])
    )
    verdict = judge(drop(0.4), episodes)
    assert (verdict.worst, verdict.is_met) == ("flawed_tool_misuse", True)
    assert not judge(drop(0.39), episodes).is_met
    assert judge(drop(0.2, "flawed_semantic_drift"), episodes).is_met
    assert judge(drop(0.3, "flawed"), episodes).is_met, "over all flawed cases together"
    assert judge(drop(0.4, "simple_task"), episodes).worst == "flawed_tool_misuse"


def test_a_flaw_that_was_not_measured_is_missed() -> None:
    episodes = episodes_of(PromptType.OPTIMAL, [F, F]) + episodes_of(DRIFT, [F, F]) + episodes_of(MISUSE, [E, E])
    assert judge(drop(1.0), episodes) == Verdict(
        drop(1.0), is_met=False, worst="flawed_tool_misuse", obstacle=Obstacle.NO_SCORED_CASE
    )


def test_a_drop_without_a_scored_control_is_missed() -> None:
    verdict = judge(drop(1.0, "flawed_tool_misuse"), episodes_of(PromptType.OPTIMAL, [E]) + episodes_of(MISUSE, [F]))
    assert (verdict.is_met, verdict.obstacle) == (False, Obstacle.NO_PAIR)
    assert judge(drop(1.0), episodes_of(PromptType.OPTIMAL, [F])).obstacle is Obstacle.NO_SCORED_CASE


def test_the_bound_of_a_drop_is_its_upper_end_and_one_task_has_none() -> None:
    episodes = episodes_of(PromptType.OPTIMAL, [F] * 20) + episodes_of(MISUSE, [F] * 20)
    assert judge(drop(0.0), episodes).is_met
    verdict = judge(drop(0.0), episodes, on=GateOn.BOUND)
    assert not verdict.is_met
    assert verdict.difference is not None
    assert verdict.difference.low is not None
    assert judge(drop(-verdict.difference.low), episodes, on=GateOn.BOUND).is_met
    one = judge(drop(1.0), episodes_of(PromptType.OPTIMAL, [F]) + episodes_of(MISUSE, [F]), on=GateOn.BOUND)
    assert (one.is_met, one.obstacle) == (False, Obstacle.NO_INTERVAL)


def regression(limit: float | None, group: str = "all") -> Gate:
    return Gate(GateKind.MAX_REGRESSION, limit, group)


def test_a_regression_is_what_was_lost_over_the_same_cases() -> None:
    now, before = episodes_of(PromptType.COT, [F, X, X, F, F]), episodes_of(PromptType.COT, [F, F, F, X])
    verdict = judge(regression(0.25), now, before)
    assert verdict.is_met
    assert verdict.difference is not None
    assert (verdict.difference.won, verdict.difference.lost, verdict.difference.pairs) == (1, 2, 4)
    assert not judge(regression(0.24, "cot"), now, before).is_met
    assert judge(regression(1.0), now, episodes_of(PromptType.BASELINE, [F])).obstacle is Obstacle.NO_PAIR
    assert judge(regression(1.0, "optimal"), now, before).obstacle is Obstacle.NO_SCORED_CASE


@pytest.mark.parametrize(("lost", "is_met"), [(5, True), (6, False)])
def test_without_a_limit_a_significant_loss_is_missed(lost: int, *, is_met: bool) -> None:
    """McNemar's exact p is 0.0625 for 5 discordant pairs, all lost, and 0.03125 for 6."""
    now = episodes_of(PromptType.COT, [X] * lost + [F] * (30 - lost))
    assert judge(regression(None), now, episodes_of(PromptType.COT, [F] * 30)).is_met is is_met


def test_a_significant_loss_needs_a_loss_a_small_p_and_an_interval_below_zero() -> None:
    assert not is_significant_loss(PairedDifference(30, won=10, lost=0, p_value=0.002, low=0.1, high=0.5))
    assert not is_significant_loss(PairedDifference(30, won=0, lost=10, p_value=0.002, low=-0.8, high=0.1))
    assert is_significant_loss(PairedDifference(30, won=0, lost=10, p_value=0.002, low=-0.8, high=-0.1))


@pytest.mark.parametrize(("limit", "is_met"), [(1, False), (2, True)])
def test_errors_are_counted(limit: int, *, is_met: bool) -> None:
    verdict = judge(Gate(GateKind.MAX_ERRORS, limit), episodes_of(PromptType.COT, [F, E, E, X]))
    assert (verdict.errors, verdict.is_met) == (2, is_met)


@pytest.mark.parametrize(
    ("status", "is_met", "code"),
    [(0, True, 0), (0, False, 1), (1, True, 1), (2, False, 2), (3, True, 3), (5, False, 5)],
)
def test_a_missed_gate_fails_a_passing_run_and_keeps_pytests_own_codes(status: int, code: int, *, is_met: bool) -> None:
    assert decide([Verdict(fail_under(0.5), is_met=is_met)], status).exit_code == code
