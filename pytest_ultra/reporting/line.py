"""A line for the terminal."""

from __future__ import annotations

import msgspec


class Line(msgspec.Struct, frozen=True):
    """A line for the terminal, and the names of pytest's markup for it (`bold`, `red`, ...)."""

    text: str
    markup: tuple[str, ...] = ()
