"""Numbers as a page writes them: short, with a dash where nothing was measured."""

from __future__ import annotations

from pytest_ultra.core.figures import Rate
from pytest_ultra.reporting.budget_lines import dollars

NOTHING = "-"
_MINUTE_S, _HOUR_S = 60, 3600
_MILLION = 1_000_000
_THOUSANDTH = 0.001


def share(value: float | None) -> str:
    """Write a share in [0, 1] as a percentage; 2,999 of 3,000 does not read as all of them, nor 1 as none."""
    if value is None:
        return NOTHING
    honest = value if value in (0, 1) else min(max(value, _THOUSANDTH), 1 - _THOUSANDTH)
    return f"{_short(100 * honest)}%"


def points(value: float | None) -> str:
    """Write a difference in [-1, 1] in percentage points, with its sign."""
    if value is None:
        return NOTHING
    text = _short(abs(100 * value))
    return text if text == "0" else f"{'+' if value > 0 else MINUS}{text}"


MINUS = "\N{MINUS SIGN}"


def interval(rate: Rate | None) -> str:
    return NOTHING if rate is None else f"{_short(100 * rate.low)} to {_short(100 * rate.high)}%"


def of(rate: Rate | None) -> str:
    return NOTHING if rate is None else f"{rate.successes:,} of {rate.n:,}"


def decimal(value: float | None, places: int = 1) -> str:
    return NOTHING if value is None else f"{value:,.{places}f}".replace("-", MINUS)


def signed(value: float | None, places: int = 1) -> str:
    return NOTHING if value is None else f"{value:+,.{places}f}".replace("-", MINUS)


def whole(value: float | None) -> str:
    """Write a large number without decimals, and a million and more in millions."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value < _MILLION else f"{value / _MILLION:,.2f} M"


def money(value: float | None) -> str:
    return NOTHING if value is None else dollars(value)


def extra_money(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{MINUS if value < 0 else '+'}{dollars(abs(value))}"


def seconds(value: float | None) -> str:
    if value is None:
        return NOTHING
    if value < _MINUTE_S:
        return f"{value:.1f} s"
    if value < _HOUR_S:
        return f"{int(value // _MINUTE_S)} min {int(value % _MINUTE_S)} s"
    return f"{int(value // _HOUR_S)} h {int(value % _HOUR_S // _MINUTE_S)} min"


def p_value(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< 0.001" if value < _THOUSANDTH else f"{value:.3f}"


def _short(value: float) -> str:
    """Write with one decimal, and without where it is whole."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")
