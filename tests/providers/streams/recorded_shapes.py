"""Streams in the shapes that providers' documentation and users' reports show, and the replies that they mean."""

from __future__ import annotations

from typing import Any

from pytest_ultra.core.transcript import Reply, ToolCall
from tests.providers.streams.streamed import DONE, delta, event, part, stream

ADD, CITY = '{"a": 1}', '{"city": "Paris"}'
TWO_CALLS = (ToolCall("call_1", "add", ADD), ToolCall("call_2", "weather", CITY))
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def with_usage(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "usage": USAGE}


def whole(index: int | None, number: int, **more: Any) -> dict[str, Any]:
    name, arguments = (("add", ADD), ("weather", CITY))[number - 1]
    return part(index, name, arguments, id=f"call_{number}", type="function", **more)


def calls(*found: ToolCall, text: str = "", finish: str = "tool_calls", **more: Any) -> Reply:
    return Reply(text, found, prompt_tokens=7, completion_tokens=3, finish_reason=finish, **more)


DONE_REPLY = calls(text="Done.", finish="stop")

OPENAI = stream(
    delta(role="assistant", content=None, refusal=None),
    part(0, "add", "", id="call_1", type="function"),
    part(0, arguments='{"a"'),
    part(0, arguments=": 1}"),
    part(1, "weather", "", id="call_2", type="function"),
    part(1, arguments=CITY),
    delta("tool_calls"),
    {"choices": [], "usage": USAGE},
)
AZURE = stream(
    {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
    delta(role="assistant"),
    delta(content="Do"),
    delta(content="ne."),
    delta("stop"),
    {"choices": [], "usage": USAGE},
)
DEEPSEEK = stream(
    delta(role="assistant", content=None, reasoning_content=""),
    delta(content=None, reasoning_content="First "),
    delta(content=None, reasoning_content="add."),
    delta(content="Adding.", reasoning_content=None),
    part(0, "add", ADD, id="call_1", type="function"),
    with_usage(delta("tool_calls", content="", reasoning_content=None)),
)
GROQ = stream(
    delta(role="assistant", content=None, reasoning="Think."),
    delta(tool_calls=[{"id": "call_1", "type": "function", "function": {"name": "add", "arguments": ADD}, "index": 0}]),
    {**delta("tool_calls"), "x_groq": {"id": "req_1", "usage": USAGE}},
)
MISTRAL = stream(
    delta(role="assistant", content=""),
    with_usage(
        delta(
            "tool_calls",
            tool_calls=[
                {"id": "call_1", "function": {"name": "add", "arguments": ADD}, "index": 0},
                {"id": "call_2", "function": {"name": "weather", "arguments": CITY}, "index": 1},
            ],
        )
    ),
)
OLLAMA = stream(
    delta(role="assistant", content="", reasoning="Hm."),
    whole(0, 1),
    whole(0, 2),
    delta("tool_calls", role="assistant", content=""),
    {"choices": [], "usage": USAGE},
)
GEMINI = stream(
    delta(
        role="assistant",
        tool_calls=[
            {
                "extra_content": {"google": {"thought_signature": "c2ln=="}},
                "function": {"name": "add", "arguments": ADD},
                "id": "call_1",
                "type": "function",
            }
        ],
    ),
    with_usage(
        delta("stop", role="assistant", tool_calls=[{**whole(None, 2)["choices"][0]["delta"]["tool_calls"][0]}])
    ),
)
OPENROUTER = b": OPENROUTER PROCESSING\n\n" * 3 + stream(
    delta(role="assistant", content="", reasoning="I ", reasoning_details=[_ := {
        "type": "reasoning.text", "text": "I ", "format": "anthropic-claude-v1", "index": 0,
    }]),
    delta(content="", reasoning="add.", reasoning_details=[{**_, "text": "add."}]),
    delta(content="", reasoning=None, reasoning_details=[
        {"type": "reasoning.text", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}
    ]),
    part(0, "add", "", id="call_1", type="function"),
    part(0, arguments=ADD, type="function"),
    delta("tool_calls", role="assistant", content=""),
    with_usage(delta(role="assistant", content="")),
)  # fmt: skip
VLLM = stream(
    with_usage(delta(role="assistant", content="")),
    part(0, "add", id="call_1", type="function"),
    *(part(0, arguments=char) for char in ADD),
    delta("tool_calls", content="", tool_calls=[]),
    {"choices": [], "usage": USAGE},
)
LLAMA = stream(
    delta(role="assistant", content=None),
    part(0, "add", "{", id="call_1", type="function"),
    part(0, arguments='"a": 1}'),
    {**delta("tool_calls"), "timings": {"predicted_n": 3}},
    {"choices": [], "usage": USAGE, "timings": {}},
)
LITELLM = stream(
    delta(role="assistant", content="", thinking_blocks=[{"type": "thinking", "thinking": "I ", "signature": None}]),
    delta(content="", thinking_blocks=[{"type": "thinking", "thinking": "add.", "signature": None}]),
    delta(content="", thinking_blocks=[{"type": "thinking", "thinking": "", "signature": "c2ln"}]),
    delta(content="", thinking_blocks=[{"type": "redacted_thinking", "data": "x"}]),
    part(0, "add", "{}", id="call_1", type="function"),
    part(0, arguments=ADD),
    with_usage(delta("tool_calls")),
)
ANTHROPIC_ERROR = stream(delta(content="Do"), done=False) + (
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
)

SHAPES: dict[str, tuple[bytes, Reply]] = {
    "openai": (OPENAI, calls(*TWO_CALLS)),
    "azure": (AZURE, DONE_REPLY),
    "deepseek": (DEEPSEEK, calls(TWO_CALLS[0], text="Adding.", extra={"reasoning_content": "First add."})),
    "groq": (GROQ, calls(TWO_CALLS[0], extra={"reasoning": "Think."})),
    "mistral": (MISTRAL, calls(*TWO_CALLS)),
    "ollama": (OLLAMA, calls(*TWO_CALLS, extra={"reasoning": "Hm."})),
    "gemini": (
        GEMINI,
        calls(
            ToolCall("call_1", "add", ADD, {"extra_content": {"google": {"thought_signature": "c2ln=="}}}),
            TWO_CALLS[1],
            finish="stop",
        ),
    ),
    "openrouter": (
        OPENROUTER,
        calls(
            TWO_CALLS[0],
            extra={
                "reasoning": "I add.",
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "I add.",
                        "format": "anthropic-claude-v1",
                        "index": 0,
                        "signature": "c2ln",
                    }
                ],
            },
        ),
    ),
    "vllm": (VLLM, calls(TWO_CALLS[0])),
    "llama.cpp": (LLAMA, calls(TWO_CALLS[0])),
    "litellm": (
        LITELLM,
        calls(
            TWO_CALLS[0],
            extra={
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "I add.", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "x"},
                ]
            },
        ),
    ),
    "one event": (
        event({"choices": [{"index": 0, "message": {"content": "Done."}, "finish_reason": "stop"}], "usage": USAGE}),
        DONE_REPLY,
    ),
    "whole message at the end": (
        stream(
            delta(content="Do"),
            delta(content="ne."),
            with_usage({"choices": [{"index": 0, "message": {"content": "Done."}, "finish_reason": "stop"}]}),
        ),
        DONE_REPLY,
    ),
    "moonshot": (
        stream(delta(content="Done."), {"choices": [{"index": 0, "finish_reason": "stop", "usage": USAGE}]}),
        DONE_REPLY,
    ),
    "thinking as content": (
        stream(
            delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]),
            delta(content="Done."),
            with_usage(delta("stop")),
        ),
        DONE_REPLY,
    ),
    "no index and no id after the first": (
        stream(
            part(None, "add", "", id="call_1"),
            part(None, arguments='{"a"'),
            part(None, arguments=": 1}"),
            part(None, "weather", "", id="call_2"),
            part(None, arguments=CITY),
            with_usage(delta("tool_calls")),
        ),
        calls(*TWO_CALLS),
    ),
    "name and id in each part": (
        stream(
            part(0, "add", '{"a"', id="call_1"),
            part(0, "add", ": 1}", id="call_1"),
            part(1, "weather", CITY, id="call_2"),
            with_usage(delta("tool_calls")),
        ),
        calls(*TWO_CALLS),
    ),
    "whole call once more": (
        stream(whole(0, 1), whole(1, 2), whole(0, 1), with_usage(delta("tool_calls"))),
        calls(*TWO_CALLS),
    ),
    "name in parts": (
        stream(
            part(0, "wea", id="call_2"),
            part(0, "ther"),
            part(0, arguments=CITY),
            with_usage(delta("tool_calls")),
        ),
        calls(TWO_CALLS[1]),
    ),
    "new id in each part": (
        stream(part(0, "add", '{"a"', id="call_1"), part(0, arguments=": 1}", id="x"), with_usage(delta("tool_calls"))),
        calls(TWO_CALLS[0]),
    ),
    "index 0 for all and no ids": (
        stream(part(0, "add", ADD), part(0, "add", ADD + " "), part(0, "weather", CITY), with_usage(delta("stop"))),
        calls(
            ToolCall("t0001c001", "add", ADD),
            ToolCall("t0001c002", "add", ADD + " "),
            ToolCall("t0001c003", "weather", CITY),
            finish="stop",
        ),
    ),
    "no index, all in one": (
        stream(
            delta(
                tool_calls=[
                    {"function": {"name": "add", "arguments": ""}},
                    {"function": {"name": "add", "arguments": ""}},
                    {"function": {"name": "weather", "arguments": {"city": "Paris"}}},
                ]
            ),
            with_usage(delta("stop")),
        ),
        calls(
            ToolCall("t0001c001", "add", "{}"),
            ToolCall("t0001c002", "add", "{}"),
            ToolCall("t0001c003", "weather", '{"city":"Paris"}'),
            finish="stop",
        ),
    ),
    "function_call": (
        stream(
            delta(function_call={"name": "add", "arguments": ""}),
            delta(function_call={"arguments": ADD}),
            with_usage(delta("function_call")),
        ),
        calls(ToolCall("t0001c001", "add", ADD), finish="function_call"),
    ),
    "usage in each event": (
        stream(
            {**delta(content="Do"), "usage": {"prompt_tokens": 7, "completion_tokens": 1}},
            {**delta(content="ne."), "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
            with_usage(delta("stop")),
            {"choices": [], "usage": None},
        ),
        DONE_REPLY,
    ),
    "refusal": (
        stream(delta(role="assistant"), delta(refusal="I "), delta(refusal="won't."), with_usage(delta("stop"))),
        calls(text="I won't.", finish="refusal"),
    ),
    "other choices": (
        stream(
            delta(content="Done."),
            {"choices": [{"index": 1, "delta": {"content": "No."}, "finish_reason": "length"}]},
            with_usage(delta("stop")),
        ),
        DONE_REPLY,
    ),
    "no [DONE]": (stream(delta(content="Done."), with_usage(delta("stop")), done=False), DONE_REPLY),
    "no finish reason": (stream(with_usage(delta(content="Done."))), DONE_REPLY),
    "after [DONE]": (stream(with_usage(delta("stop", content="Done."))) + DONE + b"junk", DONE_REPLY),
}  # fmt: skip
"""The bytes of each stream, and its reply."""
