"""Gates are judged by evidence, by the figure, or by the worse end of its interval; one without a figure is missed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.analysis.gate_verdicts import GateEvaluator, decide
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType, TaskType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.gates import Finding, Gate, GateKind, Obstacle, Verdict
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


def judge(
    gate: Gate, episodes: list[Episode], reference: Iterable[Episode] = (), on: GateOn = GateOn.EVIDENCE
) -> Verdict:
    return GateEvaluator(episodes, list(reference), on).evaluate(gate)


def fail_under(limit: float, group: str = "all") -> Gate:
    return Gate(GateKind.FAIL_UNDER, limit, group)


@pytest.mark.parametrize(("limit", "is_met"), [(0.3, True), (0.30001, False), (0.0, True)])
def test_a_rate_is_met_when_it_is_reached(limit: float, *, is_met: bool) -> None:
    """3 of 10 are 0.3 despite rounding; only `full` is a success, and an error is not counted."""
    episodes = episodes_of(PromptType.COT, [F, F, F, P, P, X, X, X, X, X, E])
    verdict = judge(fail_under(limit), episodes, on=GateOn.RATE)
    assert verdict.is_met is is_met
    assert verdict.rate is not None
    assert (verdict.rate.successes, verdict.rate.n) == (3, 10)


@pytest.mark.parametrize(
    ("full", "failed", "limit", "finding"),
    [
        (10, 0, 0.78, Finding.MET),  # the lower end of 10 of 10 is 10 / (10 + 1.645 ** 2)
        (10, 0, 0.79, Finding.UNDECIDED),
        (10, 0, 1.0, Finding.MET),  # no number of cases could show more
        (39, 1, 1.0, Finding.MISSED),
        (0, 10, 0.21, Finding.UNDECIDED),
        (0, 10, 0.22, Finding.MISSED),
        (0, 10, 0.0, Finding.MET),
        (8, 2, 0.9, Finding.UNDECIDED),
    ],
)
def test_a_rate_is_judged_by_its_one_sided_bounds(full: int, failed: int, limit: float, finding: Finding) -> None:
    episodes = episodes_of(PromptType.COT, [F] * full + [X] * failed)
    assert judge(fail_under(limit), episodes).finding is finding
    by_bound = Finding.MISSED if finding is Finding.UNDECIDED else finding
    assert judge(fail_under(limit), episodes, on=GateOn.BOUND).finding is by_bound


def test_an_undecided_rate_says_how_many_tasks_would_decide_it() -> None:
    found = judge(fail_under(0.9), episodes_of(PromptType.COT, [F] * 8 + [X] * 2))
    assert found.tasks_needed is not None
    more = found.tasks_needed // 5 + 1
    assert judge(fail_under(0.9), episodes_of(PromptType.COT, [F] * 4 * more + [X] * more)).finding is Finding.MISSED
    assert judge(fail_under(0.8), episodes_of(PromptType.COT, [F] * 8 + [X] * 2)).tasks_needed is None


def test_many_cases_of_few_tasks_show_less_about_a_rate_than_as_many_tasks() -> None:
    copies = [e for repeat in range(10) for e in episodes_of(PromptType.COT, [F] * 5, repeat=repeat)]
    assert judge(fail_under(0.9), copies).finding is Finding.UNDECIDED
    assert judge(fail_under(0.9), episodes_of(PromptType.COT, [F] * 50)).finding is Finding.MET


@pytest.mark.parametrize("group", ["all", "cot", "demo"])
def test_a_group_without_a_scored_case_is_missed(group: str) -> None:
    verdict = judge(fail_under(0.0, group), episodes_of(PromptType.COT, [E]))
    assert verdict == Verdict(fail_under(0.0, group), Finding.MISSED, obstacle=Obstacle.NO_SCORED_CASE)


@pytest.mark.parametrize(("outcomes", "is_met"), [([F, E], True), ([F, E, E], False), ([F, F, E, E, E, E], False)])
def test_a_figure_over_the_few_that_were_answered_meets_no_gate(outcomes: list[Outcome], *, is_met: bool) -> None:
    verdict = judge(fail_under(0.9), episodes_of(PromptType.COT, outcomes), on=GateOn.RATE)
    assert (verdict.is_met, verdict.left_out) == (is_met, outcomes.count(E))
    assert verdict.obstacle is (None if is_met else Obstacle.MOSTLY_ERRORS)
    assert verdict.rate is not None


def test_errors_outside_a_gates_group_do_not_matter_to_it() -> None:
    episodes = episodes_of(PromptType.COT, [F]) + episodes_of(PromptType.OPTIMAL, [E, E, E])
    assert judge(fail_under(0.9, "cot"), episodes).finding is Finding.UNDECIDED


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
    verdict = judge(drop(0.4), episodes, on=GateOn.RATE)
    assert (verdict.worst, verdict.is_met, verdict.flaws) == ("flawed_tool_misuse", True, 2)
    assert not judge(drop(0.39), episodes, on=GateOn.RATE).is_met
    assert judge(drop(0.2, "flawed_semantic_drift"), episodes, on=GateOn.RATE).is_met
    assert judge(drop(0.3, "flawed"), episodes, on=GateOn.RATE).is_met, "over all flawed cases together"
    assert judge(drop(0.4, "simple_task"), episodes).worst == "flawed_tool_misuse"


def test_a_drop_is_missed_if_one_flaw_is_shown_to_cost_more_and_met_if_none_can() -> None:
    controls, unhurt = episodes_of(PromptType.OPTIMAL, [F] * 20), episodes_of(DRIFT, [F] * 20)
    lost = {n: controls + unhurt + episodes_of(MISUSE, [X] * n + [F] * (20 - n)) for n in (0, 5, 8, 14)}
    found = {n: judge(drop(0.2), episodes) for n, episodes in lost.items()}
    assert [v.finding for v in found.values()] == [Finding.MET, Finding.UNDECIDED, Finding.UNDECIDED, Finding.MISSED]
    assert [v.worst for v in found.values()][1:] == ["flawed_tool_misuse"] * 3


def test_the_more_flaws_a_gate_is_about_the_more_evidence_it_takes_to_miss_it() -> None:
    """A gate on seven flaws without any effect would be missed in three runs of ten if each were tested at 5 %."""
    hurt = episodes_of(PromptType.OPTIMAL, [F] * 10) + episodes_of(MISUSE, [X] * 6 + [F] * 4)
    others = [e for flaw in FLAWED_PROMPT_TYPES if flaw != MISUSE for e in episodes_of(flaw, [F] * 10)]
    assert judge(drop(0.2), hurt).finding is Finding.MISSED
    assert judge(drop(0.2), hurt + others).finding is Finding.UNDECIDED


def test_flaws_that_all_cost_much_miss_a_gate_together() -> None:
    """Five tasks cannot show it of any single one of seven flaws."""
    controls = episodes_of(PromptType.OPTIMAL, [F] * 5)
    hurt = [e for flaw in FLAWED_PROMPT_TYPES for e in episodes_of(flaw, [X] * 5)]
    verdict = judge(drop(0.1), controls + hurt)
    assert (verdict.finding, verdict.worst, verdict.flaws) == (Finding.MISSED, "flawed", 7)
    assert judge(drop(0.1), controls + hurt[:5]).worst == FLAWED_PROMPT_TYPES[0]


def test_a_flaw_that_was_not_measured_is_missed() -> None:
    episodes = episodes_of(PromptType.OPTIMAL, [F, F]) + episodes_of(DRIFT, [F, F]) + episodes_of(MISUSE, [E, E])
    assert judge(drop(1.0), episodes) == Verdict(
        drop(1.0), Finding.MISSED, worst="flawed_tool_misuse", obstacle=Obstacle.NO_SCORED_CASE, flaws=2
    )


def test_a_drop_without_a_scored_control_is_missed() -> None:
    verdict = judge(drop(1.0, "flawed_tool_misuse"), episodes_of(PromptType.OPTIMAL, [E]) + episodes_of(MISUSE, [F]))
    assert (verdict.is_met, verdict.obstacle) == (False, Obstacle.NO_PAIR)
    assert judge(drop(1.0), episodes_of(PromptType.OPTIMAL, [F])).obstacle is Obstacle.NO_SCORED_CASE


def test_a_limit_of_zero_is_met_if_nothing_was_lost() -> None:
    """No number of cases could show that nothing is ever lost."""
    episodes = episodes_of(PromptType.OPTIMAL, [F] * 20) + episodes_of(MISUSE, [F] * 20)
    assert judge(drop(0.0), episodes).is_met
    assert judge(drop(0.0), episodes, on=GateOn.BOUND).is_met
    lost = episodes_of(PromptType.OPTIMAL, [F] * 20) + episodes_of(MISUSE, [F] * 19 + [X])
    assert judge(drop(0.0), lost).finding is Finding.UNDECIDED
    assert not judge(drop(0.0), lost, on=GateOn.BOUND).is_met


def regression(limit: float | None, group: str = "all") -> Gate:
    return Gate(GateKind.MAX_REGRESSION, limit, group)


def test_a_regression_is_what_was_lost_over_the_same_cases() -> None:
    now, before = episodes_of(PromptType.COT, [F, X, X, F, F]), episodes_of(PromptType.COT, [F, F, F, X])
    verdict = judge(regression(0.25), now, before, GateOn.RATE)
    assert verdict.is_met
    assert verdict.difference is not None
    assert (verdict.difference.won, verdict.difference.lost, verdict.difference.pairs) == (1, 2, 4)
    assert not judge(regression(0.24, "cot"), now, before, GateOn.RATE).is_met
    assert judge(regression(1.0), now, episodes_of(PromptType.BASELINE, [F])).obstacle is Obstacle.NO_PAIR
    assert judge(regression(1.0, "optimal"), now, before).obstacle is Obstacle.NO_SCORED_CASE


@pytest.mark.parametrize("on", GateOn)
@pytest.mark.parametrize(
    ("lost", "finding"), [(0, Finding.MET), (2, Finding.UNDECIDED), (3, Finding.MISSED), (30, Finding.MISSED)]
)
def test_without_a_limit_a_loss_is_missed_that_chance_does_not_explain(lost: int, finding: Finding, on: GateOn) -> None:
    """The one-sided test is at 5 %: the statistic of n pairs that differ, all lost, is the root of n."""
    now = episodes_of(PromptType.COT, [X] * lost + [F] * (30 - lost))
    assert judge(regression(None), now, episodes_of(PromptType.COT, [F] * 30), on).finding is finding


@pytest.mark.parametrize("limit", [None, 0.0, 0.2])
def test_a_model_that_loses_everything_misses_a_gate_of_the_default_size(limit: float | None) -> None:
    """Fifty cases of five tasks, all won before and all lost now, once met the gate."""
    types = [prompt_type for prompt_type in PromptType if prompt_type is not PromptType.ALTERNATIVE]
    now, before = ([e for kind in types for e in episodes_of(kind, [out] * 5)] for out in (X, F))
    verdict = judge(regression(limit), now, before)
    assert verdict.finding is Finding.MISSED
    assert verdict.difference is not None
    assert (verdict.difference.lost, verdict.difference.pairs, verdict.tasks) == (50, 50, 5)


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
@pytest.mark.parametrize("limit", [None, 0.2, 0.9])
def test_a_collapse_of_the_fewest_tasks_is_never_met(tasks: int, limit: float | None) -> None:
    verdict = judge(regression(limit), episodes_of(MISUSE, [X] * tasks), episodes_of(MISUSE, [F] * tasks))
    assert verdict.finding is Finding.UNDECIDED
    assert (verdict.tasks_needed or 0) >= 5


@settings(deadline=None)
@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15), st.sampled_from([0.0, 0.05, 0.2, 0.5]))
def test_what_is_met_is_measured_within_the_limit_and_what_is_missed_beyond_it(
    won: int, lost: int, alike: int, limit: float
) -> None:
    now, before = [F] * won + [X] * lost + [F] * alike, [X] * won + [F] * (lost + alike)
    if not now:
        return
    verdict = judge(regression(limit), episodes_of(MISUSE, now), episodes_of(MISUSE, before))
    loss = (lost - won) / len(now)
    assert verdict.finding is not Finding.MET or loss <= limit
    assert verdict.finding is not Finding.MISSED or loss > limit
    assert (verdict.tasks_needed is not None) is (verdict.is_undecided and not math.isclose(loss, limit))
    assert verdict.low is not None
    assert verdict.high is not None
    if limit > 0 and len(now) >= 5 and min(abs(limit + verdict.low), abs(limit + verdict.high)) > 1e-9:
        assert verdict.is_undecided is (verdict.low < -limit < verdict.high), "the printed bounds agree"


@pytest.mark.parametrize(("limit", "is_met"), [(1, False), (2, True)])
def test_errors_are_counted(limit: int, *, is_met: bool) -> None:
    verdict = judge(Gate(GateKind.MAX_ERRORS, limit), episodes_of(PromptType.COT, [F, E, E, X]))
    assert (verdict.errors, verdict.is_met) == (2, is_met)


@pytest.mark.parametrize(
    ("status", "finding", "code"),
    [
        (0, Finding.MET, 0),
        (0, Finding.MISSED, 1),
        (0, Finding.UNDECIDED, 0),
        (1, Finding.MET, 1),
        (2, Finding.MISSED, 2),
        (3, Finding.MET, 3),
        (5, Finding.MISSED, 5),
    ],
)
def test_a_missed_gate_fails_a_passing_run_and_keeps_pytests_own_codes(
    status: int, code: int, finding: Finding
) -> None:
    assert decide([Verdict(fail_under(0.5), finding)], status).exit_code == code


def test_an_undecided_gate_fails_the_run_only_where_the_user_says_so() -> None:
    undecided = [Verdict(fail_under(0.5), Finding.UNDECIDED)]
    assert decide(undecided, 0, undecided_fails=True).exit_code == 1
    assert decide(undecided, 0).undecided == undecided
