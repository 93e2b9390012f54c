"""The cost of an episode: tokens, time and, where prices are known, money."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.reporting.charts.chart_style import HUES, LINE, MARKS, escape_math, make_figure
from pytest_ultra.reporting.row_names import heading, row_label

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Measure = tuple[str, Callable[[Row], float | None]]
_TOKENS: _Measure = ("thousand tokens", lambda row: None if row.mean_tokens is None else row.mean_tokens / 1000)
_SECONDS: _Measure = ("seconds", lambda row: row.mean_duration_s)
_DOLLARS: _Measure = ("US dollars", lambda row: row.mean_cost)


def draw_costs(summary: Summary) -> Figure | None:
    """Draw one dot per row, its mean over scored cases, with a colour and a mark per model."""
    rows = [row for row in summary.rows if row.mean_tokens is not None]
    if not rows:
        return None
    measures = [_TOKENS, _SECONDS, *([_DOLLARS] if any(row.mean_cost for row in rows) else [])]
    labels = list(dict.fromkeys(map(row_label, rows)))
    titles = list(dict.fromkeys(map(heading, rows)))
    figure, panels = make_figure(len(labels) + len(titles) / 2, margin_in=0.5, columns=len(measures))
    for (name, read), axes in zip(measures, panels, strict=True):
        for style, title in enumerate(titles):
            dots = [(read(row), labels.index(row_label(row))) for row in rows if heading(row) == title]
            _draw(axes, style, title, [(x, y) for x, y in dots if x is not None])
        _label(axes, name, labels)
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    if len(titles) > 1:
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure


def _draw(axes: Axes, style: int, title: str, dots: list[tuple[float, int]]) -> None:
    hue, mark = HUES[style % len(HUES)], MARKS[style % len(MARKS)]
    x, y = [x for x, _ in dots], [y for _, y in dots]
    axes.plot(x, y, mark, color=hue, label=escape_math(title), markerfacecolor="none" if style else hue)


def _label(axes: Axes, name: str, labels: list[str]) -> None:
    axes.set_xlabel(f"{name} per case")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.margins(x=0.1)
    axes.grid(color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
