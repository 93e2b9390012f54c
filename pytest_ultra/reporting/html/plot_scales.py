"""Positions of figures in a chart, in percent of its width or height, so that charts scale with the page."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec


class Tick(msgspec.Struct, frozen=True):
    at: str
    text: str


class Scale(msgspec.Struct, frozen=True):
    """A linear scale from `low` at its start to `high` at its end, with a margin in percent at both ends."""

    low: float
    high: float
    margin: float = 4.0

    def at(self, value: float) -> str:
        """Return the position of a value, clipped to the chart."""
        part = min(max((value - self.low) / (self.high - self.low), 0), 1)
        return percent(self.margin + (100 - 2 * self.margin) * part)


def percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def difference_scale(values: Iterable[float]) -> Scale:
    """Return a scale that contains zero and all differences, with bounds at multiples of a quarter."""
    known = [*values, 0.0]
    low, high = math.floor(4 * min(known)) / 4, math.ceil(4 * max(known)) / 4
    return Scale(min(low, -0.25), max(high, 0.25))


def quarter_ticks(scale: Scale) -> tuple[Tick, ...]:
    """Return ticks at every quarter, or at every half on a long scale, in percentage points."""
    step = 0.5 if scale.high - scale.low > 1 else 0.25
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    return tuple(Tick(scale.at(step * i), f"{100 * step * i:+.0f}" if i else "0") for i in range(first, last + 1))
