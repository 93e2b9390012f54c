"""Run reference agents and scripted models on a case in memory: the same episodes as over HTTP, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path

import msgspec

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.generator.generate import generate_task
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.reference_agents import act, in_text_protocol
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.core.axes import (
    Difficulty,
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
    join_fault_kinds,
)
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.episode import Score
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.reference_agent import ReferenceAgent, knowledge_of
from pytest_ultra.core.transcript import Reply, ToolCall

make_task = lru_cache(maxsize=256)(generate_task)
"""Cached, so that the tests of a file share each task; bounded, because those of long tables take megabytes."""


def make_tasks(
    instances: int, task_types: Iterable[TaskType] = TaskType, *, very_hard: int | None = None
) -> list[Task]:
    """Return tasks of all levels; with `very_hard`, only so many instances of that one, whose tables are long."""
    keys = [TaskKey(*key) for key in product(task_types, Difficulty, range(instances), [0])]
    most = instances if very_hard is None else very_hard
    return [make_task(key) for key in keys if key.difficulty is not Difficulty.VERY_HARD or key.instance < most]


def make_case(
    prompt_type: PromptType = PromptType.OPTIMAL,
    task_type: str = TaskType.BASIC_TASK,
    difficulty: Difficulty = Difficulty.EASY,
    *,
    severity: Severity | None = Severity.SEVERE,
    rate: float = 1.0,
    instance: int = 0,
    max_turns: int = 30,
    prompt_variant: PromptVariant = PromptVariant.STANDARD,
    tool_protocol: ToolProtocol = ToolProtocol.NATIVE,
    has_tool_discovery: bool = False,
    fault_kinds: Iterable[FaultKind] = (FaultKind.TRANSIENT,),
    flaw_visibility: Visibility | None = None,
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
        fault_kind=join_fault_kinds(fault_kinds),
        flaw_visibility=flaw_visibility,
    )


def varied_cases(agent: str, *, max_turns: int = 30) -> Iterator[Case]:
    """Yield a case of every prompt type, for what must hold of any agent in any form of its episode.

    Task types take turns, and agents start with different ones, so all pairs of prompt type and task type occur.
    """
    task_types = (TaskType.BASIC_TASK, TaskType.API_INTEGRATION, TaskType.MULTI_STAGE_PIPELINE)
    for number, prompt_type in enumerate(PromptType, start=list(ReferenceAgent).index(ReferenceAgent(agent))):
        task_type = task_types[number % len(task_types)]
        yield make_case(
            prompt_type, task_type, Difficulty.HARD, severity=Severity.MEDIUM, rate=0.8, max_turns=max_turns
        )


def get_guidance(case: Case) -> BenchmarkGuidance:
    """Return a case's guidance, made once for all cases that differ only in what changes nothing in it."""
    shared = make_case(
        case.prompt_type,
        case.task_type,
        case.difficulty,
        severity=case.severity,
        rate=case.tool_success_rate,
        instance=case.instance,
        max_turns=case.max_turns,
        flaw_visibility=case.flaw_visibility,
    )
    return _make_guidance(msgspec.structs.replace(shared, seed=case.seed, flaws=case.flaws))


@lru_cache(maxsize=256)
def _make_guidance(case: Case) -> BenchmarkGuidance:
    return make_guidance(case, task=make_task(case.task_key))


def run_agent(agent: str, case: Case, guidance: BenchmarkGuidance | None = None) -> Conversation:
    """Run an episode of a reference agent."""
    conversation = Conversation.begin(case, guidance or get_guidance(case))
    while conversation.ended is None:
        request = conversation.request()
        act_function = act if request.tools else in_text_protocol(act)
        conversation = conversation.take(act_function(agent, request.messages, knowledge_of(request)))
    return conversation


def score_agent(agent: str, case: Case, guidance: BenchmarkGuidance | None = None) -> Score:
    conversation = run_agent(agent, case, guidance)
    return score(case, conversation.guidance, conversation.events)


def tool_call(tool: str, **arguments: Json) -> ToolCall:
    return ToolCall("call", tool, msgspec.json.encode(arguments).decode())


def run_script(case: Case, guidance: BenchmarkGuidance, *turns: Sequence[ToolCall] | str) -> Conversation:
    """Run an episode of a scripted model: a turn is a list of tool calls, or the text of the last reply."""
    conversation = Conversation.begin(case, guidance)
    for turn in turns:
        reply = Reply(text=turn) if isinstance(turn, str) else Reply(tool_calls=tuple(turn))
        conversation = conversation.take(reply)
    return conversation


def run_in_subprocess(code: str, hash_seed: str) -> str:
    """Run code in another process with this hash seed; return its output."""
    environ, root = {**os.environ, "PYTHONHASHSEED": hash_seed}, Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return done.stdout
