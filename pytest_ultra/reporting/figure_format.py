"""Figures as they are written in cells and sentences: a dash where nothing was measured."""

from __future__ import annotations

from pytest_ultra.core.figures import PairedDifference, Rate

NOTHING = "-"
_LEAST_P = 0.001
_COARSE_P = 0.1


def percent(value: float | None) -> str:
    """Write a share to a tenth; 2,999 of 3,000 must not read as all of them, nor 1 as none."""
    if value is None:
        return NOTHING
    return f"{100 * (value if value in (0, 1) else min(max(value, 0.001), 0.999)):.1f}%"


def coarse_percent(value: float | None) -> str:
    """Write a share or a ratio to a hundredth, likewise."""
    if value is None:
        return NOTHING
    return f"{100 * (min(max(value, 0.01), 0.99) if 0 < value < 1 else value):.0f}%"


def interval(rate: Rate | None, digits: int = 1) -> str:
    return NOTHING if rate is None else f"{100 * rate.low:.{digits}f}-{100 * rate.high:.{digits}f}"


def points(difference: PairedDifference | None) -> str:
    return NOTHING if difference is None else _signed(difference.value, 1)


def difference_interval(difference: PairedDifference | None, digits: int = 1) -> str:
    if difference is None or difference.low is None or difference.high is None:
        return NOTHING
    return f"{_signed(difference.low, digits)}..{_signed(difference.high, digits)}"


def p_value(difference: PairedDifference | None) -> str:
    """Write the corrected p-value, the plain one outside a family."""
    if difference is None:
        return NOTHING
    p = difference.p_value if difference.p_adjusted is None else difference.p_adjusted
    if p < _LEAST_P:
        return f"<{_LEAST_P}"
    return f"{p:.3f}" if p < _COARSE_P else f"{p:.2f}"


def amount(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _signed(value: float, digits: int) -> str:
    """Write a difference in points; one that is rounded to nothing has no minus."""
    return f"{round(100 * value, digits) + 0.0:+.{digits}f}"
