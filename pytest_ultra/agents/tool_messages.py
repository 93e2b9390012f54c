"""Tool calls and results in the shapes of the providers' SDKs."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json, Message
from pytest_ultra.core.transcript import ToolCall


def read_call(given: Any) -> ToolCall:
    """Return a tool call from an SDK's object, or from a dict with the same fields.

    Known shapes: OpenAI's chat completions (`id`, `function`), OpenAI's Responses (`call_id`, `name`, `arguments`),
    Anthropic's (`id`, `name`, `input`), LangChain's (`id`, `name`, `args`). Raises TypeError for any other.
    """
    function = _get(given, "function")
    named = given if function is None else function
    name = _get(named, "name")
    arguments = next((found for key in _ARGUMENTS if (found := _get(named, key)) is not None), None)
    call_id = _get(given, "call_id") or _get(given, "id") or ""
    if not isinstance(name, str) or arguments is None:
        raise TypeError(
            f"{type(given).__name__} is not a tool call: it needs a name and arguments, as the calls of the openai and "
            "anthropic packages have them; or use call(name, arguments)"
        )
    return ToolCall(str(call_id), name, write_arguments(arguments))


def write_result(given: Any, content: str) -> Message:
    """Return the message that answers a tool call, in the call's shape."""
    call = read_call(given)
    if _get(given, "function") is not None:
        return {"role": "tool", "tool_call_id": call.id, "content": content}
    if _get(given, "input") is not None:
        return {"type": "tool_result", "tool_use_id": call.id, "content": content}
    if _get(given, "call_id") is not None:
        return {"type": "function_call_output", "call_id": call.id, "output": content}
    return {"role": "tool", "tool_call_id": call.id, "content": content}


def write_arguments(arguments: Json) -> str:
    """Return arguments as JSON text; text is taken as it is."""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


_ARGUMENTS = ("arguments", "input", "args")


def _get(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, dict) else getattr(given, name, None)
