"""A perfect model behind a scripted server: it carries out the plan that it is shown, step by step."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.run.scripted_server import text_reply, tool_call_reply

_STEP = re.compile(r"^\d+\. Call (\S+) with (?=\{)", re.MULTILINE)
_OUTPUT = re.compile(r"<output of step (\d+)>")


def follow_plan(body: dict[str, Any]) -> str:
    """Return the body of the reply to a request."""
    messages = body["messages"]
    steps = _steps(messages)
    results = [json.loads(message["content"]) for message in messages if message["role"] == "tool"]
    done = [result for result in results if not result.get("transient")]
    if len(done) >= len(steps):
        return text_reply(f"Done.\nANSWER: {_last_value(results)}")
    tool, arguments = steps[len(done)]
    return tool_call_reply(tool, json.dumps(_fill(arguments, [result.get("handle", "") for result in done])))


def _steps(messages: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    text = "\n".join(message["content"] for message in messages if message["role"] in ("system", "user"))
    return [(found[1], json.JSONDecoder().raw_decode(text, found.end())[0]) for found in _STEP.finditer(text)]


def _fill(value: Any, handles: list[str]) -> Any:
    if isinstance(value, dict):
        return {name: _fill(item, handles) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, handles) for item in value]
    found = _OUTPUT.fullmatch(value) if isinstance(value, str) else None
    return handles[int(found[1]) - 1] if found else value


def _last_value(results: list[Any]) -> Any:
    value = results[-1].get("value")
    while isinstance(value, list | dict) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value
