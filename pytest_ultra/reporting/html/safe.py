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


def script_json(value: Any) -> str:
    """Encode a value as JSON that cannot end the script element it stands in."""
    return _HARMFUL.sub(lambda match: _ESCAPED[match[0]], msgspec.json.encode(value).decode())
