"""What an option of the `ultra` group is: its flag, its ini key, and how its value is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option and its ini key. `parse` takes the texts given, and raises ValueError saying what is wrong."""

    name: str
    default: str | None
    metavar: str
    help: str
    parse: Callable[[Sequence[str]], Any]
    is_switch: bool = False  # on the command line it stands alone, and means `on`

    @property
    def flag(self) -> str:
        return f"--ultra-{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        return f"ultra_{self.name}"

    @property
    def full_help(self) -> str:
        return self.help if self.default is None else f"{self.help} (default: {self.default})"
