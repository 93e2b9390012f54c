"""The prompt at the start of an episode: messages, tools, and the plan with its damaged steps marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.reporting.failure_text import case_texts, plan_texts
from pytest_ultra.reporting.labelled_text import LabelledText, paragraphs, wrap_texts
from pytest_ultra.reporting.text import count, neutralise


def prompt_lines(case: Case, case_id: str, request: ChatRequest, guidance: AnyGuidance, width: int) -> list[str]:
    """Return the first request of an episode as text, in lines of at most `width` columns, and of at most 100."""
    texts = [*case_texts(case, case_id), *_messages(request), *_tools(request), *plan_texts(case, guidance)]
    return wrap_texts(texts, width)


def _messages(request: ChatRequest) -> Iterator[LabelledText]:
    for message in request.messages:
        yield LabelledText("", f"{message['role']} message:")
        yield from paragraphs("  ", message["content"])


def _tools(request: ChatRequest) -> Iterator[LabelledText]:
    if not request.tools:
        yield LabelledText("tools: ", "none sent separately; the text protocol describes them in the messages")
        return
    yield LabelledText("", f"{count(len(request.tools), 'tool')}:")
    for schema in request.tools:
        tool = schema["function"]
        yield LabelledText("  ", neutralise(f"{tool['name']}({_parameters(tool['parameters'])})"))
        yield from paragraphs("    ", tool["description"])


def _parameters(schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    return ", ".join(f"{name}{'' if name in required else '?'}" for name in schema.get("properties", {}))
