"""What a model is shown at the start of an episode: messages, tools, and the plan with its damages marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.reporting.failure_text import WIDTH, tell_case, tell_plan
from pytest_ultra.reporting.text import count, fill, neutralise


def tell_prompt(case: Case, case_id: str, request: ChatRequest, guidance: AnyGuidance) -> list[str]:
    """Tell the first request of an episode, in lines of at most 100 columns."""
    return [*tell_case(case, case_id), *_messages(request), *_tools(request), *tell_plan(case, guidance)]


def _messages(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        yield f"{message['role']} message:"
        yield from fill(message["content"], WIDTH, "  ")


def _tools(request: ChatRequest) -> Iterator[str]:
    if not request.tools:
        yield "tools: none beside the messages, as the text protocol has it"
        return
    yield f"{count(len(request.tools), 'tool')}:"
    for schema in request.tools:
        tool = schema["function"]
        yield f"  {neutralise(tool['name'])}({_parameters(tool['parameters'])})"
        yield from fill(tool["description"], WIDTH, "    ")


def _parameters(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    return ", ".join(f"{name}{'' if name in required else '?'}" for name in schema.get("properties", {}))
