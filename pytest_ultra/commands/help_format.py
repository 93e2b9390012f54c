"""The layout of `--help`: descriptions are wrapped to the terminal, and lists in them stay lists."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby

_ITEM = re.compile(r"(?P<indent> +)(?P<term>\S.*?)(?P<gap> {2,})(?P<words>\S.*)")
"""A line of a list: a term such as a command, and at least two spaces before the words about it."""
_FURTHEST = 0.6  # of the terminal: words that would begin further right begin under their term
_UNDER_TERM = 6
_CONTINUED = " \\"


class HelpFormatter(argparse.HelpFormatter):
    """Wraps lines that begin a line together, and indented lines each by itself."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(f"{indent}{line}".rstrip() for line in _lay_out(text, width - len(indent)))


def _lay_out(text: str, width: int) -> Iterator[str]:
    for is_prose, lines in groupby(text.splitlines(), lambda line: line[:1].strip() != ""):
        if is_prose:
            yield from _wrap(" ".join(lines), width)
        else:
            for line in lines:
                yield from _wrap_item(line, width) if line else [""]


def _wrap_item(line: str, width: int) -> list[str]:
    item = _ITEM.fullmatch(line)
    if item is None:
        return _wrap_alone(line.strip(), width, len(line) - len(line.lstrip()))
    head = f"{item['indent']}{item['term']}{item['gap']}"
    if len(head) <= _FURTHEST * width:
        return _wrap(item["words"], width, head, " " * len(head))
    head_lines = _wrap_alone(head.strip(), width, len(item["indent"]))
    return [*head_lines, *_wrap_alone(item["words"], width, len(head))]


def _wrap_alone(text: str, width: int, column: int) -> list[str]:
    """Wrap a command so that a shell takes all its lines, or the words in the lines below one."""
    if column < _UNDER_TERM:
        *lines, last = _wrap(text, width - len(_CONTINUED), " " * column, " " * (column + 2))
        return [*(line + _CONTINUED for line in lines), last]
    indent = " " * (column if column <= _FURTHEST * width else _UNDER_TERM)
    return _wrap(text, width, indent, indent)


def _wrap(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )
