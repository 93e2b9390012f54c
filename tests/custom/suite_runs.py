"""Cases of a suite, and episodes of it without an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pytest_ultra import Suite
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.core.axes import Difficulty, FaultKind, PromptType, Severity, Visibility
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Score
from pytest_ultra.core.reference_agent import knowledge_of
from pytest_ultra.core.transcript import EndReason, Event, Reply, ToolCall
from pytest_ultra.custom.custom_suite import CustomSuite

Made = tuple[str, dict[str, Any]]
"""A tool and its arguments."""


def make_own_case(suite: Suite, task: str, prompt_type: str = "optimal", **changes: Any) -> Case:
    identity = CustomSuite(suite).identify(task)
    is_flawed = PromptType(prompt_type).flaw_kind is not None
    case = Case(
        model="demo",
        prompt_type=PromptType(prompt_type),
        task_type=task,
        difficulty=Difficulty(identity.difficulty),
        tool_success_rate=1.0,
        severity=Severity.LIGHT if is_flawed else None,
        instance=0,
        repeat=0,
        seed=0,
        flaw_visibility=Visibility.JOB if is_flawed else None,
        suite=identity.suite,
        suite_version=identity.version,
        fault_kind=FaultKind.TRANSIENT,
    )
    return msgspec.structs.replace(case, **changes)


def play(suite: Suite, case: Case, agent: str) -> tuple[Score, tuple[Event, ...]]:
    """Run an episode of a reference agent."""
    own = CustomSuite(suite)
    guidance = own.make_guidance(case)
    conversation = own.begin(case, guidance)
    while conversation.ended is None:
        request = conversation.request()
        conversation = conversation.take(act(agent, request.messages, knowledge_of(request)))
    return own.score(case, guidance, conversation.events), conversation.events


def make_calls(
    suite: Suite, case: Case, calls: Sequence[Made], words: str = "Done."
) -> tuple[Score, tuple[Event, ...]]:
    """Run an episode of an agent that makes these calls, one a turn."""
    own = CustomSuite(suite)
    guidance = own.make_guidance(case)
    conversation = own.begin(case, guidance)
    for number, (tool, arguments) in enumerate(calls):
        call = ToolCall(f"c{number}", tool, msgspec.json.encode(arguments).decode())
        conversation = conversation.take(Reply(tool_calls=(call,)))
    if conversation.ended is None:
        conversation = conversation.take(Reply(text=words))
    assert conversation.ended in (EndReason.STOPPED, EndReason.GAVE_UP)
    return own.score(case, guidance, conversation.events), conversation.events


Define = Callable[[], object]
