"""The words around a task and its plan, and the words in which a tool answers."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.axes import PromptType
from pytest_ultra.benchmark.task import Guidance
from pytest_ultra.benchmark.tools.base import ToolResult
from pytest_ultra.benchmark.transcript import Message
from pytest_ultra.benchmark.workflow import render

SYSTEM = """\
You get jobs done by calling tools.
A tool keeps what it produces under a handle such as data_1 and shows you a short preview; where a tool \
takes `data`, give it a handle.
An error marked "transient": true was bad luck and changed nothing; any other error tells you what to change.
Do what the job asks and nothing beyond it. When it is done, reply without calling a tool. If the job asks \
for an answer, end that reply with a line "ANSWER: " followed by the value."""

COT = "Think step by step: before each call, say briefly what is still missing and which call comes next."

PLAN = "Here is a workflow for this job:"


def plan_text(prompt_type: PromptType, guidance: Guidance) -> str:
    """Return the plan as it is shown; empty where none is."""
    if not prompt_type.has_plan:
        return ""
    if prompt_type.flaw_kind is None:
        return render(guidance.optimal)
    if guidance.flawed is None:
        raise ValueError(f"the guidance of a {prompt_type} case holds no flawed workflow")
    return render(guidance.flawed.workflow)


def opening(prompt_type: PromptType, guidance: Guidance) -> tuple[Message, ...]:
    """Return the messages that an episode starts with: a system message, and the user's with the plan."""
    parts = [guidance.task.words]
    if prompt_type is PromptType.COT:
        parts.append(COT)
    if prompt_type.has_plan:
        parts.append(f"{PLAN}\n{plan_text(prompt_type, guidance)}")
    return ({"role": "system", "content": SYSTEM}, {"role": "user", "content": "\n\n".join(parts)})


def answer_content(result: ToolResult) -> str:
    """Write a tool's answer as the model sees it: what was made, a receipt, or an error."""
    if result.is_success:
        content = result.value if result.handle else {"result": result.value}
    else:
        content = {"error": result.code, "transient": result.is_random, "message": result.message}
    return msgspec.json.encode(content).decode()
