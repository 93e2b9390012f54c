"""The canonical text of a value: the same for all spellings of it, so that results can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache

import msgspec

from pytest_ultra.benchmark.tables import NUMBER, UnreadableTextError, read_csv_cells
from pytest_ultra.core.bounds import decode_json
from pytest_ultra.core.json_types import Json

_EXACT = 10**9  # integers of smaller magnitude have at most nine digits
_WORDS = {"": "null", "true": "true", "false": "false"}
_quote: Callable[[str], str] = json.encoder.encode_basestring_ascii


def canonical(value: Json, *, is_ordered: bool = False) -> str:
    """Return a text that is equal for values that differ only in spelling.

    It ignores: the order of an object's keys, keys without a value, digits of fractional numbers beyond nine
    significant ones, whether a number or a boolean is written as text, and, unless `is_ordered`, the order of a list's
    items. Whole numbers, which may be identifiers, count with all their digits.
    Text that contains JSON, or CSV of at least two columns, counts as its parsed content.
    """
    return _write(value, is_ordered)


def parse_text(value: Json) -> Json:
    """Return the content of a text that contains JSON, or CSV of at least two columns; any other value as it is."""
    is_content = isinstance(value, str) and value and ("\n" in value or value[0] in "[{ \t")
    return _parse(value) if is_content else value


def _write(value: Json, is_ordered: bool) -> str:  # noqa: FBT001 - positional on the hot path
    kind = type(value)
    if kind is str:
        return _text(value, is_ordered)
    if kind is int and -_EXACT < value < _EXACT:
        return str(value)
    if kind is dict:
        return _object(value, is_ordered)
    if kind is list or kind is tuple:
        items = [_write(item, is_ordered) for item in value]
        if not is_ordered:
            items.sort()
        return "[" + ",".join(items) + "]"
    return _scalar(value)


def _scalar(value: Json) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    return _number(value) if isinstance(value, float) else _whole_number(value)


def _number(value: float) -> str:
    """Return a number's text. What is whole at twelve digits is whole: the sum of many fractions is never exact."""
    if -_EXACT < value < _EXACT:
        return f"{value:.9g}" if value else "0"
    text = f"{value:.12g}"
    return _whole_number(int(float(text))) if float(text).is_integer() else f"{value:.9g}"


def _whole_number(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # too many digits for Python's limit
        return hex(value)


def _object(value: dict[str, Json], is_ordered: bool) -> str:  # noqa: FBT001 - as above
    parts = []
    for key in sorted(value):
        text = _write(value[key], is_ordered)
        if text != "null":
            parts.append(_quote(key) + ":" + text)
    return "{" + ",".join(parts) + "}"


def _text(text: str, is_ordered: bool) -> str:  # noqa: FBT001 - as above
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first in "-0123456789" and NUMBER.fullmatch(text):
        if text.lstrip("-").isdecimal():
            return text if text != "-0" else "0"
        number = float(text)
        return _number(number) if abs(number) != float("inf") else _quote(text)
    if "\n" in text or first in "[{ \t":
        return _parsed_text(text, is_ordered)
    return _quote(text)


@lru_cache(maxsize=4096)
def _parsed_text(text: str, is_ordered: bool) -> str:  # noqa: FBT001 - as above
    content = _parse(text)
    return _quote(text) if content is text else _write(content, is_ordered)


def _parse(text: str) -> Json:
    """Return the JSON or the rows of CSV that a text contains, or the text itself."""
    try:
        if text.lstrip()[:1] in ("{", "["):
            return decode_json(text)
    except msgspec.DecodeError:
        pass
    try:
        rows = read_csv_cells(text)
    except UnreadableTextError:
        return text
    return rows if rows and len(rows[0]) > 1 else text
