"""Prompt variants: other words, the same content, and no hint that a plan is flawed."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.benchmark.canary_names import renaming_of
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.wordings import WORDINGS, Wording
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType, PromptVariant, Severity, ToolProtocol
from pytest_ultra.core.workflow import read
from tests.benchmark.agent_runs import make_case

GOLDEN = Path(__file__).parent / "golden"
SAME_NAMES = (PromptVariant.STANDARD, PromptVariant.BRIEF, PromptVariant.FORMAL)
PROTOCOLS = (ToolProtocol.NATIVE, ToolProtocol.TEXT)


def start(prompt_type: PromptType, variant: PromptVariant, **axes: object) -> Conversation:
    case = msgspec.structs.replace(make_case(prompt_type, prompt_variant=variant, severity=Severity.LIGHT), **axes)
    return Conversation.begin(case, make_guidance(case))


def prompt(prompt_type: PromptType, variant: PromptVariant, **axes: object) -> tuple[str, str]:
    system, user = start(prompt_type, variant, **axes).messages
    return system["content"], user["content"]


@pytest.mark.parametrize("variant", SAME_NAMES)
@pytest.mark.parametrize("prompt_type", PromptType)
def test_every_variant_shows_the_same_job_and_the_same_plan(prompt_type: PromptType, variant: PromptVariant) -> None:
    conversation = start(prompt_type, variant)
    _, user = prompt(prompt_type, variant)
    assert conversation.guidance.task.words in user
    assert conversation.plan in user
    assert conversation.plan == start(prompt_type, PromptVariant.STANDARD).plan
    assert (read(user) is not None) == prompt_type.has_plan
    assert (WORDINGS[variant].cot in user) == (prompt_type is PromptType.COT)


def test_the_wordings_of_the_variants_differ_in_every_part() -> None:
    for field in Wording.__struct_fields__:
        assert len({getattr(WORDINGS[variant], field) for variant in SAME_NAMES}) == len(SAME_NAMES), field
    assert WORDINGS[PromptVariant.CANARY] == WORDINGS[PromptVariant.STANDARD]


CONTENT = {
    "system": ("tool", "data_1", "preview", "`data`", '"transient": true', "change", "without", '"ANSWER: "', "value"),
    "text_protocol": (
        '<tool_call>{"name": "...", "arguments": {...}}</tool_call>',
        "JSON Schema",
        "<tool_result>...</",
    ),
    "discovery": ("search_tools", "describe_tool", "first"),
    "job": ("{words}",),
    "cot": ("step by step", "call", "missing", "next"),
    "plan": ("workflow",),
    "references": ("<output of step N>", "handle"),
}
"""What each part must contain in every variant."""


@pytest.mark.parametrize("variant", PromptVariant)
def test_every_wording_carries_the_same_information(variant: PromptVariant) -> None:
    assert CONTENT.keys() == set(Wording.__struct_fields__)
    for field, needed in CONTENT.items():
        text = getattr(WORDINGS[variant], field)
        assert [part for part in needed if part.lower() not in text.lower()] == [], field


@pytest.mark.parametrize("prompt_type", FLAWED_PROMPT_TYPES)
@pytest.mark.parametrize("variant", PromptVariant)
@pytest.mark.parametrize(("protocol", "has_discovery"), list(product(PROTOCOLS, (False, True))))
def test_a_flawed_prompt_differs_from_its_control_only_in_the_plan(
    prompt_type: PromptType, variant: PromptVariant, protocol: ToolProtocol, *, has_discovery: bool
) -> None:
    axes = {"tool_protocol": protocol, "has_tool_discovery": has_discovery}
    flawed, control = start(prompt_type, variant, **axes), start(PromptType.OPTIMAL, variant, severity=None, **axes)
    assert flawed.plan != control.plan
    assert flawed.tools == control.tools
    (system, user), (control_system, control_user) = flawed.messages, control.messages
    assert system == control_system
    assert user["content"].replace(flawed.plan, "") == control_user["content"].replace(control.plan, "")


@pytest.mark.parametrize("variant", PromptVariant)
def test_discovery_and_the_text_protocol_only_add_to_the_system_message(
    variant: PromptVariant,
) -> None:
    system, user = prompt(PromptType.OPTIMAL, variant)
    for protocol, has_discovery in product(PROTOCOLS, (False, True)):
        axes = {"tool_protocol": protocol, "has_tool_discovery": has_discovery}
        longer, same_user = prompt(PromptType.OPTIMAL, variant, **axes)
        assert same_user == user
        assert longer.startswith(system)
        assert (WORDINGS[variant].discovery in longer) == has_discovery
        assert (WORDINGS[variant].text_protocol in longer) == (protocol is ToolProtocol.TEXT)


def write_prompts(variant: PromptVariant) -> str:
    """Return the prompts of all types of one task: the system messages, and each user message."""
    parts = [f"==== system\n{prompt(PromptType.BASELINE, variant)[0]}"]
    text, _ = prompt(PromptType.BASELINE, variant, tool_protocol=ToolProtocol.TEXT, has_tool_discovery=True)
    parts.append(f"==== system, text protocol and tool discovery\n{text}")
    parts += [f"==== {prompt_type}\n{prompt(prompt_type, variant)[1]}" for prompt_type in PromptType]
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("variant", PromptVariant)
def test_prompts_are_as_reviewed(variant: PromptVariant) -> None:
    """After a change of a wording or the generator, review `write_prompts` and increase the version."""
    assert write_prompts(variant) == (GOLDEN / f"prompts_{variant}.txt").read_text()


def test_only_the_canary_has_other_names() -> None:
    for variant in PromptVariant:
        case = make_case(prompt_variant=variant)
        task = make_guidance(case).task
        assert bool(renaming_of(case, task).words) == (variant is PromptVariant.CANARY)
