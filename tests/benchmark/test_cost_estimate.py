"""The estimated cost of an episode is close to its actual cost."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.cost_estimate import BYTES_PER_TOKEN, estimate
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.core.axes import PromptType, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.reference_agent import knowledge_of
from tests.benchmark.agent_runs import make_case


def run_perfect_agent(case: Case) -> tuple[int, float]:
    """Return the requests and the prompt tokens of an episode of the perfect agent."""
    conversation, requests, size = Conversation.begin(case, make_guidance(case)), 0, 0
    while conversation.ended is None:
        request = conversation.request()
        requests += 1
        size += len(msgspec.json.encode(request.messages)) + len(msgspec.json.encode(request.tools))
        conversation = conversation.take(act("perfect", conversation.messages, knowledge_of(request)))
    return requests, size / BYTES_PER_TOKEN


def test_the_estimate_is_near_what_the_perfect_agent_takes() -> None:
    cases = [make_case(task_type=task_type, rate=0.8, instance=n) for task_type in TaskType for n in range(4)]
    taken = [run_perfect_agent(case) for case in cases]
    expected = [estimate(case, make_guidance(case)) for case in cases]
    assert sum(each.requests for each in expected) == pytest.approx(sum(r for r, _ in taken), rel=0.15)
    assert sum(each.prompt_tokens for each in expected) == pytest.approx(sum(t for _, t in taken), rel=0.2)


def test_calls_follow_from_the_workflow_and_the_success_rate() -> None:
    case = make_case(rate=0.5)
    guidance = make_guidance(case)
    each = estimate(case, guidance)
    assert each.tool_calls == len(guidance.optimal.steps) / 0.5
    assert each.requests == each.tool_calls + 1


def test_the_estimate_never_exceeds_the_turn_limit() -> None:
    case = make_case(rate=0.1, max_turns=12)
    assert estimate(case, make_guidance(case)).requests == 12


def test_a_plan_and_tool_discovery_cost_more() -> None:
    plain, planned = make_case(PromptType.BASELINE), make_case(PromptType.OPTIMAL)
    looking = make_case(PromptType.BASELINE, has_tool_discovery=True)
    base, with_plan, with_discovery = (estimate(case, make_guidance(case)) for case in (plain, planned, looking))
    assert with_plan.prompt_tokens > base.prompt_tokens
    assert with_discovery.requests > base.requests
