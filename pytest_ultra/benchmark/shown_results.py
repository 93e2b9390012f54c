"""The results of tools as agents' frameworks show them to models: as they are, wrapped, quoted, or in other words."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json

_OWN_FIELDS = frozenset({"transient", "handle", "result"})
"""A result of our tools has one of these; an error of a framework, as of Google ADK, has none."""
_REWORDED = "reworded"
"""The code of a result that a framework gave in words of its own, such as that a call does not fit its schema."""


def read_result(content: Any) -> dict[str, Json]:
    """Return the result of a tool in a message; of one in other words, an error that is not transient."""
    found = _find(content)
    return {"error": _REWORDED, "transient": False, "message": str(content)} if found is None else found


def _find(content: Any) -> dict[str, Json] | None:
    """Return the innermost result of our own in a text or JSON value."""
    value = _decode(content) if isinstance(content, str) else content
    if isinstance(value, str) and value != content:
        return _find(value)
    if not isinstance(value, dict):
        return None
    wrapped = next(iter(value.values())) if len(value) == 1 else None
    inner = _find(wrapped) if isinstance(wrapped, str) else None
    return inner or (value if _OWN_FIELDS & value.keys() else None)


def _decode(text: str) -> Json:
    """Decode a text, or the JSON object in it; return it as it is if there is none."""
    for part in (text, text[text.find("{") : text.rfind("}") + 1]):
        try:
            return msgspec.json.decode(part)
        except msgspec.DecodeError:
            continue
    return text
