"""Requests of real generated cases, for tests."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.json_types import ToolSchema

CASE = Case(
    model="demo",
    prompt_type=PromptType.OPTIMAL,
    task_type=TaskType.SIMPLE_TASK,
    difficulty=Difficulty.VERY_EASY,
    tool_success_rate=1.0,
    severity=None,
    instance=0,
    repeat=0,
    seed=0,
)


def make_request(
    model: str = "demo", *, repeat: int = 0, temperature: float | None = None, tools: tuple[ToolSchema, ...] = ()
) -> ChatRequest:
    case = msgspec.structs.replace(CASE, model=model, repeat=repeat, temperature=temperature)
    messages = ({"role": "user", "content": "Do it."},)
    return ChatRequest(case, guidance(), turn=1, messages=messages, tools=tools)


@lru_cache
def guidance() -> AnyGuidance:
    return make_guidance(CASE)
