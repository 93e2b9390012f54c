"""Whatever a model writes, its episode goes on, ends, and is scored: nothing in a reply raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.goal_check import check_goal
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.core.axes import PromptType, PromptVariant, TaskType, ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Score
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Replied, Reply, ToolCall
from tests.benchmark.agent_runs import make_case, run_agent
from tests.fuzzing import HOSTILE_VALUES, damage, fuzz

CASES = [
    make_case(prompt_type, task_type, tool_protocol=protocol, has_tool_discovery=discovery, prompt_variant=variant)
    for prompt_type, task_type, protocol, discovery, variant in (
        (PromptType.BASELINE, TaskType.BASIC_TASK, ToolProtocol.TEXT, False, PromptVariant.STANDARD),
        (PromptType.FLAWED_PARAMETER_ERROR, TaskType.API_INTEGRATION, ToolProtocol.TEXT, True, PromptVariant.STANDARD),
        (PromptType.OPTIMAL, TaskType.MULTI_STAGE_PIPELINE, ToolProtocol.TEXT, False, PromptVariant.CANARY),
        (PromptType.OPTIMAL, TaskType.BASIC_TASK, ToolProtocol.NATIVE, True, PromptVariant.CANARY),
    )
]
guidance_of: Callable[[Case], BenchmarkGuidance] = cache(make_guidance)


def run_replies(case: Case, replies: Sequence[Reply]) -> Score:
    """Run an episode of these replies, as far as it goes, and score it."""
    guidance = guidance_of(case)
    conversation = Conversation.begin(case, guidance)
    for reply in replies:
        if conversation.ended is None:
            conversation = conversation.take(reply)
            assert json.dumps(conversation.request().messages, ensure_ascii=False).encode()
    check_goal(guidance, conversation.events)
    return score(case, guidance, conversation.events)


@pytest.mark.parametrize("case", CASES, ids=["text", "discovery", "canary", "native"])
@pytest.mark.parametrize(
    "text",
    [
        '["a"]',
        '```json\n["a"]\n```',
        '["file_operations_reader"]',
        '<tool_call>["a"]</tool_call>',
        '[{"name": "file_operations_reader", "arguments": {"path": "x"}}, "a"]',
        '{"name": ["a"], "arguments": {}}',
        '{"function": ["a"], "arguments": {}}',
        '{"function": {"name": {"a": 1}, "arguments": ["a"]}}',
        '{"name": "describe_tool", "arguments": {"name": ["a"]}}',
        '{"name": "file_operations_reader", "arguments": ["a"]}',
        'ANSWER: ["a"]',
        'ANSWER: {"a": ["b"]}',
        "[null]",
        "[[]]",
        "null",
    ],
)
def test_json_that_is_no_call_does_not_stop_an_episode(case: Case, text: str) -> None:
    assert run_replies(case, [Reply(text), Reply("Done.")]).outcome.is_scored


NAMES = ["name", "arguments", "parameters", "function", "type", "data", "path", "a"]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats()
    | st.sampled_from(
        [*NAMES, "file_operations_reader", "search_tools", "describe_tool", "data_1", "{}", "<tool_call>"]
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)
WRITERS: list[Callable[[Json], str]] = [
    json.dumps,
    repr,
    lambda value: json.dumps(value)[:-1],
    lambda value: json.dumps(json.dumps(value)),
]
WRAPPERS = [
    *("{}", "```json\n{}\n```", "```\n{}", "```\n{}\n```\n```\n{}\n```", "I say {} now", "ANSWER: {}", "\\boxed{{{}}}"),
    *("<tool_call>{}</tool_call>", "<tool_call>{}", "[TOOL_CALLS]{}", "<tools>{}</tools>", "<function=a>{}</function>"),
]


@st.composite
def json_replies(draw: st.DrawFn) -> list[Reply]:
    texts = []
    for _ in range(draw(st.integers(1, 3))):
        value = draw(st.sampled_from(WRITERS))(draw(VALUES))
        texts.append(draw(st.sampled_from(WRAPPERS)).replace("{{", "{").replace("}}", "}").replace("{}", value))
    return [*map(Reply, texts), Reply("Done.")]


@fuzz(300)
@given(json_replies(), st.sampled_from(CASES))
def test_no_json_in_a_reply_raises(replies: list[Reply], case: Case) -> None:
    run_replies(case, replies)


@cache
def replies_of_perfect(case: Case) -> tuple[Reply, ...]:
    events = run_agent("perfect", case, guidance_of(case)).events
    return tuple(event.reply for event in events if isinstance(event, Replied))


def damaged(reply: Reply, data: st.DataObject) -> Reply:
    """Return a reply with damage in its text, or in the text of a call's arguments."""

    def change(text: str) -> str:
        return damage(text.encode(errors="replace"), data).decode(errors="replace")

    calls = tuple(ToolCall(call.id, call.name, change(call.arguments)) for call in reply.tool_calls)
    return Reply(change(reply.text), calls)


@fuzz(200)
@given(st.sampled_from(CASES), st.data())
def test_no_damaged_transcript_raises(case: Case, data: st.DataObject) -> None:
    whole = replies_of_perfect(case)
    cut = data.draw(st.integers(0, len(whole) - 1))
    rest = [damaged(reply, data) for reply in whole[cut : cut + 3]]
    run_replies(case, [*whole[:cut], *rest, Reply("Done.")])


@fuzz(200)
@given(st.lists(st.sampled_from([value.decode(errors="replace") for value in HOSTILE_VALUES]), min_size=1, max_size=3))
def test_no_hostile_value_in_a_call_raises(values: list[str]) -> None:
    for case in CASES[:2]:
        call = f'<tool_call>{{"name": "data_processing_filter", "arguments": {{"data": {values[0]}}}}}</tool_call>'
        run_replies(case, [Reply(call), *map(Reply, values), Reply(f"ANSWER: {values[-1]}")])
