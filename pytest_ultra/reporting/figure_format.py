"""Format figures for cells and sentences; a dash where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from pytest_ultra.core.figures import Rate
from pytest_ultra.core.paired_evidence import LARGE_DIFFERENCE, TOO_FEW, PairedDifference

NOTHING = "-"
VERDICT_LEGENDS = MappingProxyType(
    {TOO_FEW: f"{TOO_FEW} tasks: not even {100 * LARGE_DIFFERENCE:.0f} points would have shown"}
)
_LEAST_P = 0.001
_COARSE_P = 0.1


def percent(value: float | None) -> str:
    """Format a share or a ratio to a tenth of a percent; 2,999 of 3,000 must not read as all, nor 1 of them as none."""
    if value is None:
        return NOTHING
    return f"{100 * (min(max(value, 0.001), 0.999) if 0 < value < 1 else value):.1f}%"


def coarse_percent(value: float | None) -> str:
    """Format a share or a ratio to one percent; nearly all must not read as all, nor nearly none as none."""
    if value is None:
        return NOTHING
    return f"{100 * (min(max(value, 0.01), 0.99) if 0 < value < 1 else value):.0f}%"


def interval(rate: Rate | None, digits: int = 1) -> str:
    return NOTHING if rate is None else f"{100 * rate.low:.{digits}f}-{100 * rate.high:.{digits}f}"


def points(difference: PairedDifference | None) -> str:
    return NOTHING if difference is None else _signed(difference.value, 1)


def difference_interval(difference: PairedDifference | None, digits: int = 1) -> str:
    shown = None if difference is None else difference.shown_interval
    return NOTHING if shown is None else "..".join(_signed(end, digits) for end in shown)


def p_value(difference: PairedDifference | None) -> str:
    p = None if difference is None else difference.shown_p
    if p is None:
        return NOTHING
    if p < _LEAST_P:
        return f"<{_LEAST_P}"
    return f"{p:.3f}" if p < _COARSE_P else f"{p:.2f}"


def verdict(difference: PairedDifference | None) -> str:
    return NOTHING if difference is None else difference.verdict


def too_few_legend(differences: Iterable[PairedDifference | None]) -> list[str]:
    """Return the legend of the verdict `too few` if any difference has it, else nothing."""
    if any(difference is not None and difference.is_too_small for difference in differences):
        return [*VERDICT_LEGENDS.values()]
    return []


def amount(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def signed_points(value: float) -> str:
    """Format a share in signed whole points; one below a point keeps a digit, so that it does not read as none."""
    return _signed(value, 0 if abs(value) >= 0.01 or not value else 1)  # noqa: PLR2004 - a point


def _signed(value: float, digits: int) -> str:
    """Format a share in signed percentage points; one that rounds to zero has no minus."""
    return f"{round(100 * value, digits) + 0.0:+.{digits}f}"
