"""Reference agents at a case without a network: the same course as over HTTP, in memory."""

from __future__ import annotations

from pytest_ultra.benchmark.agents import act, in_text, knowledge_of
from pytest_ultra.benchmark.axes import Difficulty, PromptType, PromptVariant, Severity, TaskType, ToolProtocol
from pytest_ultra.benchmark.case import Case
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.episode import Score
from pytest_ultra.benchmark.guidance import make_guidance
from pytest_ultra.benchmark.scoring import score


def make_case(
    prompt_type: PromptType = PromptType.OPTIMAL,
    task_type: TaskType = TaskType.BASIC_TASK,
    difficulty: Difficulty = Difficulty.EASY,
    *,
    severity: Severity | None = Severity.SEVERE,
    rate: float = 1.0,
    instance: int = 0,
    max_turns: int = 30,
    prompt_variant: PromptVariant = PromptVariant.STANDARD,
    tool_protocol: ToolProtocol = ToolProtocol.NATIVE,
    has_tool_discovery: bool = False,
) -> Case:
    return Case(
        model="demo/agent",
        prompt_type=prompt_type,
        task_type=task_type,
        difficulty=difficulty,
        tool_success_rate=rate,
        severity=severity if prompt_type.flaw_kind else None,
        instance=instance,
        repeat=0,
        seed=0,
        max_turns=max_turns,
        prompt_variant=prompt_variant,
        tool_protocol=tool_protocol,
        has_tool_discovery=has_tool_discovery,
    )


def converse(agent: str, case: Case) -> Conversation:
    """Let an agent live an episode."""
    conversation = Conversation.begin(case, make_guidance(case))
    while conversation.ended is None:
        request = conversation.request()
        play_turn = act if request.tools else in_text(act)
        conversation = conversation.take(play_turn(agent, request.messages, knowledge_of(request)))
    return conversation


def play(agent: str, case: Case) -> Score:
    conversation = converse(agent, case)
    return score(case, conversation.guidance, conversation.events)
