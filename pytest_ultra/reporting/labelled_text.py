"""Labelled texts, which are wrapped to the width of where they are printed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from pytest_ultra.reporting.text import excerpt, neutralise

WIDEST = 100
"""Columns of a text that no terminal shows, such as JUnit's; no terminal gets wider lines, which are hard to read."""
_NARROWEST = 40
_MOST_LINES = 2  # of the widest, so that a text does not say less in a narrow terminal
_MOST_PIECES = 3


class Form(StrEnum):
    """How a text is laid out: words, code whose spaces matter, or a rule that is as wide as the text around it."""

    WORDS = "words"
    CODE = "code"
    RULE = "rule"


class LabelledText(msgspec.Struct, frozen=True, array_like=True):
    """A label, such as `model: ` or an indent, and the text that hangs beside it. The text is safe to print."""

    label: str
    text: str
    form: Form = Form.WORDS


def cut_text(label: str, text: str) -> LabelledText:
    """Put a label before untrusted text, which is cut after two lines of the widest layout."""
    return LabelledText(label, excerpt(text, _MOST_LINES * (WIDEST - len(label))))


def cut_line(label: str, line: str) -> LabelledText:
    """Return a line of a diff, cut after one line of the widest layout."""
    return LabelledText(label, excerpt(line, WIDEST - len(label)), Form.CODE)


def cut_code(label: str, line: str) -> LabelledText:
    """Return a line of code or a traceback, cut after a few lines of the widest layout."""
    return LabelledText(label, neutralise(line)[: _MOST_PIECES * (WIDEST - len(label))], Form.CODE)


def paragraphs(label: str, text: str) -> Iterator[LabelledText]:
    """Yield an untrusted text whole; line breaks in it are kept."""
    for paragraph in text.splitlines():
        yield LabelledText(label, neutralise(paragraph))


def wrap_texts(texts: Iterable[LabelledText], width: int = WIDEST) -> list[str]:
    """Return the texts in lines of at most `width` columns, and of at most 100; what continues a text is indented."""
    width = min(max(width, _NARROWEST), WIDEST)
    return [line.rstrip() for text in texts for line in _wrap(text, width) or [text.label]]


def _wrap(labelled: LabelledText, width: int) -> list[str]:
    label, text = labelled.label, labelled.text
    match labelled.form:
        case Form.RULE:
            return [f"{label}{text} ".ljust(width, "-")]
        case Form.CODE:
            room = width - len(label)
            return [f"{label}{text[start : start + room]}" for start in range(0, len(text), room)]
        case Form.WORDS:
            indent = " " * _hanging_indent(label, width)
            return textwrap.wrap(text, width, initial_indent=label, subsequent_indent=indent, break_on_hyphens=False)


def _hanging_indent(label: str, width: int) -> int:
    """Return the label's width; beside a long one in a narrow terminal, little more than the label's own indent."""
    if label and len(label) <= width // 3:
        return len(label)
    return len(label) - len(label.lstrip()) + 2
