"""Text from models and tools for a page: no invisible codes, bounded length, nothing that can end a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from pytest_ultra.reporting.text import compact, escape_controls

if TYPE_CHECKING:
    from markupsafe import Markup

MAX_LENGTH = 20_000
"""Characters of one text that a page shows; the journal has all of them."""
_MAX_VALUE_LENGTH = 4_000  # of a JSON value
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_AFTER_SIGN = re.compile(r"(?<=[/_:@-])(?=[^/_:@-])")
_UNSAFE = re.compile("|".join(_ESCAPED))


def safe_text(text: str, max_length: int = MAX_LENGTH) -> str:
    """Escape control, ANSI and direction codes except line breaks and tabs; truncate to `max_length` and say so."""
    kept = text[:max_length]
    if not kept.isprintable():
        kept = "\n".join("\t".join(map(escape_controls, line.split("\t"))) for line in kept.splitlines())
    return kept if len(text) <= max_length else f"{kept}... (+{len(text) - max_length:,} characters)"


def breakable(name: str) -> Markup:
    """Return a name as HTML in which a line may be broken after its signs, and not within its words."""
    from markupsafe import Markup  # noqa: PLC0415 - only reports need it

    return Markup("<wbr>").join(_AFTER_SIGN.split(name))


def one_line(value: Any) -> str:
    """Format a JSON value on one line, escaped and truncated."""
    return safe_text(compact(value), _MAX_VALUE_LENGTH)


def multi_line(value: Any) -> str:
    """Format a JSON value for reading: a text as it is, each item of a list or field of an object on its own line."""
    if isinstance(value, str):
        return safe_text(value, _MAX_VALUE_LENGTH)
    if isinstance(value, list) and value:
        return safe_text("\n".join(map(compact, value)), _MAX_VALUE_LENGTH)
    if isinstance(value, dict):
        return safe_text("\n".join(f"{name}: {_nested(item)}" for name, item in value.items()), _MAX_VALUE_LENGTH)
    return one_line(value)


def _nested(item: Any) -> str:
    if isinstance(item, list) and item and isinstance(item[0], dict | list):
        return "".join(f"\n  {compact(each)}" for each in item)
    return compact(item)


def script_json(value: Any) -> str:
    """Encode a value as JSON that cannot end the script element that contains it."""
    return _UNSAFE.sub(lambda match: _ESCAPED[match[0]], msgspec.json.encode(value).decode())
