"""Numbers as a page shows them: short, and a dash if nothing was measured."""

from __future__ import annotations

from pytest_ultra.core.figures import Rate
from pytest_ultra.reporting.budget_lines import dollars

DASH = "-"
MINUS = "\N{MINUS SIGN}"
_MINUTE_S, _HOUR_S = 60, 3600
_MILLION = 1_000_000
_THOUSANDTH = 0.001


def share(value: float | None) -> str:
    """Format a share or a ratio as a percentage; of the shares, only exactly 0 and 1 become 0% and 100%."""
    if value is None:
        return DASH
    bounded = min(max(value, _THOUSANDTH), 1 - _THOUSANDTH) if 0 < value < 1 else value
    return f"{_short(100 * bounded)}%"


def points(value: float | None) -> str:
    """Format a difference in [-1, 1] in percentage points, with its sign."""
    if value is None:
        return DASH
    text = _short(abs(100 * value))
    return text if text == "0" else f"{'+' if value > 0 else MINUS}{text}"


def interval(rate: Rate | None) -> str:
    return DASH if rate is None else f"{_short(100 * rate.low)} to {_short(100 * rate.high)}%"


def successes_of_n(rate: Rate | None) -> str:
    return DASH if rate is None else f"{rate.successes:,} of {rate.n:,}"


def decimal(value: float | None, places: int = 1) -> str:
    return DASH if value is None else f"{value:,.{places}f}".replace("-", MINUS)


def signed(value: float | None, places: int = 1) -> str:
    return DASH if value is None else f"{value:+,.{places}f}".replace("-", MINUS)


def large_number(value: float | None) -> str:
    """Format a number without decimals, from a million on in millions."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if value < _MILLION else f"{value / _MILLION:,.2f} M"


def money(value: float | None) -> str:
    return DASH if value is None else dollars(value)


def signed_money(value: float | None) -> str:
    if value is None:
        return DASH
    return f"{MINUS if value < 0 else '+'}{dollars(abs(value))}"


def short_seconds(value: float | None) -> str:
    return seconds(value) if value is None or value >= _MINUTE_S else f"{value:.2f} s"


def seconds(value: float | None) -> str:
    if value is None:
        return DASH
    if value < _MINUTE_S:
        return f"{value:.1f} s"
    if value < _HOUR_S:
        return f"{int(value // _MINUTE_S)} min {int(value % _MINUTE_S)} s"
    return f"{int(value // _HOUR_S)} h {int(value % _HOUR_S // _MINUTE_S)} min"


def p_value(value: float | None) -> str:
    if value is None:
        return DASH
    return "< 0.001" if value < _THOUSANDTH else f"{value:.3f}"


def _short(value: float) -> str:
    """Format with one decimal, or none if it is zero."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")
