"""An API key that cannot be printed by accident."""

from __future__ import annotations

_SHOWN = "***"
_SHORTEST = 4


class Secret:
    """Holds a key; only `reveal` gives it away. The empty secret stands for no key."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({_SHOWN if self else ''})"

    def reveal(self) -> str:
        return self._value

    def redact(self, text: str) -> str:
        """Return the text with the key blotted out wherever it stands; a stand-in such as `x` is no secret."""
        return text.replace(self._value, _SHOWN) if len(self._value) >= _SHORTEST else text
