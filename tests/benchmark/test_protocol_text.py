"""An episode in the text protocol: the same marks as in the native one, and broken calls kept as evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest

from pytest_ultra.agents.text_protocol.text_messages import read_messages, write_reply
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.axes import Difficulty, PromptType, Severity, TaskType, ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.transcript import (
    Answered,
    EndReason,
    Event,
    FellBack,
    Forgiven,
    Replied,
    Reply,
    ToolCall,
)
from tests.benchmark.playing import converse, make_case, play

CASE = make_case(PromptType.BASELINE, difficulty=Difficulty.VERY_HARD, tool_protocol=ToolProtocol.TEXT)
READER = "file_operations_reader"


def begin(case: Case = CASE) -> Conversation:
    return Conversation.begin(case, make_guidance(case))


def answered(conversation: Conversation) -> list[tuple[str, str | None]]:
    return [(event.call.name, event.result.code) for event in conversation.events if isinstance(event, Answered)]


def make_cases() -> Iterator[Case]:
    for prompt_type in PromptType:
        for task_type in (TaskType.BASIC_TASK, TaskType.API_INTEGRATION, TaskType.MULTI_STAGE_PIPELINE):
            yield make_case(prompt_type, task_type, Difficulty.HARD, severity=Severity.MEDIUM, rate=0.8)


@pytest.mark.parametrize("agent", ReferenceAgent)
def test_every_reference_agent_gets_the_same_marks_in_text_as_in_the_native_protocol(agent: str) -> None:
    for case in make_cases():
        in_text = msgspec.structs.replace(case, tool_protocol=ToolProtocol.TEXT)
        if agent != "mixture":  # whose skill is drawn by case, of which the protocol is a part
            assert play(agent, in_text) == play(agent, case)
        assert all(event.forgiven == () for event in converse(agent, in_text).events if isinstance(event, Replied))


def test_tools_are_described_in_the_system_message_alone() -> None:
    request = begin().request()
    assert request.tools == ()
    lines = request.messages[0]["content"].splitlines()
    offered = make_guidance(CASE).task.tools
    described = [json.loads(line) for line in lines if line.startswith('{"name":')]
    assert [tool["name"] for tool in described] == list(offered)
    assert all(tool["description"] and tool["parameters"]["type"] == "object" for tool in described)
    assert not any(name in request.messages[1]["content"] for name in offered)


def test_the_answers_of_one_turn_come_back_in_order_as_one_message_of_the_users() -> None:
    calls = (ToolCall("", READER, '{"path": "none.csv"}'), ToolCall("", "no_such_tool", "{}"))
    conversation = begin().take(write_reply(Reply(text="Both.", tool_calls=calls)))
    assert [message["role"] for message in conversation.messages] == ["system", "user", "assistant", "user"]
    results = conversation.messages[-1]["content"].splitlines()
    assert [json.loads(line.removeprefix("<tool_result>").removesuffix("</tool_result>"))["error"] for line in results]
    assert answered(conversation) == [(READER, "NOT_FOUND"), ("no_such_tool", "UNKNOWN_TOOL")]
    native = read_messages(conversation.messages)
    assert [message["role"] for message in native] == ["system", "user", "assistant", "tool", "tool"]
    assert [json.loads(message["content"])["error"] for message in native[3:]] == ["NOT_FOUND", "UNKNOWN_TOOL"]


def test_what_had_to_be_forgiven_is_noted_beside_the_reply_as_it_was_sent() -> None:
    text = f'<tool_call>{{"name": "{READER}", "parameters": {{"path": "none.csv",}}}}'
    conversation = begin().take(Reply(text))
    replied = conversation.events[0]
    assert isinstance(replied, Replied)
    assert replied.reply == Reply(text)
    assert replied.forgiven == (Forgiven.UNCLOSED_TAG, Forgiven.OTHER_KEY, Forgiven.TRAILING_COMMA)
    assert answered(conversation) == [(READER, "NOT_FOUND")]


def test_a_native_call_is_taken_in_text_too() -> None:
    conversation = begin().take(Reply(tool_calls=(ToolCall("c", READER, '{"path": "none.csv"}'),)))
    assert isinstance(conversation.events[0], Replied)
    assert conversation.events[0].forgiven == (Forgiven.NATIVE_CALL,)
    assert "<tool_call>" in conversation.messages[2]["content"]
    assert [message["role"] for message in conversation.messages[2:]] == ["assistant", "user"]


def test_a_call_that_cannot_be_read_is_answered_with_an_error_and_kept() -> None:
    conversation = begin().take(Reply('<tool_call>{"name": "x", "arguments": {"path": "a</tool_call>'))
    event = conversation.events[-1]
    assert isinstance(event, Answered)
    assert (event.call.name, event.arguments) == ("x", None)
    assert event.call.arguments == '{"name": "x", "arguments": {"path": "a'
    told = json.loads(conversation.messages[-1]["content"].removeprefix("<tool_result>").removesuffix("</tool_result>"))
    assert told == {
        "error": "MALFORMED_CALL",
        "transient": False,
        "message": "The call could not be read. It is to be "
        '<tool_call>{"name": "...", "arguments": {...}}</tool_call>, with valid JSON inside.',
    }


def judge(*texts: str) -> tuple[FailureClass | None, float | None]:
    conversation = begin()
    for text in (*texts, "Done."):
        conversation = conversation.take(Reply(text))
    mark = score(CASE, conversation.guidance, conversation.events)
    return mark.failure_class, mark.argument_validity


BROKEN = "<tool_call>read the file</tool_call>"


def test_calls_that_cannot_be_read_are_a_fault_of_format_until_one_can() -> None:
    assert judge(BROKEN) == (FailureClass.TOOL_CALL_FORMAT, 0)
    path = next(iter(make_guidance(CASE).task.world.files))
    call = write_reply(Reply(tool_calls=(ToolCall("", READER, json.dumps({"path": path})),))).text
    failure_class, validity = judge(BROKEN, call)
    assert failure_class is not FailureClass.TOOL_CALL_FORMAT
    assert validity == 0.5


def test_the_same_unreadable_call_three_times_running_is_to_give_up() -> None:
    conversation = begin()
    for _ in range(3):
        conversation = conversation.take(Reply(BROKEN))
    assert conversation.ended is EndReason.GAVE_UP


def test_text_without_a_call_ends_the_episode() -> None:
    assert begin().take(Reply("I am done, no <tool_call> is left to make.")).ended is EndReason.STOPPED


def test_auto_begins_natively_and_begins_anew_in_text_where_tools_are_rejected() -> None:
    case = msgspec.structs.replace(CASE, tool_protocol=ToolProtocol.AUTO)
    native = begin(case)
    assert (native.protocol, len(native.tools)) == (ToolProtocol.NATIVE, len(native.guidance.task.tools))
    text = native.fall_back("no tools here")
    assert (text.protocol, text.tools, text.messages) == (ToolProtocol.TEXT, (), begin().messages)
    assert text.events == (FellBack(1, "no tools here"),)


def test_the_new_events_survive_encoding() -> None:
    events: tuple[Event, ...] = (
        FellBack(1, "status 400"),
        Replied(1, Reply("x"), (Forgiven.UNCLOSED_TAG,)),
        *(event for event in begin().take(Reply(BROKEN)).events),
    )
    assert msgspec.json.decode(msgspec.json.encode(events), type=tuple[Event, ...]) == events
    assert answered(begin().take(Reply(BROKEN))) == [("", EarnedCode.MALFORMED_CALL)]
