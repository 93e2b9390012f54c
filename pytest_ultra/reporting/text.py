"""Make text from models and users safe to print: no control codes, no commands to a CI service, no endless lines."""

from __future__ import annotations

import json
import re
import textwrap
from itertools import accumulate, takewhile
from typing import Any

_TAIL = len("... (+1,000,000 characters)")
_LOG_COMMAND = re.compile(
    r"#(?=#\w*\[)"  # ##[command]: GitHub and Azure obey it anywhere in a line
    r"|(?<!\S):(?=:[a-z_])"  # ::command: GitHub obeys it at the start of a line
    # the same within a word, where the end of a line may come before it:
    r"|:(?=:(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-set-repo-path|notice"
    r"|remove-matcher|save-state|set-env|set-output|stop-commands|warning)\b)",
    re.IGNORECASE,
)
"""The first character of each command that a CI service would obey when it finds it in a log."""


def neutralise(text: str) -> str:
    """Escape everything that a terminal or a CI log would interpret instead of showing."""
    return escape_controls(break_log_commands(text))


def break_log_commands(text: str) -> str:
    """Escape one character of each command that a CI service would obey; the rest of the text stays as it is."""
    return _LOG_COMMAND.sub(_in_hex, text) if "::" in text or "##" in text else text


def escape_controls(text: str) -> str:
    """Escape control, ANSI and direction codes."""
    return text if text.isprintable() else "".join(map(_escape, text))


def neutralise_lines(text: str) -> str:
    """Neutralise a text of several lines; line breaks and tabs are kept."""
    text = break_log_commands(text)
    if not text.isprintable():
        text = "".join(char if char in "\n\t" else _escape(char) for char in text)
    return text


def excerpt(text: str, room: int) -> str:
    """Return the text neutralised; if longer than `room` columns, cut it and say how many characters are left out."""
    if len(text) <= room and len(shown := neutralise(text)) <= room:
        return shown
    starts = {found.start(): _in_hex(found) for found in _LOG_COMMAND.finditer(text[: room + _TAIL])}
    pieces = [starts.get(at) or _escape(char) for at, char in enumerate(text[:room])]
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


def wrap_whole_words(text: str, width: int) -> list[str]:
    """Wrap untrusted text with a hanging indent; a single word that is wider, such as a path, stays whole."""
    return textwrap.wrap(
        neutralise(text), width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )


def _escape(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _in_hex(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"
