"""An API key that cannot be printed by accident."""

from __future__ import annotations

_SHOWN = "***"


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
