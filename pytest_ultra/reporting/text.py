"""Make text from models and users safe to print in a terminal: no control codes, no endless lines."""

from __future__ import annotations

import json
import textwrap
from itertools import accumulate, takewhile
from typing import Any

_TAIL = len("... (+1,000,000 characters)")


def neutralise(text: str) -> str:
    """Escape everything that a terminal would interpret instead of showing: control, ANSI and direction codes."""
    return text if text.isprintable() else "".join(map(_escape, text))


def excerpt(text: str, room: int) -> str:
    """Return the text neutralised; if longer than `room` columns, cut it and say how many characters are left out."""
    if len(text) <= room and len(shown := neutralise(text)) <= room:
        return shown
    pieces = [_escape(character) for character in text[:room]]
    kept = len(list(takewhile(lambda end: end <= max(room - _TAIL, 1), accumulate(map(len, pieces)))))
    return f"{''.join(pieces[:kept])}... (+{len(text) - kept:,} characters)"


def hang(text: str, width: int, indent: int, *, most_lines: int = 2) -> list[str]:
    """Wrap untrusted text to about `most_lines` lines, indent all but the first, and cut the rest."""
    room = most_lines * (width - indent)
    wrapped = textwrap.wrap(excerpt(text, room), width - indent, break_on_hyphens=False)
    return [line if number == 0 else " " * indent + line for number, line in enumerate(wrapped)] or [""]


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def compact(value: Any) -> str:
    """Return a JSON value on one line."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deeply to show)"


def fill(text: str, width: int, indent: str = "") -> list[str]:
    """Wrap untrusted text to `width` columns; line breaks in it are kept."""
    lines = []
    for paragraph in text.splitlines():
        lines += textwrap.wrap(neutralise(paragraph), width, initial_indent=indent, subsequent_indent=indent) or [""]
    return lines


def _escape(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
