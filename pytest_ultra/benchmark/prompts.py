"""The opening prompt of an episode: the system message, and the user message with the job and the plan."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.agents.text_protocol.text_messages import describe_tools
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.wordings import WORDINGS
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.workflow import render

REFERENCE_START = "<output of step "


def plan_text(prompt_type: PromptType, guidance: BenchmarkGuidance) -> str:
    """Return the plan as text; empty for a prompt type without a plan."""
    plan = guidance.shown(prompt_type)
    return render(plan) if plan else ""


def opening(case: Case, guidance: BenchmarkGuidance, text_tools: Sequence[ToolSchema] = ()) -> tuple[Message, ...]:
    """Return the first messages of an episode: the system message, and the user message with the job and the plan.

    `text_tools` are the tools to describe in the system message, for the text protocol.
    """
    wording = WORDINGS[case.prompt_variant]
    parts = [wording.job.format(words=guidance.task.words)]
    if case.prompt_type is PromptType.COT:
        parts.append(wording.cot)
    if case.prompt_type.has_plan:
        parts.append(f"{wording.plan}\n{plan_text(case.prompt_type, guidance)}")
        if REFERENCE_START in render(guidance.optimal):
            parts.append(wording.references)
    system = {"role": "system", "content": _system(case, text_tools)}
    return (system, {"role": "user", "content": "\n\n".join(parts)})


def _system(case: Case, text_tools: Sequence[ToolSchema]) -> str:
    wording = WORDINGS[case.prompt_variant]
    parts = [wording.system]
    if case.has_tool_discovery:
        parts.append(wording.discovery)
    if text_tools:
        parts.append(f"{wording.text_protocol}\n{describe_tools(text_tools)}")
    return "\n\n".join(parts)
