"""The messages of a turn, in either protocol: read the calls of a reply, and write the results of tools."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from pytest_ultra.agents.text_protocol.call_parser import read_calls
from pytest_ultra.agents.text_protocol.parsed_reply import TextCall
from pytest_ultra.agents.text_protocol.text_messages import CALL_FORMAT, write_reply, write_results
from pytest_ultra.core.axes import FaultKind, ToolProtocol
from pytest_ultra.core.bounds import MAX_CALLS, parse_arguments
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Forgiven, Reply, ToolCall, ToolResult

MALFORMED_CALL = "MALFORMED_CALL"
"""The code of a call that cannot be read, or that is one too many."""

UNREADABLE_CALL = ToolResult(
    code=MALFORMED_CALL,
    message=f"The call could not be read. It is to be {CALL_FORMAT}, with valid JSON inside.",
)
"""The result of a call that could not be read."""


TOO_MANY_CALLS = ToolResult(
    code=MALFORMED_CALL,
    message=f"Neither this call nor any after it was made: a turn can make up to {MAX_CALLS} calls.",
)
"""The result of the first call beyond the limit; those after it are not read."""


_CALL_MARKS = ("{", "<", "[TOOL_CALLS]")
"""A text without any of these holds no call."""


class ReplyCalls(msgspec.Struct, frozen=True):
    """The calls of a reply in order, the ids of the unreadable ones, and the format errors that were forgiven.

    `in_text` counts the calls in the text of a native reply without calls, which are not run.
    """

    calls: tuple[ToolCall, ...]
    unreadable: frozenset[str] = frozenset()
    forgiven: tuple[Forgiven, ...] = ()
    in_text: int = 0


def read_reply(reply: Reply, protocol: ToolProtocol, turn: int, tools: Collection[str] = ()) -> ReplyCalls:
    """Return the calls of a reply, at most one more than `MAX_CALLS`. Native calls count in the text protocol too.

    `tools` are the names of the tools that can be called: calls of others in a native reply's text are not counted.
    """
    if protocol is not ToolProtocol.TEXT:
        return _read_native(reply, tools)
    if reply.tool_calls:
        return ReplyCalls(reply.tool_calls, forgiven=(Forgiven.NATIVE_CALL,))
    parsed = read_calls(reply.text)
    calls = tuple(_with_id(call, turn, number) for number, call in enumerate(parsed.calls, start=1))
    unreadable = frozenset(call.id for call, text in zip(calls, parsed.calls, strict=True) if not text.is_readable)
    return ReplyCalls(calls, unreadable, parsed.forgiven)


def _read_native(reply: Reply, tools: Collection[str]) -> ReplyCalls:
    if not reply.tool_calls:
        return ReplyCalls((), in_text=_count_calls_in_text(reply.text, tools))
    calls = tuple(_decoded_once(call) for call in reply.tool_calls)
    return ReplyCalls(calls, forgiven=() if calls == reply.tool_calls else (Forgiven.ARGUMENTS_AS_TEXT,))


def _count_calls_in_text(text: str, tools: Collection[str]) -> int:
    """Count the calls of known tools that a model, or its server, left in the text of a native reply."""
    if not any(mark in text for mark in _CALL_MARKS) or not any(tool in text for tool in tools):
        return 0
    return sum(call.name in tools for call in read_calls(text).calls)


def _decoded_once(call: ToolCall) -> ToolCall:
    """Return a call whose arguments were encoded twice with the JSON object inside; any other as it is."""
    inner = _inner_arguments(call.arguments)
    return call if inner is None else msgspec.structs.replace(call, arguments=inner)


def _inner_arguments(arguments: str) -> str | None:
    """Return the JSON object in arguments that are a JSON string, None if they are something else."""
    if not arguments.lstrip().startswith('"'):
        return None
    try:
        inner = msgspec.json.decode(arguments, type=str)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return inner if parse_arguments(inner) is not None else None


def _with_id(call: TextCall, turn: int, number: int) -> ToolCall:
    return ToolCall(f"call_{turn}_{number}", call.name, call.arguments)


def assistant_message(reply: Reply, protocol: ToolProtocol) -> Message:
    """Return the reply as a message for the next requests, with all that the endpoint sent.

    Each endpoint gets it in its own dialect, which may leave fields out.
    """
    if protocol is ToolProtocol.TEXT:
        return {"role": "assistant", "content": write_reply(reply).text}
    message: Message = {**(reply.extra or {}), "role": "assistant", "content": reply.text}
    if reply.tool_calls:
        message["tool_calls"] = [
            {
                **(call.extra or {}),
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _as_object(call.arguments)},
            }
            for call in reply.tool_calls
        ]
    return message


def _as_object(arguments: str) -> str:
    """Wrap arguments that are not a JSON object in one: a strict endpoint rejects a history with anything else."""
    if parse_arguments(arguments) is not None:
        return arguments
    if (inner := _inner_arguments(arguments)) is not None:
        return inner
    encodable = arguments.encode(errors="replace").decode()
    return msgspec.json.encode({"malformed_arguments": encodable}).decode()


def with_result(
    messages: tuple[Message, ...], call: ToolCall, result: ToolResult, protocol: ToolProtocol
) -> tuple[Message, ...]:
    """Append a tool's result. In text, a turn's results share one message: some models need alternating roles."""
    content = result_content(result)
    if protocol is not ToolProtocol.TEXT:
        return (*messages, {"role": "tool", "tool_call_id": call.id, "content": content})
    answer = write_results([content])
    if messages[-1]["role"] != "user":
        return (*messages, answer)
    return (*messages[:-1], {"role": "user", "content": f"{messages[-1]['content']}\n{answer['content']}"})


def result_content(result: ToolResult) -> str:
    """Return a tool's result as the model sees it: a preview of the new artefact, a receipt, or an error."""
    if result.is_success:
        content = result.value if result.handle else {"result": result.value}
    else:
        is_transient = result.fault_kind is FaultKind.TRANSIENT
        content = {"error": result.code, "transient": is_transient, "message": result.message}
    return msgspec.json.encode(content).decode()
