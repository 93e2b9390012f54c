"""The list of charts, and how to draw all charts of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pytest_ultra.core.figures import Summary
from pytest_ultra.reporting.charts.chart_style import MM_PER_IN, ROW_IN, Format, chart_style, encode
from pytest_ultra.reporting.charts.cost_chart import draw_costs
from pytest_ultra.reporting.charts.difference_chart import draw_differences
from pytest_ultra.reporting.charts.failure_chart import draw_failures
from pytest_ultra.reporting.charts.heat_map_chart import draw_heat_map
from pytest_ultra.reporting.charts.model_chart import draw_models
from pytest_ultra.reporting.charts.reliability_chart import draw_reliability

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.figure import Figure


class Chart(msgspec.Struct, frozen=True):
    """`draw` returns None if the run has no figures for the chart."""

    draw: Callable[[Summary], Figure | None]
    title: str


class Look(msgspec.Struct, frozen=True):
    """How charts are to look: their width, if all are to have the same, the font family, and whether with titles."""

    width_mm: float | None = None
    font: str | None = None
    has_titles: bool = True


CHARTS: Mapping[str, Chart] = {
    "models": Chart(draw_models, "Success, and what flawed plans cost"),
    "heat-map": Chart(draw_heat_map, "Success by prompt type and model"),
    "paired-differences": Chart(draw_differences, "What a plan costs or gains, task by task"),
    "tool-success-rate": Chart(draw_reliability, "Success as tools fail more or less often"),
    "failure-classes": Chart(draw_failures, "Why cases were not full"),
    "cost-and-latency": Chart(draw_costs, "Tokens, time and money a case"),
}
"""Charts by name."""


def draw_charts(
    summary: Summary, formats: Sequence[Format], names: Sequence[str] = tuple(CHARTS), look: Look | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield the file name and content of each named chart for which the run has figures, in each format.

    Raises ConfigurationError if the font is not installed.
    """
    look = look or Look()
    with chart_style(look.font):
        for name in names:
            figure = CHARTS[name].draw(summary)
            if figure is None:
                continue
            if look.has_titles:
                figure.suptitle(CHARTS[name].title, x=0.01, ha="left")
                figure.set_figheight(figure.get_figheight() + ROW_IN)
            if look.width_mm is not None:
                figure.set_figwidth(look.width_mm / MM_PER_IN)
            yield from ((f"{name}.{file_format}", encode(figure, file_format)) for file_format in formats)
