"""Success against tool success rate: a line a model and prompt type."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.figures import Rate, Row
from pytest_ultra.reporting.html import number_format as numbers
from pytest_ultra.reporting.html.html_text import shown
from pytest_ultra.reporting.html.plot_scales import Scale, Tick
from pytest_ultra.reporting.row_names import row_label

_STEPS = 4


class Dot(msgspec.Struct, frozen=True):
    """A rate on the chart, with its interval, and the place of the dot before it on the line."""

    x: str
    y: str
    low: str
    high: str
    before: tuple[str, str] | None


class Line(msgspec.Struct, frozen=True):
    """`style` numbers the lines of a chart."""

    label: str
    style: int
    dots: tuple[Dot, ...]
    figures: tuple[tuple[str, str], ...]


class Panel(msgspec.Struct, frozen=True):
    """The chart of one model."""

    title: str
    lines: tuple[Line, ...]


class Reliability(msgspec.Struct, frozen=True):
    rates: tuple[str, ...]
    panels: tuple[Panel, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def make_reliability(rows: Sequence[Row]) -> Reliability | None:
    """Return a panel for each model, None where there are not several rates."""
    rates = sorted({row.tool_success_rate for row in rows if row.tool_success_rate is not None})
    if len(rates) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    across, up = Scale(rates[0], rates[-1], margin=10), Scale(1, 0, margin=8)
    models = dict.fromkeys(row.model for row in rows)
    return Reliability(
        rates=tuple(numbers.share(rate) for rate in rates),
        panels=tuple(
            Panel(shown(model, 100), _lines([r for r in rows if r.model == model], rates, across, up))
            for model in models
        ),
        x_ticks=tuple(Tick(across.at(rate), numbers.share(rate)) for rate in rates),
        y_ticks=tuple(Tick(up.at(step / _STEPS), f"{100 * step // _STEPS}%") for step in range(_STEPS + 1)),
    )


def _lines(rows: Sequence[Row], rates: Sequence[float], across: Scale, up: Scale) -> tuple[Line, ...]:
    labels = dict.fromkeys(
        row_label(row) + (f", {row.prompt_variant}" if row.prompt_variant else "")
        for row in sorted(rows, key=lambda row: list(PromptType).index(row.prompt_type))
    )
    lines = []
    for style, label in enumerate(labels):
        of_label = (
            row for row in rows if row_label(row) + (f", {row.prompt_variant}" if row.prompt_variant else "") == label
        )
        known = {row.tool_success_rate: row.success for row in of_label}
        found = [known.get(rate) for rate in rates]
        lines.append(Line(label, style, _dots(rates, found, across, up), tuple(map(_figures, found))))
    return tuple(lines)


def _figures(rate: Rate | None) -> tuple[str, str]:
    return (numbers.NOTHING, "") if rate is None else (numbers.share(rate.value), numbers.of(rate))


def _dots(rates: Sequence[float], found: Sequence[Rate | None], across: Scale, up: Scale) -> tuple[Dot, ...]:
    dots: list[Dot] = []
    for at, rate in zip(rates, found, strict=True):
        if rate is not None:
            before = (dots[-1].x, dots[-1].y) if dots else None
            dots.append(Dot(across.at(at), up.at(rate.value), up.at(rate.low), up.at(rate.high), before))
    return tuple(dots)
