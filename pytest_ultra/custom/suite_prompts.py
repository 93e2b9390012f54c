"""The opening messages of an episode in a user's suite."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_ultra.agents.text_protocol.text_messages import describe_tools
from pytest_ultra.benchmark.wordings import WORDINGS
from pytest_ultra.core.axes import PromptType, PromptVariant
from pytest_ultra.core.case import Case
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.workflow import render
from pytest_ultra.custom.custom_task import CustomGuidance

_HANDLES = re.compile(r"^.*\bdata_1\b.*\n", re.MULTILINE)
"""What the built-in system messages say of handles, which only the built-in tools have."""
_REFERENCES = {
    PromptVariant.STANDARD: "In it, <output of step N> stands for what step N returned, and <output of step N: a.b[0]> "
    "for the part of it at that path.",
    PromptVariant.BRIEF: "<output of step N>: what step N returned; <output of step N: a.b[0]>: the part at that path.",
    PromptVariant.FORMAL: "Therein, <output of step N> denotes whatever step N has returned, and "
    "<output of step N: a.b[0]> denotes the part thereof at the path stated.",
}


def plan_text(guidance: CustomGuidance, prompt_type: PromptType) -> str:
    """Return the plan as text; empty for a prompt type without a plan."""
    plan = guidance.shown(prompt_type)
    return render(plan) if plan else ""


def opening_messages(
    case: Case, guidance: CustomGuidance, text_tools: Sequence[ToolSchema] = ()
) -> tuple[Message, ...]:
    """Return the system message, and the user message with the job and the plan."""
    wording = WORDINGS[case.prompt_variant]
    parts = [wording.job.format(words=guidance.task.words)]
    if case.prompt_type is PromptType.COT:
        parts.append(wording.cot)
    if plan := plan_text(guidance, case.prompt_type):
        parts.append(f"{wording.plan}\n{plan}")
        if "<output of step " in render(guidance.optimal):
            parts.append(_REFERENCES[case.prompt_variant])
    system = [guidance.task.system, _HANDLES.sub("", wording.system)]
    if text_tools:
        system.append(f"{wording.text_protocol}\n{describe_tools(text_tools)}")
    return (
        {"role": "system", "content": "\n\n".join(filter(None, system))},
        {"role": "user", "content": "\n\n".join(parts)},
    )
