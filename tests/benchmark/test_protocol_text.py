"""Episodes in the text protocol get the same scores as native ones, and keep unreadable calls in the transcript."""

from __future__ import annotations

import json

import msgspec
import pytest

from pytest_ultra.agents.text_protocol.text_messages import read_messages, write_reply
from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.axes import Difficulty, PromptType, ToolProtocol
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
from tests.benchmark.agent_runs import make_case, run_agent, score_agent, varied_cases

CASE = make_case(PromptType.BASELINE, difficulty=Difficulty.VERY_HARD, tool_protocol=ToolProtocol.TEXT)
READER = "file_operations_reader"


def start(case: Case = CASE) -> Conversation:
    return Conversation.begin(case, make_guidance(case))


def answered(conversation: Conversation) -> list[tuple[str, str | None]]:
    return [(event.call.name, event.result.code) for event in conversation.events if isinstance(event, Answered)]


@pytest.mark.parametrize("agent", ReferenceAgent)
def test_every_reference_agent_gets_the_same_score_in_text_as_in_the_native_protocol(agent: str) -> None:
    for case in varied_cases(agent):
        in_text = msgspec.structs.replace(case, tool_protocol=ToolProtocol.TEXT)
        run = run_agent(agent, in_text)
        if agent != "mixture":  # its skill is drawn by case, and the protocol is part of the case
            assert score(in_text, run.guidance, run.events) == score_agent(agent, case)
        assert all(event.forgiven == () for event in run.events if isinstance(event, Replied))


def test_tools_are_described_only_in_the_system_message() -> None:
    request = start().request()
    assert request.tools == ()
    lines = request.messages[0]["content"].splitlines()
    offered = make_guidance(CASE).task.tools
    described = [json.loads(line) for line in lines if line.startswith('{"name":')]
    assert [tool["name"] for tool in described] == list(offered)
    assert all(tool["description"] and tool["parameters"]["type"] == "object" for tool in described)
    assert not any(name in request.messages[1]["content"] for name in offered)


def test_the_results_of_one_turn_are_one_user_message_in_order() -> None:
    calls = (ToolCall("", READER, '{"path": "none.csv"}'), ToolCall("", "no_such_tool", "{}"))
    conversation = start().take(write_reply(Reply(text="Both.", tool_calls=calls)))
    assert [message["role"] for message in conversation.messages] == ["system", "user", "assistant", "user"]
    results = conversation.messages[-1]["content"].splitlines()
    assert [json.loads(line.removeprefix("<tool_result>").removesuffix("</tool_result>"))["error"] for line in results]
    assert answered(conversation) == [(READER, "NOT_FOUND"), ("no_such_tool", "UNKNOWN_TOOL")]
    native = read_messages(conversation.messages)
    assert [message["role"] for message in native] == ["system", "user", "assistant", "tool", "tool"]
    assert [json.loads(message["content"])["error"] for message in native[3:]] == ["NOT_FOUND", "UNKNOWN_TOOL"]


def test_what_was_forgiven_is_recorded_beside_the_reply_as_it_was_sent() -> None:
    text = f'<tool_call>{{"name": "{READER}", "parameters": {{"path": "none.csv",}}}}'
    conversation = start().take(Reply(text))
    replied = conversation.events[0]
    assert isinstance(replied, Replied)
    assert replied.reply == Reply(text)
    assert replied.forgiven == (Forgiven.UNCLOSED_TAG, Forgiven.OTHER_KEY, Forgiven.TRAILING_COMMA)
    assert answered(conversation) == [(READER, "NOT_FOUND")]


def test_a_native_call_is_accepted_in_text_too() -> None:
    conversation = start().take(Reply(tool_calls=(ToolCall("c", READER, '{"path": "none.csv"}'),)))
    assert isinstance(conversation.events[0], Replied)
    assert conversation.events[0].forgiven == (Forgiven.NATIVE_CALL,)
    assert "<tool_call>" in conversation.messages[2]["content"]
    assert [message["role"] for message in conversation.messages[2:]] == ["assistant", "user"]


def test_an_unreadable_call_gets_an_error_and_is_kept() -> None:
    conversation = start().take(Reply('<tool_call>{"name": "x", "arguments": {"path": "a</tool_call>'))
    event = conversation.events[-1]
    assert isinstance(event, Answered)
    assert (event.call.name, event.arguments) == ("x", None)
    assert event.call.arguments == '{"name": "x", "arguments": {"path": "a'
    error = json.loads(
        conversation.messages[-1]["content"].removeprefix("<tool_result>").removesuffix("</tool_result>")
    )
    assert error == {
        "error": "MALFORMED_CALL",
        "transient": False,
        "message": "The call could not be read. It is to be "
        '<tool_call>{"name": "...", "arguments": {...}}</tool_call>, with valid JSON inside.',
    }


def score_replies(*texts: str) -> tuple[FailureClass | None, float | None]:
    conversation = start()
    for text in (*texts, "Done."):
        conversation = conversation.take(Reply(text))
    mark = score(CASE, conversation.guidance, conversation.events)
    return mark.failure_class, mark.argument_validity


BROKEN = "<tool_call>read the file</tool_call>"


def test_unreadable_calls_are_a_format_failure_until_one_can_be_read() -> None:
    assert score_replies(BROKEN) == (FailureClass.TOOL_CALL_FORMAT, 0)
    first = make_guidance(CASE).optimal.steps[0].call
    call = write_reply(Reply(tool_calls=(ToolCall("", first.tool, json.dumps(first.arguments)),))).text
    failure_class, validity = score_replies(BROKEN, call)
    assert failure_class is not FailureClass.TOOL_CALL_FORMAT
    assert validity == 0.5


def test_the_same_unreadable_call_three_times_in_a_row_is_giving_up() -> None:
    conversation = start()
    for _ in range(3):
        conversation = conversation.take(Reply(BROKEN))
    assert conversation.ended is EndReason.GAVE_UP


def test_text_without_a_call_ends_the_episode() -> None:
    assert start().take(Reply("I am done, no <tool_call> is left to make.")).ended is EndReason.STOPPED


def test_auto_starts_natively_and_restarts_in_text_if_tools_are_rejected() -> None:
    case = msgspec.structs.replace(CASE, tool_protocol=ToolProtocol.AUTO)
    native = start(case)
    assert (native.protocol, len(native.tools)) == (ToolProtocol.NATIVE, len(native.guidance.task.tools))
    text = native.fall_back("no tools here")
    assert (text.protocol, text.tools, text.messages) == (ToolProtocol.TEXT, (), start().messages)
    assert text.events == (FellBack(1, "no tools here"),)


def test_events_of_the_text_protocol_survive_encoding() -> None:
    events: tuple[Event, ...] = (
        FellBack(1, "status 400"),
        Replied(1, Reply("x"), (Forgiven.UNCLOSED_TAG,)),
        *(event for event in start().take(Reply(BROKEN)).events),
    )
    assert msgspec.json.decode(msgspec.json.encode(events), type=tuple[Event, ...]) == events
    assert answered(start().take(Reply(BROKEN))) == [("", EarnedCode.MALFORMED_CALL)]
