"""Numbers in words, and thresholds that are easy to read."""

from __future__ import annotations

import math
from random import Random


def amount(value: float, unit: str) -> str:
    """Write an amount with its unit, if it has one."""
    text = str(int(value)) if value == int(value) else str(value)
    return f"{text} {unit}" if unit else text


def draw_threshold(value: float, rng: Random, *, is_above: bool) -> int | float | None:
    """Return a round threshold that the value is above, or not above; None if there is no good one.

    It differs from the value by 3 to 30 percent, so that no rounding changes the outcome.
    """
    share = rng.randint(5, 30) / 100
    wanted = value * (1 - share) if is_above else value * (1 + share)
    threshold = _round(wanted)
    is_right = (value > threshold * 1.03) if is_above else (value < threshold * 0.97)
    return threshold if is_right and threshold > 0 else None


def _round(value: float) -> int | float:
    """Round to two significant digits."""
    if value == 0:
        return 0
    digits = 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded
