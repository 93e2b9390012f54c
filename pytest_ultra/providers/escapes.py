"""Escapes of single characters in URLs, HTML, JSON and Python literals, and the text that they stand for."""

from __future__ import annotations

import re

MAX_LAYERS = 4
"""How often a text may be escaped: JSON in JSON in a URL in HTML."""

_ENTITIES = {
    "quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'", "lowbar": "_", "period": ".", "sol": "/", "plus": "+",
    "equals": "=", "colon": ":", "comma": ",", "semi": ";", "num": "#", "percnt": "%", "bsol": "\\", "commat": "@",
    "excl": "!", "dollar": "$", "ast": "*", "quest": "?", "verbar": "|",
}  # fmt: skip
_ESCAPE = re.compile(
    r"%([0-9A-Fa-f]{2})"
    r"|&#[xX]0*([0-9A-Fa-f]{1,6});?"
    r"|\\u([0-9A-Fa-f]{4})"
    r"|\\u\{0*([0-9A-Fa-f]{1,6})\}"
    r"|\\U([0-9A-Fa-f]{8})"
    r"|\\x([0-9A-Fa-f]{2})"
    r"|&#0*(\d{1,7});?"
    rf"|&({'|'.join(_ENTITIES)});"
    r"|\\([\\/\"'])"
)
_DECIMAL, _ENTITY, _SIGN = 7, 8, 9
_SIGN_OF_ESCAPE = re.compile(r"[%&\\](?:[0-9A-Fa-f]{2}|#|amp;|[uUx][0-9A-Fa-f{])")
_MAX_CODE = 0x10FFFF


def may_be_escaped(text: str) -> bool:
    """Return whether a letter or a digit in the text may be escaped: a quick test for plain text."""
    has_sign = "%" in text or "&" in text or "\\" in text
    return has_sign and _SIGN_OF_ESCAPE.search(text) is not None


def unescape(text: str) -> str:
    """Remove one layer of escapes. Bytes in percent encoding become the characters of the same number."""
    return _ESCAPE.sub(_decode, text)


def unescape_with_starts(text: str, layers: int) -> tuple[str, list[int]]:
    """Remove layers of escapes. Return where each character of the result starts in the text; last, the text's end."""
    starts = list(range(len(text) + 1))
    for _ in range(layers):
        kept: list[int] = []
        end = 0
        for found in _ESCAPE.finditer(text):
            if len(_decode(found)) == 1:
                kept += starts[end : found.start() + 1]
                end = found.end()
        starts = kept + starts[end:]
        text = unescape(text)
    return text, starts


def _decode(found: re.Match[str]) -> str:
    """Return the character that an escape stands for; the escape itself if there is no such character."""
    kind = found.lastindex or 0
    value = found[kind]
    if kind == _SIGN:
        return value
    if kind == _ENTITY:
        return _ENTITIES[value]
    code = int(value, 10 if kind == _DECIMAL else 16)
    return chr(code) if code <= _MAX_CODE else found[0]
