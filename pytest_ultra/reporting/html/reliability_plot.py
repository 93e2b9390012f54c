"""Success by tool success rate: a panel for each model, with a line for each prompt type."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.figures import Rate, Row
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import Scale, Tick
from pytest_ultra.reporting.row_names import row_label

_STEPS = 4


class Dot(msgspec.Struct, frozen=True):
    """A rate on the chart with its interval, and the position of the previous dot on the line."""

    x: str
    y: str
    low: str
    high: str
    previous: tuple[str, str] | None


class PlotLine(msgspec.Struct, frozen=True):
    """`style` is the number of the line in its chart."""

    label: str
    style: int
    dots: tuple[Dot, ...]
    figures: tuple[tuple[str, str], ...]


class Panel(msgspec.Struct, frozen=True):
    """The chart of one model."""

    title: str
    lines: tuple[PlotLine, ...]


class ReliabilityPlot(msgspec.Struct, frozen=True):
    rates: tuple[str, ...]
    panels: tuple[Panel, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def make_reliability_plot(rows: Sequence[Row]) -> ReliabilityPlot | None:
    """Return a panel for each model, None if there are fewer than two rates."""
    rates = sorted({row.tool_success_rate for row in rows if row.tool_success_rate is not None})
    if len(rates) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    x_scale, y_scale = Scale(rates[0], rates[-1], margin=10), Scale(1, 0, margin=8)
    models = dict.fromkeys(row.model for row in rows)
    return ReliabilityPlot(
        rates=tuple(number_format.share(rate) for rate in rates),
        panels=tuple(
            Panel(safe_text(model, 100), _lines([r for r in rows if r.model == model], rates, x_scale, y_scale))
            for model in models
        ),
        x_ticks=tuple(Tick(x_scale.at(rate), number_format.share(rate)) for rate in rates),
        y_ticks=tuple(Tick(y_scale.at(step / _STEPS), f"{100 * step // _STEPS}%") for step in range(_STEPS + 1)),
    )


def _lines(rows: Sequence[Row], rates: Sequence[float], x_scale: Scale, y_scale: Scale) -> tuple[PlotLine, ...]:
    labels = dict.fromkeys(
        row_label(row) + (f", {row.prompt_variant}" if row.prompt_variant else "")
        for row in sorted(rows, key=lambda row: row.prompt_type.rank)
    )
    lines = []
    for style, label in enumerate(labels):
        of_label = (
            row for row in rows if row_label(row) + (f", {row.prompt_variant}" if row.prompt_variant else "") == label
        )
        known = {row.tool_success_rate: row.success for row in of_label}
        found = [known.get(rate) for rate in rates]
        lines.append(PlotLine(label, style, _dots(rates, found, x_scale, y_scale), tuple(map(_figure, found))))
    return tuple(lines)


def _figure(rate: Rate | None) -> tuple[str, str]:
    if rate is None:
        return number_format.DASH, ""
    return number_format.share(rate.value), number_format.successes_of_n(rate)


def _dots(rates: Sequence[float], found: Sequence[Rate | None], x_scale: Scale, y_scale: Scale) -> tuple[Dot, ...]:
    dots: list[Dot] = []
    for at, rate in zip(rates, found, strict=True):
        if rate is not None:
            previous = (dots[-1].x, dots[-1].y) if dots else None
            y, low, high = (y_scale.at(value) for value in (rate.value, rate.low, rate.high))
            dots.append(Dot(x_scale.at(at), y, low, high, previous))
    return tuple(dots)
