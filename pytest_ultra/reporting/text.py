"""Text from models and users made fit for a terminal: no control codes, no endless lines."""

from __future__ import annotations

import json
import textwrap
from itertools import accumulate, takewhile
from typing import Any

_TAIL = len("... (+1,000,000 characters)")


def neutralise(text: str) -> str:
    """Spell out everything that a terminal would obey rather than show: control, ANSI and direction codes."""
    return text if text.isprintable() else "".join(map(_spell, text))


def excerpt(text: str, room: int) -> str:
    """Return the text neutralised, cut to `room` columns where it is longer, with the number of characters left out."""
    if len(text) <= room and len(shown := neutralise(text)) <= room:
        return shown
    pieces = [_spell(character) for character in text[:room]]
    kept = len(list(takewhile(lambda end: end <= max(room - _TAIL, 1), accumulate(map(len, pieces)))))
    return f"{''.join(pieces[:kept])}... (+{len(text) - kept:,} characters)"


def hang(text: str, width: int, indent: int, *, most_lines: int = 2) -> list[str]:
    """Wrap text from outside to about `most_lines` lines, the second and later ones indented, the rest cut."""
    room = most_lines * (width - indent)
    wrapped = textwrap.wrap(excerpt(text, room), width - indent, break_on_hyphens=False)
    return [line if number == 0 else " " * indent + line for number, line in enumerate(wrapped)] or [""]


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def compact(value: Any) -> str:
    """Write a JSON value on one line."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deep to be shown)"


def fill(text: str, width: int, indent: str = "") -> list[str]:
    """Wrap running text from outside to the width, paragraphs kept."""
    lines = []
    for paragraph in text.splitlines():
        lines += textwrap.wrap(neutralise(paragraph), width, initial_indent=indent, subsequent_indent=indent) or [""]
    return lines


def _spell(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
