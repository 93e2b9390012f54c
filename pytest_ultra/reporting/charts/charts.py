"""The list of charts, and how to draw all charts of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Summary
from pytest_ultra.reporting.charts.chart_style import Format, chart_style, encode
from pytest_ultra.reporting.charts.cost_chart import draw_costs
from pytest_ultra.reporting.charts.difference_chart import draw_differences
from pytest_ultra.reporting.charts.failure_chart import draw_failures
from pytest_ultra.reporting.charts.heat_map_chart import draw_heat_map
from pytest_ultra.reporting.charts.reliability_chart import draw_reliability

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.figure import Figure

CHARTS: Mapping[str, Callable[[Summary], Figure | None]] = {
    "heat-map": draw_heat_map,
    "paired-differences": draw_differences,
    "tool-success-rate": draw_reliability,
    "failure-classes": draw_failures,
    "cost-and-latency": draw_costs,
}
"""Charts by name. Each returns None if the run has no figures for it."""


def draw_charts(summary: Summary, formats: Sequence[Format]) -> Iterator[tuple[str, bytes]]:
    """Yield the file name and content of each chart for which the run has figures, in each format."""
    with chart_style():
        for name, draw in CHARTS.items():
            figure = draw(summary)
            if figure is not None:
                yield from ((f"{name}.{file_format}", encode(figure, file_format)) for file_format in formats)
