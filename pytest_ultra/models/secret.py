"""An API key that cannot be printed by accident."""

from __future__ import annotations

import json

_SHOWN = "***"
_SHORTEST = 8  # below, it is a word such as `none` that replies may hold by chance


class Secret:
    """Holds a key; only `reveal` gives it away. The empty secret stands for no key."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({_SHOWN if self else ''})"

    @property
    def _in_json(self) -> str:
        """The key as it stands within a text of JSON, such as a call's arguments."""
        return json.dumps(self._value)[1:-1]

    def reveal(self) -> str:
        return self._value

    def redact(self, text: str) -> str:
        """Return the text with the key blotted out wherever it stands; a stand-in such as `x` is no secret."""
        if len(self._value) < _SHORTEST:
            return text
        return text.replace(self._value, _SHOWN).replace(self._in_json, _SHOWN)
