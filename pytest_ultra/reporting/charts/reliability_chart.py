"""Success against tool success rate, one panel per model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.reporting.charts.chart_style import HUES, LINE, MARKS, escape_math, make_figure
from pytest_ultra.reporting.row_names import row_label

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_IN = 1.75


def draw_reliability(summary: Summary) -> Figure | None:
    """Draw a line per kind of row; None unless there are several rates. Above two models it is wider than a column."""
    rates = {row.tool_success_rate for row in summary.rows if row.tool_success_rate is not None}
    if len(rates) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    models = list(dict.fromkeys(row.model for row in summary.rows))
    lines = list(dict.fromkeys(_name(row) for row in summary.rows))
    figure, panels = make_figure(9 + len(lines) / 2, margin_in=0.5, columns=len(models))
    figure.set_figwidth(max(figure.get_figwidth(), _PANEL_IN * len(models)))
    for model, axes in zip(models, panels, strict=True):
        for style, line in enumerate(lines):
            _draw(axes, style, [row for row in summary.rows if row.model == model and _name(row) == line])
        _label(axes, model, sorted(rates))
    panels[0].set_ylabel("success, % (95% interval)")
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    handles, _ = panels[0].get_legend_handles_labels()
    figure.legend(handles, lines, loc="outside lower center", ncols=2)
    return figure


def _name(row: Row) -> str:
    return f"{row_label(row)}, {row.prompt_variant}" if row.prompt_variant else row_label(row)


def _draw(axes: Axes, style: int, rows: list[Row]) -> None:
    known = sorted((row.tool_success_rate, row.success) for row in rows if row.success and row.tool_success_rate)
    x = [100 * rate for rate, _ in known]
    y = [100 * success.value for _, success in known]
    spread = [[100 * (s.value - s.low) for _, s in known], [100 * (s.high - s.value) for _, s in known]]
    hue, mark = HUES[style % len(HUES)], MARKS[style % len(MARKS)]
    axes.errorbar(x, y, yerr=spread, color=hue, marker=mark, elinewidth=0.5, label=str(style))


def _label(axes: Axes, model: str, rates: list[float]) -> None:
    axes.set_title(escape_math(model))
    axes.set_xlabel("tool success rate, %")
    axes.set_xticks([100 * rate for rate in rates])
    axes.set_ylim(-3, 103)
    axes.grid(axis="y", color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
