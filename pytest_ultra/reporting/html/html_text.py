"""Text from models and tools made fit for a page: nothing invisible, nothing endless, nothing that ends a script."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from pytest_ultra.reporting.text import compact, neutralise

LONGEST = 20_000
"""Characters of one text that a page shows; the journal has them all."""
_LONGEST_LINE = 4_000  # of a value on one line
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HARMFUL = re.compile("|".join(_ESCAPED))


def shown(text: str, most: int = LONGEST) -> str:
    """Spell out control, ANSI and direction codes, line breaks and tabs excepted, and say what is cut off."""
    kept = text[:most]
    if not kept.isprintable():
        kept = "\n".join("\t".join(map(neutralise, line.split("\t"))) for line in kept.splitlines())
    return kept if len(text) <= most else f"{kept}... (+{len(text) - most:,} characters)"


def shown_value(value: Any) -> str:
    """Write a JSON value on one line, likewise."""
    return shown(compact(value), _LONGEST_LINE)


def laid_out(value: Any) -> str:
    """Write a value for reading: a text as it is, a list's items and an object's fields on lines of their own."""
    if isinstance(value, str):
        return shown(value, _LONGEST_LINE)
    if isinstance(value, list) and value:
        return shown("\n".join(map(compact, value)), _LONGEST_LINE)
    if isinstance(value, dict):
        return shown("\n".join(f"{name}: {_nested(item)}" for name, item in value.items()), _LONGEST_LINE)
    return shown_value(value)


def _nested(item: Any) -> str:
    if isinstance(item, list) and item and isinstance(item[0], dict | list):
        return "".join(f"\n  {compact(each)}" for each in item)
    return compact(item)


def script_json(value: Any) -> str:
    """Encode a value as JSON that cannot end the script element it stands in."""
    return _HARMFUL.sub(lambda match: _ESCAPED[match[0]], msgspec.json.encode(value).decode())
