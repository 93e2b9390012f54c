"""Values that arrive in parts: texts are joined, objects merged, and lists added to, item by item where they say which.

The time is in proportion to what arrives, and what is kept is bounded.
"""

from __future__ import annotations

import io
from typing import Any

from pytest_ultra.core.bounds import MAX_REPLY_CHARS, is_too_deep, without_lone_surrogates

_MAX_NODES = 20_000
"""Values, however deep, that the unknown fields of a reply may have; with more, there are none."""
_WHOLE = frozenset({"type", "id", "index", "format", "role", "name", "object"})
"""Texts that come whole each time, and not in parts: https://openrouter.ai/docs/use-cases/reasoning-tokens"""
_THOUGHTS = ("thinking", "reasoning")


class TextBuffer:
    """A text that arrives in parts. Beyond the longest reply that is kept, further parts are dropped."""

    def __init__(self, text: str = "") -> None:
        self._buffer = io.StringIO()
        self.chars = 0
        self.add(text)

    def add(self, text: str) -> None:
        if self.chars <= MAX_REPLY_CHARS:
            self._buffer.write(text)
            self.chars += len(text)

    @property
    def text(self) -> str:
        return self._buffer.getvalue()


class MergedList:
    """A list that arrives in parts. `by_index` finds the items that have an index."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.by_index: dict[int, Any] = {}


class NodeCounter:
    """Counts the values of one reply that are kept."""

    def __init__(self) -> None:
        self.left = _MAX_NODES


class MergedFields:
    """The unknown fields of a message or a call."""

    def __init__(self, counter: NodeCounter) -> None:
        self._counter = counter
        self._fields: dict[str, Any] = {}
        self._dropped: set[str] = set()

    def merge(self, name: str, value: Any) -> None:
        """Add a field's part; a field that is nested too deeply, as an unstreamed one, is not kept."""
        if self._counter.left <= 0 or name in self._dropped:
            return
        if is_too_deep(value):
            self._dropped.add(name)
            self._fields.pop(name, None)
            return
        self._fields[name] = self._merge(self._fields.get(name), value, name)

    def values(self) -> dict[str, Any]:
        """Return the fields as JSON values; none if there were too many values."""
        return {name: _finish(node) for name, node in self._fields.items()} if self._counter.left > 0 else {}

    def _merge(self, node: Any, value: Any, name: str = "") -> Any:
        if value is None:
            return node
        if isinstance(value, str) and isinstance(node, TextBuffer):
            if name in _WHOLE:
                return TextBuffer(value) if value else node
            node.add(value)
            return node
        if isinstance(value, dict):
            return self._merge_object(node if isinstance(node, dict) else self._new({}), value)
        if isinstance(value, list):
            return self._merge_list(node if isinstance(node, MergedList) else self._new(MergedList()), value)
        return self._new(TextBuffer(value)) if isinstance(value, str) else value

    def _merge_object(self, node: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
        for name, inner in value.items():
            self._counter.left -= name not in node
            if self._counter.left > 0:
                node[name] = self._merge(node.get(name), inner, name)
        return node

    def _merge_list(self, node: MergedList, value: list[Any]) -> MergedList:
        for position, item in enumerate(value):
            index = item.get("index") if isinstance(item, dict) else None
            if isinstance(index, int) and index in node.by_index:
                self._merge(node.by_index[index], item)
            elif position == 0 and _continues(node, item):
                self._merge(node.items[-1], item)
            elif self._counter.left > 0:
                node.items.append(self._merge(self._new(None), item))
                if isinstance(index, int):
                    node.by_index[index] = node.items[-1]
        return node

    def _new(self, node: Any) -> Any:
        self._counter.left -= 1
        return node


def _continues(node: MergedList, item: Any) -> bool:
    """Return whether an item without an index is a further part of the last one: a thought that is not signed yet.

    LiteLLM sends `thinking_blocks` so: https://docs.litellm.ai/docs/reasoning_content
    """
    last = node.items[-1] if node.items else None
    if not (isinstance(item, dict) and isinstance(last, dict)) or "index" in item:
        return False
    kind = item.get("type")
    is_same = isinstance(kind, str) and isinstance(last.get("type"), TextBuffer) and last["type"].text == kind
    return is_same and str(kind).startswith(_THOUGHTS) and not _finish(last.get("signature"))


def _finish(node: Any) -> Any:
    if isinstance(node, TextBuffer):
        return node.text
    if isinstance(node, dict):
        return {name: _finish(inner) for name, inner in node.items()}
    return [_finish(inner) for inner in node.items] if isinstance(node, MergedList) else node


def repair(text: str) -> str:
    """Join characters that were cut into halves or single bytes; replace what is left of others."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return without_lone_surrogates(text)
