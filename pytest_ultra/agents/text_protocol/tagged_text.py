"""A text with the positions of its opening and closing tags, found in one pass."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import islice

from pytest_ultra.agents.text_protocol.lenient_json import JsonText

_TAGS = "tool_call|tool_calls|function_call|function_calls|functioncall|tool_use|tools|tool"
OPENER = re.compile(
    rf"<(?P<tag>{_TAGS})>"
    r"|<(?:function|invoke)(?:=|\s+name=)[\"']?(?P<function>[\w.-]+)[\"']?\s*>"
    r"|(?P<token><\|python_tag\|>|<\|tool_call\|>|\[TOOL_CALLS\])",
    re.IGNORECASE,
)
_CLOSER = re.compile(rf"</\s*(?:{_TAGS}|function|invoke)\s*>", re.IGNORECASE)


MAX_TAGS = 4096
"""Opening tags that are looked at, far more than there can be calls."""


class TaggedText:
    """Looks up tags by position. Searching the rest of the text at each tag would take quadratic time.

    `text` ends before the first opening tag beyond `MAX_TAGS`.
    """

    def __init__(self, text: str) -> None:
        self._openers = list(islice(OPENER.finditer(text), MAX_TAGS + 1))
        if len(self._openers) > MAX_TAGS:
            text = text[: self._openers.pop().start()]
        self.text = JsonText(text)
        self._closers = list(_CLOSER.finditer(text)) if self._openers else []
        self._opener_starts = [tag.start() for tag in self._openers]
        self._closer_starts = [tag.start() for tag in self._closers]

    def next_opener(self, position: int) -> re.Match[str] | None:
        """Return the first opening tag at or after the position."""
        index = bisect_left(self._opener_starts, position)
        return self._openers[index] if index < len(self._openers) else None

    def next_tag(self, position: int) -> int:
        """Return where the next opening or closing tag begins, or the end of the text."""
        found = [
            starts[index]
            for starts in (self._opener_starts, self._closer_starts)
            if (index := bisect_left(starts, position)) < len(starts)
        ]
        return min(found, default=len(self.text))

    def is_opener(self, position: int) -> bool:
        opener = self.next_opener(position)
        return opener is not None and opener.start() == position

    def closer_at(self, position: int) -> re.Match[str] | None:
        """Return the closing tag that begins at the position."""
        index = bisect_left(self._closer_starts, position)
        is_there = index < len(self._closers) and self._closer_starts[index] == position
        return self._closers[index] if is_there else None
