"""The prompt at the start of an episode: messages, tools, and the plan with its damaged steps marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.reporting.failure_text import WIDTH, case_lines, plan_lines
from pytest_ultra.reporting.text import count, fill, neutralise


def prompt_lines(case: Case, case_id: str, request: ChatRequest, guidance: AnyGuidance) -> list[str]:
    """Return the first request of an episode as text, in lines of at most 100 columns."""
    return [*case_lines(case, case_id), *_messages(request), *_tools(request), *plan_lines(case, guidance)]


def _messages(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        yield f"{message['role']} message:"
        yield from fill(message["content"], WIDTH, "  ")


def _tools(request: ChatRequest) -> Iterator[str]:
    if not request.tools:
        yield "tools: none sent separately; the text protocol describes them in the messages"
        return
    yield f"{count(len(request.tools), 'tool')}:"
    for schema in request.tools:
        tool = schema["function"]
        yield f"  {neutralise(tool['name'])}({_parameters(tool['parameters'])})"
        yield from fill(tool["description"], WIDTH, "    ")


def _parameters(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    return ", ".join(f"{name}{'' if name in required else '?'}" for name in schema.get("properties", {}))
