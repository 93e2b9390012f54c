"""Tool calls that arrive in parts, in the ways in which servers send them.

A call is found by its index. Some servers send none (https://github.com/openai/openai-python/pull/3246), or the same
for all calls (https://github.com/huggingface/smolagents/pull/1958), or the whole name or call again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from pytest_ultra.core.bounds import MAX_CALLS
from pytest_ultra.providers.dialects.render import CALL_FIELDS
from pytest_ultra.providers.streams.merged_values import MergedFields, NodeCounter, TextBuffer

_MAX_NAME_CHARS = 1000


class CallParts:
    """One call of which parts have arrived."""

    def __init__(self, counter: NodeCounter) -> None:
        self.id = ""
        self.name = ""
        self._arguments = TextBuffer()
        self._last_char = ""
        self._extra = MergedFields(counter)

    def is_other(self, call_id: str, name: str, arguments: str) -> bool:
        """Return whether a part with the index of this call begins another."""
        if not name:
            return False
        if call_id and self.id:
            return call_id != self.id
        if not (self.name and self._arguments.chars):
            return False
        return name != self.name or (self._last_char == "}" and arguments.startswith("{"))

    def add(self, call_id: str, name: str, arguments: str) -> None:
        self.id = self.id or call_id
        self._add_name(name)
        if self._is_repeated(arguments):
            return
        self._arguments.add(arguments)
        self._last_char = arguments.rstrip()[-1:] or self._last_char

    def add_extra(self, entry: dict[str, Any]) -> None:
        if entry.keys() <= CALL_FIELDS:
            return
        for name, value in entry.items():
            if name not in CALL_FIELDS:
                self._extra.merge(name, value)

    def function(self) -> dict[str, Any]:
        arguments = self._arguments.text
        # the empty input with which Anthropic's streams begin: https://github.com/BerriAI/litellm/issues/4537
        return {"name": self.name, "arguments": arguments[2:] if arguments.startswith("{}{") else arguments}

    def entry(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": self.function(), **self._extra.values()}

    def _add_name(self, name: str) -> None:
        """Take a name whole, as it is repeated, or as the next part of one."""
        if not self.name or name.startswith(self.name):
            self.name = name or self.name
        elif len(self.name) < _MAX_NAME_CHARS:
            self.name += name

    def _is_repeated(self, arguments: str) -> bool:
        """Return whether these are all the arguments of a call that is complete, once more."""
        if self._last_char != "}" or len(arguments) != self._arguments.chars:
            return False
        return arguments == self._arguments.text


class CallFragments:
    """The calls of a message, in the order in which they began, up to the first one beyond `MAX_CALLS`."""

    def __init__(self, counter: NodeCounter) -> None:
        self._counter = counter
        self._calls: list[CallParts] = []
        self._by_index: dict[int, CallParts] = {}
        self._by_id: dict[str, CallParts] = {}

    def add(self, entries: Any) -> None:
        """Add the `tool_calls` of a delta."""
        found = entries if isinstance(entries, list) else [entries]
        for position, entry in enumerate(found):
            if isinstance(entry, dict):
                self._add_entry(entry, position)

    def entries(self) -> list[dict[str, Any]]:
        """Return the `tool_calls` of an answer that is not streamed."""
        return [call.entry() for call in self._calls]

    def _add_entry(self, entry: dict[str, Any], position: int) -> None:
        call_id, name, arguments = read_call(entry)
        index = _read_index(entry.get("index"))
        call = self._find(call_id, name, position) if index is None else self._by_index.get(index)
        if call is None or call.is_other(call_id, name, arguments):
            if len(self._calls) > MAX_CALLS:
                return
            call = CallParts(self._counter)
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        if call_id:
            self._by_id.setdefault(call_id, call)
        call.add(call_id, name, arguments)
        call.add_extra(entry)

    def _find(self, call_id: str, name: str, position: int) -> CallParts | None:
        """Find the call that a part without an index belongs to; None if it begins one."""
        last = self._calls[-1] if self._calls else None
        if call_id:
            is_unnamed = last is not None and not last.id and not (name and last.name)
            return self._by_id.get(call_id, last if is_unnamed else None)
        is_next = last is not None and name and (position > 0 or last.name not in ("", name))
        return None if is_next else last


def read_call(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Return id, name and arguments in a call or a part of one; empty where there is none."""
    function = entry.get("function")
    inner = function if isinstance(function, dict) else entry
    return _text(entry.get("id")), _text(inner.get("name")), "".join(_arguments(inner.get("arguments")))


def _read_index(index: Any) -> int | None:
    return index if isinstance(index, int) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: Any) -> Iterator[str]:
    """Yield the text of arguments; some servers send the object itself."""
    if isinstance(value, str):
        yield value
    elif value is not None:
        try:
            yield msgspec.json.encode(value).decode()
        except UnicodeEncodeError:
            yield json.dumps(value, ensure_ascii=False)
