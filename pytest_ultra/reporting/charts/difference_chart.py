"""A forest plot of paired differences to the optimal plan, with their intervals."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Summary
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting.charts.chart_style import GAIN, LINE, LOSS, SOFT, escape_math, make_figure
from pytest_ultra.reporting.row_names import heading, row_label

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_differences(summary: Summary) -> Figure | None:
    found = [(heading(row), row_label(row), row.difference) for row in summary.rows if row.difference is not None]
    if not found:
        return None
    bands = [(title, list(group)) for title, group in groupby(found, key=lambda item: item[0])]
    figure, (axes,) = make_figure(len(found) + len(bands), margin_in=0.5)
    labels, y = [], 0
    for title, band in bands:
        axes.text(0.01, y, escape_math(title), transform=axes.get_yaxis_transform(), va="center", color=SOFT)
        labels.append("")
        for at, (_, label, difference) in enumerate(band, start=y + 1):
            _draw(axes, at, difference)
            labels.append(f"{label} ({difference.pairs:,})")
        y += len(band) + 1
    _label(axes, labels)
    return figure


def _draw(axes: Axes, y: int, difference: PairedDifference) -> None:
    hue = LOSS if difference.value < 0 else GAIN
    if difference.shown_interval is not None:
        axes.plot([100 * end for end in difference.shown_interval], [y, y], color=hue, solid_capstyle="butt")
    fill = "white" if difference.evidence is Evidence.NONE else hue
    axes.plot([difference.points], [y], "o", color=hue, markerfacecolor=fill)


def _label(axes: Axes, labels: list[str]) -> None:
    axes.axvline(0, color=SOFT, linewidth=0.6, linestyle=(0, (3, 3)), zorder=0)
    axes.grid(axis="x", color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -105), min(high, 105))
    axes.set_xlabel("points against the optimal plan, 95% interval (pairs)", x=1, ha="right")
    axes.spines["left"].set_visible(False)
