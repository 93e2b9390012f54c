"""The reference agents check the benchmark: known behaviour must get known scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.planner import plan
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.reference_agent import ReferenceAgent
from tests.benchmark.agent_runs import make_case, make_task, run_agent, score_agent

INSTANCES = 5
"""For shares. Where each case must have its known score, 1 is enough: it makes 11 cases in each cell."""
PLAIN = (PromptType.BASELINE, PromptType.COT, PromptType.OPTIMAL)

CELLS = [(task_type, difficulty) for task_type in TaskType for difficulty in Difficulty]


def make_cases(
    task_type: TaskType,
    difficulty: Difficulty,
    prompt_types: tuple[PromptType, ...],
    rate: float = 1.0,
    instances: int = INSTANCES,
    *,
    severities: Sequence[Severity] = tuple(Severity),
) -> Iterator[tuple[Case, BenchmarkGuidance]]:
    """Yield the cases of one cell, with flaws at these severities, each with its guidance."""
    for instance in range(instances):
        first = make_case(PromptType.OPTIMAL, task_type, difficulty, rate=rate, instance=instance)
        task = make_task(first.task_key)
        optimal = plan(task, rate, first.max_turns)
        for prompt_type in prompt_types:
            for severity in severities if prompt_type.flaw_kind else (None,):
                case = make_case(prompt_type, task_type, difficulty, severity=severity, rate=rate, instance=instance)
                yield case, make_guidance(case, task=task, optimal=optimal)


@pytest.mark.parametrize(("task_type", "difficulty"), CELLS)
def test_with_perfect_tools_every_agent_gets_its_known_score(task_type: TaskType, difficulty: Difficulty) -> None:
    """Under every prompt type: `perfect` always does the job, `null` and `one-call` never do.

    A cell has one severity; each task type and each level has all three. At the hardest level, whose tasks take long,
    task types take turns with the prompt types. `benchmarks/reference_marks.py` has all cases.
    """
    number = CELLS.index((task_type, difficulty))
    severity = list(Severity)[number % len(Severity)]
    prompt_types = tuple(PromptType)
    if difficulty is Difficulty.VERY_HARD:
        prompt_types = prompt_types[number % 2 :: 2]
    for case, guidance in make_cases(task_type, difficulty, prompt_types, instances=1, severities=[severity]):
        assert score_agent("perfect", case, guidance).outcome is Outcome.FULL
        assert score_agent("null", case, guidance).outcome is Outcome.FAILED
        one = score_agent("one-call", case, guidance)
        assert (one.outcome, one.tool_calls) == (Outcome.FAILED, 1)
        follower = score_agent("follower", case, guidance)
        if case.prompt_type is PromptType.ALTERNATIVE:
            assert follower.outcome is Outcome.FULL
        elif case.prompt_type in (PromptType.OPTIMAL, PromptType.FLAWED_REDUNDANT_OPERATIONS):
            assert follower.outcome is Outcome.FULL
            assert follower.reference_calls is not None
            is_longer = follower.tool_calls > follower.reference_calls
            assert is_longer == (case.prompt_type is not PromptType.OPTIMAL)
        elif case.prompt_type.has_plan:
            assert follower.outcome is not Outcome.FULL
        else:
            assert (follower.outcome, follower.turns) == (Outcome.FAILED, 1)


def test_the_perfect_agent_needs_only_the_optimal_calls() -> None:
    for task_type, difficulty in CELLS:
        for case, guidance in make_cases(task_type, difficulty, (PromptType.OPTIMAL,), instances=2):
            assert score_agent("perfect", case, guidance).efficiency == 1


@pytest.mark.parametrize("task_type", TaskType)
def test_below_rate_one_only_the_turn_limit_stops_the_perfect_agent(task_type: TaskType) -> None:
    """At 0.8 in fewer than one case in a hundred. Faults are the same for all prompt types, so two of them suffice."""
    prompt_types = (PromptType.OPTIMAL, PromptType.BASELINE)
    scores = [
        score_agent("perfect", case, guidance)
        for difficulty in Difficulty
        for case, guidance in make_cases(task_type, difficulty, prompt_types, rate=0.8, instances=3)
    ]
    stopped = [score.failure_class for score in scores if score.outcome is not Outcome.FULL]
    assert set(stopped) <= {FailureClass.MAX_TURNS}
    assert len(stopped) < len(scores) / 100
    assert sum(score.random_faults for score in scores) > len(scores) / 2


@pytest.mark.parametrize("rate", [0.8, 0.6])
def test_below_rate_one_obedience_to_a_flawed_plan_still_fails_or_costs_calls(rate: float) -> None:
    for task_type in TaskType:
        for case, guidance in make_cases(task_type, Difficulty.EASY, FLAWED_PROMPT_TYPES, rate, instances=2):
            follower = score_agent("follower", case, guidance)
            if case.prompt_type is not PromptType.FLAWED_REDUNDANT_OPERATIONS:
                assert follower.outcome is not Outcome.FULL
            elif follower.outcome is Outcome.FULL:
                assert follower.efficiency is not None
                assert follower.efficiency < 1


def test_without_retries_success_falls_with_the_rate_and_the_perfect_agent_keeps_it() -> None:
    """`stubborn` succeeds exactly in the episodes without any fault."""
    shares: dict[str, list[float]] = {"stubborn": [], "perfect": []}
    for rate in (1.0, 0.8, 0.6):
        cells = [(task_type, Difficulty.MEDIUM) for task_type in TaskType]
        cases = [pair for cell in cells for pair in make_cases(*cell, (PromptType.OPTIMAL,), rate, 12)]
        for agent, kept in shares.items():
            scores = [score_agent(agent, case, guidance) for case, guidance in cases]
            kept.append(sum(score.outcome is Outcome.FULL for score in scores) / len(scores))
            if agent == "stubborn":
                assert all((score.outcome is Outcome.FULL) == (score.random_faults == 0) for score in scores)
    stubborn, perfect = shares["stubborn"], shares["perfect"]
    assert all(higher > lower for higher, lower in pairwise(stubborn))
    assert stubborn[0] == 1
    assert stubborn[-1] < 0.3
    assert min(perfect) > 0.97


def test_the_mixture_does_better_with_a_good_plan_than_with_none_or_a_flawed_one() -> None:
    shares = {}
    cells = [(task_type, level) for task_type, level in CELLS if level is not Difficulty.VERY_HARD]
    for prompt_type in (PromptType.OPTIMAL, PromptType.BASELINE, PromptType.FLAWED_TOOL_MISUSE):
        pairs = [pair for cell in cells for pair in make_cases(*cell, (prompt_type,), instances=2)]
        full = [score_agent("mixture", case, guidance).outcome is Outcome.FULL for case, guidance in pairs]
        shares[prompt_type] = sum(full) / len(full)
    assert shares[PromptType.OPTIMAL] > shares[PromptType.FLAWED_TOOL_MISUSE]
    assert shares[PromptType.OPTIMAL] > shares[PromptType.BASELINE]
    assert all(0.2 < share < 1 for share in shares.values())


@pytest.mark.parametrize("agent", ReferenceAgent)
def test_an_agent_is_a_pure_function_of_what_it_sees(agent: str) -> None:
    case = make_case(PromptType.FLAWED_PARAMETER_ERROR, rate=0.7)
    first: Conversation = run_agent(agent, case)
    assert run_agent(agent, case).events == first.events
