"""A perfect model for stand-in endpoints: it carries out the plan that it is shown, one call a turn."""

from __future__ import annotations

import json
import re
from typing import Any

_STEP = re.compile(r"^\d+\. Call (\S+) with (?=\{)", re.MULTILINE)
_OUTPUT = re.compile(r"<output of step (\d+)>")


def follow_plan(body: dict[str, Any]) -> str:
    """Return the reply to a request: the next call of the plan, or the answer at its end."""
    messages = body["messages"]
    steps = _steps(messages)
    done = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
    done = [answer for answer in done if not answer.get("transient")]
    message: dict[str, Any] = {"role": "assistant", "content": None, "reasoning_content": "Next step."}
    if len(done) >= len(steps):
        return _completion({**message, "content": f"Done.\nANSWER: {_first_value(done[-1].get('value'))}"})
    name, arguments = steps[len(done)]
    filled = json.dumps(_fill(arguments, [answer.get("handle", "") for answer in done]))
    call = {
        "id": f"call_{len(messages):09d}",
        "type": "function",
        "function": {"name": name, "arguments": filled},
        "extra_content": {"google": {"thought_signature": "c2ln=="}},
    }
    return _completion({**message, "tool_calls": [call]})


def _steps(messages: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    text = "\n".join(message["content"] for message in messages if message["role"] in ("system", "user"))
    return [(found[1], json.JSONDecoder().raw_decode(text[found.end() :])[0]) for found in _STEP.finditer(text)]


def _fill(value: Any, handles: list[str]) -> Any:
    if isinstance(value, str) and (found := _OUTPUT.fullmatch(value)):
        return handles[int(found[1]) - 1]
    if isinstance(value, list):
        return [_fill(inner, handles) for inner in value]
    return {name: _fill(inner, handles) for name, inner in value.items()} if isinstance(value, dict) else value


def _first_value(value: Any) -> Any:
    while isinstance(value, list | dict) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value


def _completion(message: dict[str, Any]) -> str:
    finish_reason = "tool_calls" if "tool_calls" in message else "stop"
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], "usage": usage})
