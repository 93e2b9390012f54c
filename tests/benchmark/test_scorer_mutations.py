"""The scorer keeps its promises, and mutants with known past mistakes break the expected ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest

from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.transcript import Answered, Event, ToolResult
from tests.benchmark.agent_runs import make_case, run_agent

Scorer = Callable[[Case, BenchmarkGuidance, Sequence[Event]], Score]


def score_cases(
    scorer: Scorer, agent: str, prompt_types: Sequence[PromptType], rate: float = 1.0
) -> Iterator[tuple[PromptType, Score]]:
    """Yield the scores of a reference agent in some cases of each prompt type."""
    for prompt_type in prompt_types:
        for task_type in TaskType:
            for severity in Severity if prompt_type.flaw_kind else (None,):
                case = make_case(prompt_type, task_type, Difficulty.EASY, severity=severity, rate=rate)
                conversation = run_agent(agent, case)
                yield prompt_type, scorer(case, conversation.guidance, conversation.events)


def does_not_reward_obedience_to_a_flawed_plan(scorer: Scorer) -> bool:
    kinds = [kind for kind in FLAWED_PROMPT_TYPES if kind is not PromptType.FLAWED_REDUNDANT_OPERATIONS]
    return all(score.outcome is not Outcome.FULL for _, score in score_cases(scorer, "follower", kinds))


def does_not_reward_one_call(scorer: Scorer) -> bool:
    return all(score.outcome is Outcome.FAILED for _, score in score_cases(scorer, "one-call", list(PromptType)))


def does_not_reward_the_right_calls_in_the_wrong_order(scorer: Scorer) -> bool:
    scores = score_cases(scorer, "follower", [PromptType.FLAWED_SEQUENCE_DISORDER])
    return all(score.outcome is not Outcome.FULL for _, score in scores)


def rewards_the_job_done_against_the_plan(scorer: Scorer) -> bool:
    return all(score.outcome is Outcome.FULL for _, score in score_cases(scorer, "perfect", list(PromptType)))


def does_not_charge_faults(scorer: Scorer) -> bool:
    """A model that stops after a fault did not deal with it, and has no parameter error; retries cost no efficiency."""
    retrying = [score for _, score in score_cases(scorer, "perfect", [PromptType.OPTIMAL], rate=0.6)]
    case = make_case(PromptType.BASELINE)
    events = run_agent("one-call", case).events
    fault = ToolResult(code="TIMEOUT", is_random=True)
    faulty = [msgspec.structs.replace(e, result=fault) if isinstance(e, Answered) else e for e in events]
    stopped = scorer(case, run_agent("one-call", case).guidance, faulty)
    return (
        any(score.random_faults for score in retrying)
        and all(score.efficiency == 1 and score.argument_validity == 1 for score in retrying)
        and (stopped.failure_class, stopped.argument_validity) == (FailureClass.UNRECOVERED_FAULT, 1)
    )


PROMISES: dict[str, Callable[[Scorer], bool]] = {
    promise.__name__: promise
    for promise in (
        does_not_reward_obedience_to_a_flawed_plan,
        does_not_reward_one_call,
        does_not_reward_the_right_calls_in_the_wrong_order,
        rewards_the_job_done_against_the_plan,
        does_not_charge_faults,
    )
}


def score_obedience(case: Case, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Score:
    """Full score for following the plan, as if episodes were compared with the flawed plan."""
    right = score(case, guidance, events)
    is_obedient = right.first_divergence is None and case.prompt_type.has_plan
    return msgspec.structs.replace(right, outcome=Outcome.FULL if is_obedient else Outcome.FAILED)


def score_one_call(case: Case, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Score:
    """Full score for any successful call."""
    right = score(case, guidance, events)
    has_called = any(isinstance(event, Answered) and event.result.is_success for event in events)
    return msgspec.structs.replace(right, outcome=Outcome.FULL if has_called else right.outcome)


def score_without_order(case: Case, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Score:
    """Full score for calling all the right tools, in any order and with any result."""
    right = score(case, guidance, events)
    called = {event.call.name for event in events if isinstance(event, Answered)}
    has_all = called >= {step.call.tool for step in guidance.optimal.steps}
    return msgspec.structs.replace(right, outcome=Outcome.FULL if has_all else right.outcome)


def charge_faults(case: Case, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Score:
    """Count every random fault as a parameter error of the model."""
    earned = [
        msgspec.structs.replace(event, result=ToolResult(code="INVALID_ARGUMENTS"))
        if isinstance(event, Answered) and event.result.is_random
        else event
        for event in events
    ]
    return score(case, guidance, earned)


MUTANTS: dict[Scorer, set[Callable[[Scorer], bool]]] = {
    score_obedience: {
        does_not_reward_obedience_to_a_flawed_plan,
        does_not_reward_the_right_calls_in_the_wrong_order,
        does_not_reward_one_call,  # a severe missing_step leaves one step of a short plan
        rewards_the_job_done_against_the_plan,
    },
    score_one_call: {
        does_not_reward_obedience_to_a_flawed_plan,
        does_not_reward_one_call,
        does_not_reward_the_right_calls_in_the_wrong_order,
    },
    score_without_order: {
        does_not_reward_obedience_to_a_flawed_plan,
        does_not_reward_the_right_calls_in_the_wrong_order,
    },
    charge_faults: {does_not_charge_faults},
}
"""Mutated scorers, and the promises that each of them breaks."""


@pytest.mark.parametrize("promise", PROMISES.values(), ids=PROMISES)
def test_the_scorer_keeps_its_promise(promise: Callable[[Scorer], bool]) -> None:
    assert promise(score)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.__name__ for mutant in MUTANTS])
def test_a_mutated_scorer_breaks_the_expected_promises(mutant: Scorer) -> None:
    broken = {promise for promise in PROMISES.values() if not promise(mutant)}
    assert {promise.__name__ for promise in broken} == {promise.__name__ for promise in MUTANTS[mutant]}
