"""The record of one `ultra` option: its flag, its ini key, and the parser of its value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option and its ini key. `parse` reads the given texts; it raises ValueError with a message for the user."""

    name: str
    default: str | None
    metavar: str
    help: str
    parse: Callable[[Sequence[str]], Any]
    is_switch: bool = False  # takes no value on the command line, where it means `on`

    @property
    def flag(self) -> str:
        return f"--ultra-{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        return f"ultra_{self.name}"

    @property
    def full_help(self) -> str:
        return self.help if self.default is None else f"{self.help} (default: {self.default})"
