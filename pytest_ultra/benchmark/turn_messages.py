"""How replies are heard and tools answer, in either protocol."""

from __future__ import annotations

import msgspec

from pytest_ultra.agents.text_protocol.text_calls import read_calls
from pytest_ultra.agents.text_protocol.text_messages import CALL, write_reply, write_results
from pytest_ultra.agents.text_protocol.text_reading import TextCall
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.benchmark.tools.invoke import parse_arguments
from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Forgiven, Reply, ToolCall, ToolResult

UNREADABLE_CALL = ToolResult(
    code=EarnedCode.MALFORMED_CALL, message=f"The call could not be read. It is to be {CALL}, with valid JSON inside."
)
"""What a call is answered that is none."""


class Heard(msgspec.Struct, frozen=True):
    """A reply's calls in order, those among them that could not be read, and what had to be forgiven."""

    calls: tuple[ToolCall, ...]
    unreadable: frozenset[str] = frozenset()
    forgiven: tuple[Forgiven, ...] = ()


def hear(reply: Reply, protocol: ToolProtocol, turn: int) -> Heard:
    """Find the calls of a reply. Native calls count in the text protocol too."""
    if protocol is not ToolProtocol.TEXT:
        return Heard(reply.tool_calls)
    if reply.tool_calls:
        return Heard(reply.tool_calls, forgiven=(Forgiven.NATIVE_CALL,))
    reading = read_calls(reply.text)
    calls = [(_with_id(call, turn, number), call) for number, call in enumerate(reading.calls, start=1)]
    unreadable = frozenset(named.id for named, call in calls if not call.is_readable)
    return Heard(tuple(named for named, _ in calls), unreadable, reading.forgiven)


def _with_id(call: TextCall, turn: int, number: int) -> ToolCall:
    return ToolCall(f"call_{turn}_{number}", call.name, call.arguments)


def assistant_message(reply: Reply, protocol: ToolProtocol) -> Message:
    """Write the reply as the next requests repeat it."""
    if protocol is ToolProtocol.TEXT:
        return {"role": "assistant", "content": write_reply(reply).text}
    message: Message = {"role": "assistant", "content": reply.text}
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _as_object(call.arguments)},
            }
            for call in reply.tool_calls
        ]
    return message


def _as_object(arguments: str) -> str:
    """Put what is no JSON object into one: a strict endpoint rejects a history with anything else in it."""
    if parse_arguments(arguments) is not None:
        return arguments
    said = arguments.encode(errors="replace").decode()
    return msgspec.json.encode({"malformed_arguments": said}).decode()


def with_answer(
    messages: tuple[Message, ...], call: ToolCall, result: ToolResult, protocol: ToolProtocol
) -> tuple[Message, ...]:
    """Add a tool's answer; in text, those of one turn are one message, since some models insist on taking turns."""
    content = answer_content(result)
    if protocol is not ToolProtocol.TEXT:
        return (*messages, {"role": "tool", "tool_call_id": call.id, "content": content})
    answer = write_results([content])
    if messages[-1]["role"] != "user":
        return (*messages, answer)
    return (*messages[:-1], {"role": "user", "content": f"{messages[-1]['content']}\n{answer['content']}"})


def answer_content(result: ToolResult) -> str:
    """Write a tool's answer as the model sees it: what was made, a receipt, or an error."""
    if result.is_success:
        content = result.value if result.handle else {"result": result.value}
    else:
        content = {"error": result.code, "transient": result.is_random, "message": result.message}
    return msgspec.json.encode(content).decode()
