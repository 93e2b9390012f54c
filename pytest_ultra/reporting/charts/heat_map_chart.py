"""A heat map of success by prompt type and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Summary
from pytest_ultra.reporting.charts.chart_style import LINE, SOFT, make_figure, wrap_label
from pytest_ultra.reporting.html.heat_map import HeatMap, HeatRow, make_heat_map
from pytest_ultra.reporting.row_names import words

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMN_IN = 0.85
_SCALE_IN = 0.5
_LEVELS = 10


def draw_heat_map(summary: Summary) -> Figure | None:
    if not summary.rows:
        return None
    heat = make_heat_map(summary.rows)
    lines = [row for band in heat.bands for row in band.rows]
    figure, (axes,) = make_figure(1.3 * len(lines), margin_in=0.7)
    figure.set_figwidth(max(figure.get_figwidth(), 1.2 + _SCALE_IN + _COLUMN_IN * len(heat.columns)))
    for y, row in enumerate(lines):
        _draw_row(axes, y, row)
    _label(axes, heat, lines)
    _add_scale(figure, axes)
    return figure


def _add_scale(figure: Figure, axes: Axes) -> None:
    """Add the bar that says which colour stands for which success."""
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 - see above
    from matplotlib.colors import ListedColormap, Normalize  # noqa: PLC0415

    colours = ListedColormap([_tint(level / _LEVELS) for level in range(_LEVELS + 1)])
    scale = figure.colorbar(ScalarMappable(Normalize(0, 100), colours), ax=axes, fraction=0.04, pad=0.02)
    scale.ax.set_ylabel("success, %", color=SOFT, fontfamily=axes.yaxis.label.get_fontfamily())
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0)


def _draw_row(axes: Axes, y: int, row: HeatRow) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 - see above

    for x, cell in enumerate(row.cells):
        level = None if cell is None else cell.level
        hue = "#ffffff" if level is None else _tint(level / _LEVELS)
        axes.add_patch(Rectangle((x - 0.49, y - 0.46), 0.98, 0.92, facecolor=hue, edgecolor=LINE, linewidth=0.4))
        axes.text(x, y - 0.08, "-" if cell is None else cell.text, ha="center", va="center", fontweight="bold")
        if cell is not None:
            axes.text(x, y + 0.27, cell.detail, ha="center", va="center", fontsize=4.6, color=SOFT)


def _tint(share: float) -> tuple[float, float, float]:
    """Return a blue light enough for black text, as red, green and blue in [0, 1]; `share` is in [0, 1]."""
    full, part = (0.18, 0.5, 0.74), 0.03 + 0.5 * share
    red, green, blue = (1 - part * (1 - tone) for tone in full)
    return red, green, blue


def _label(axes: Axes, heat: HeatMap, lines: list[HeatRow]) -> None:
    axes.set_xlim(-0.5, len(heat.columns) - 0.5)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xticks(range(len(heat.columns)), [wrap_label(column) for column in heat.columns])
    axes.set_yticks(range(len(lines)), [words(" ".join(filter(None, (line.label, line.severity)))) for line in lines])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
