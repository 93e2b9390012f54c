"""Reference agents under each kind of fault: with all skills they recover, without one they lose what needs it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from pytest_ultra.benchmark.scoring import score
from pytest_ultra.core.axes import Difficulty, FaultKind, PromptType, PromptVariant, TaskType, ToolProtocol
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.transcript import HAPPENED, NOT_HAPPENED, Answered
from tests.benchmark.agent_runs import get_guidance, make_case, run_agent

DIFFICULTIES = (Difficulty.EASY, Difficulty.HARD)
MAX_TURNS = 120
"""Enough for every fault of an episode."""


class Run:
    """An episode's score, and the effects of the faults that it met."""

    def __init__(self, scored: Score, effects: list[str]) -> None:
        self.score, self.effects = scored, effects

    @property
    def is_full(self) -> bool:
        return self.score.outcome is Outcome.FULL


def runs(agent: str, *kinds: FaultKind, rate: float = 0.6, instances: int = 6, **axes: Any) -> Iterator[Run]:
    for task_type, difficulty, instance in product(TaskType, DIFFICULTIES, range(instances)):
        axes = {"max_turns": MAX_TURNS, **axes}
        case = make_case(
            PromptType.OPTIMAL, task_type, difficulty, rate=rate, instance=instance, fault_kinds=kinds, **axes
        )
        guidance = get_guidance(case)
        events = run_agent(agent, case, guidance).events
        results = [event.result for event in events if isinstance(event, Answered)]
        effects = [result.fault_effect for result in results if result.fault_kind is not None]
        yield Run(score(case, guidance, events), effects)


@pytest.mark.parametrize("kinds", [(kind,) for kind in FaultKind] + [tuple(FaultKind)], ids="+".join)
def test_the_perfect_agent_recovers_from_every_fault(kinds: tuple[FaultKind, ...]) -> None:
    met = 0
    for run in runs("perfect", *kinds, instances=3):
        assert run.is_full or run.score.failure_class is FailureClass.MAX_TURNS
        assert run.score.recovered_faults == run.score.random_faults or not run.is_full
        assert run.score.unrecovered_fault is None
        met += run.score.random_faults
    assert met >= 5


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("stubborn", FaultKind.TRANSIENT),
        ("no-fallback", FaultKind.PERMANENT),
        ("no-check", FaultKind.IMPLICIT),
        ("follower", FaultKind.PERMANENT),
        ("follower", FaultKind.IMPLICIT),
    ],
)
def test_without_the_skill_an_agent_loses_what_needs_it_and_the_fault_is_named(agent: str, kind: FaultKind) -> None:
    lost = 0
    for run in runs(agent, kind, instances=3):
        assert run.is_full == (run.score.random_faults == 0)
        if not run.is_full:
            lost += 1
            assert FailureClass.UNRECOVERED_FAULT in (run.score.failure_class, run.score.cause)
            assert (run.score.unrecovered_fault or "").startswith(f"{kind} fault")
            assert run.score.recovery_by_kind[kind][0] < run.score.recovery_by_kind[kind][1]
    assert lost >= 5


def test_after_a_lost_reply_a_blind_repeat_does_harm_where_the_call_had_taken_effect() -> None:
    seen = set()
    for run in runs("no-check", FaultKind.LOST_REPLY):
        assert run.is_full == (HAPPENED not in run.effects)
        seen.update(run.effects)
        if not run.is_full:
            assert FailureClass.UNRECOVERED_FAULT in (run.score.failure_class, run.score.cause)
            assert (run.score.unrecovered_fault or "").startswith("lost reply fault of ")
    assert seen == {HAPPENED, NOT_HAPPENED}


def test_after_a_lost_reply_going_on_loses_what_the_call_had_not_done() -> None:
    seen = set()
    for run in runs("stubborn", FaultKind.LOST_REPLY):
        assert run.is_full == (NOT_HAPPENED not in run.effects)
        seen.update(run.effects)
    assert seen == {HAPPENED, NOT_HAPPENED}


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("stubborn", FaultKind.PERMANENT),
        ("stubborn", FaultKind.IMPLICIT),
        ("no-fallback", FaultKind.TRANSIENT),
        ("no-fallback", FaultKind.LOST_REPLY),
        ("no-fallback", FaultKind.IMPLICIT),
        ("no-check", FaultKind.TRANSIENT),
        ("no-check", FaultKind.PERMANENT),
    ],
)
def test_a_skill_that_a_kind_does_not_need_is_not_missed(agent: str, kind: FaultKind) -> None:
    assert all(run.is_full for run in runs(agent, kind, instances=2))


@pytest.mark.parametrize(
    "axes",
    [
        {"prompt_variant": PromptVariant.CANARY},
        {"tool_protocol": ToolProtocol.TEXT},
        {"has_tool_discovery": True},
    ],
    ids=["canary", "text", "discovery"],
)
def test_recovery_does_not_depend_on_names_protocol_or_discovery(axes: dict[str, Any]) -> None:
    scores = list(runs("perfect", *FaultKind, instances=2, **axes))
    assert all(run.is_full or run.score.failure_class is FailureClass.MAX_TURNS for run in scores)
    assert sum(run.is_full for run in scores) >= len(scores) - 1


def test_with_perfect_tools_no_kind_of_fault_costs_the_skilled_agent_a_goal() -> None:
    for agent in ("perfect", "stubborn", "no-fallback", "no-check", "follower", "cautious"):
        assert all(run.is_full for run in runs(agent, *FaultKind, rate=1.0, instances=1))
