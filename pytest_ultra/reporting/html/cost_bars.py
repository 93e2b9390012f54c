"""The overview's table of cost and latency, each figure with a bar."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.figures import Row
from pytest_ultra.reporting.budget_lines import estimate_mark
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.plot_scales import percent
from pytest_ultra.reporting.row_names import heading, row_label


class BarFigure(msgspec.Struct, frozen=True):
    """A figure and the length of its bar, in percent of the largest figure in its column."""

    text: str
    bar: str


class CostLine(msgspec.Struct, frozen=True):
    label: str
    calls: BarFigure
    tokens: BarFigure
    seconds: BarFigure
    first_token: BarFigure
    cost: BarFigure


class CostBand(msgspec.Struct, frozen=True):
    """Lines under a common heading."""

    title: str
    lines: tuple[CostLine, ...]


def make_costs(rows: Sequence[Row]) -> tuple[CostBand, ...]:
    largest = [
        max((value or 0 for value in column), default=0) for column in zip(*map(_measures, rows), strict=True)
    ] or [0.0] * 5
    lines = [(heading(row), _line(row, largest)) for row in rows]
    titles = dict.fromkeys(title for title, _ in lines)
    return tuple(CostBand(title, tuple(line for of, line in lines if of == title)) for title in titles)


def _measures(row: Row) -> tuple[float | None, ...]:
    return row.mean_calls, row.mean_tokens, row.mean_duration_s, row.mean_first_token_s, row.mean_cost


def _line(row: Row, largest: Sequence[float]) -> CostLine:
    calls, tokens, seconds, first_token, cost = largest
    mark = estimate_mark(row.estimated_requests)
    return CostLine(
        row_label(row),
        _bar_figure(row.mean_calls, calls, number_format.decimal(row.mean_calls)),
        _bar_figure(row.mean_tokens, tokens, mark + number_format.large_number(row.mean_tokens)),
        _bar_figure(row.mean_duration_s, seconds, number_format.seconds(row.mean_duration_s)),
        _bar_figure(row.mean_first_token_s, first_token, number_format.short_seconds(row.mean_first_token_s)),
        _bar_figure(row.mean_cost, cost, mark + number_format.money(row.mean_cost)),
    )


def _bar_figure(value: float | None, most: float, text: str) -> BarFigure:
    return BarFigure(text, percent(100 * value / most if value and most else 0))
