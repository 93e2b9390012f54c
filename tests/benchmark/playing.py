"""Reference agents and scripted models at a case without a network: the same course as over HTTP, in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import msgspec

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.reference_agents import act, in_text
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.core.axes import Difficulty, PromptType, PromptVariant, Severity, TaskType, ToolProtocol
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.episode import Score
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.reference_agent import knowledge_of
from pytest_ultra.core.transcript import Reply, ToolCall

make_task = cache(generate_task)
"""Each task is made once for all tests."""


def make_tasks(instances: int, task_types: Iterable[TaskType] = TaskType) -> list[Task]:
    keys = product(task_types, Difficulty, range(instances), [0])
    return [make_task(TaskKey(*key)) for key in keys]


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


def converse(agent: str, case: Case, guidance: BenchmarkGuidance | None = None) -> Conversation:
    """Let an agent live an episode."""
    conversation = Conversation.begin(case, guidance or make_guidance(case))
    while conversation.ended is None:
        request = conversation.request()
        play_turn = act if request.tools else in_text(act)
        conversation = conversation.take(play_turn(agent, request.messages, knowledge_of(request)))
    return conversation


def play(agent: str, case: Case, guidance: BenchmarkGuidance | None = None) -> Score:
    conversation = converse(agent, case, guidance)
    return score(case, conversation.guidance, conversation.events)


def use(tool: str, **arguments: Json) -> ToolCall:
    return ToolCall("call", tool, msgspec.json.encode(arguments).decode())


def recite(case: Case, guidance: BenchmarkGuidance, *turns: Sequence[ToolCall] | str) -> Conversation:
    """Let a scripted model live an episode: a turn is its tool calls, or what it says at the end."""
    conversation = Conversation.begin(case, guidance)
    for turn in turns:
        reply = Reply(text=turn) if isinstance(turn, str) else Reply(tool_calls=tuple(turn))
        conversation = conversation.take(reply)
    return conversation


def run_elsewhere(code: str, hash_seed: str) -> str:
    """Run code in another process under another hash seed, and return what it prints."""
    environ, root = {**os.environ, "PYTHONHASHSEED": hash_seed}, Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return done.stdout
