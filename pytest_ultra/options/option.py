"""The record of one `ultra` option: its flag, its ini key, and what `--help` says of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Option(NamedTuple):
    """One option and its ini key."""

    name: str
    default: str | None
    metavar: str
    help: str
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


def listed(names: Iterable[str]) -> str:
    return ", ".join(str(name) for name in names)
