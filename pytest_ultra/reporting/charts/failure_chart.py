"""A bar chart of failure classes by frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Summary
from pytest_ultra.reporting.charts.chart_style import GAIN, SOFT, make_figure
from pytest_ultra.reporting.row_names import words

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.figure import Figure


def draw_failures(summary: Summary) -> Figure | None:
    """Draw the model's failures in blue, and infrastructure failures, which are not scored, in hatched grey."""
    classes = summary.failure_classes
    if not classes:
        return None
    figure, (axes,) = make_figure(len(classes), margin_in=0.45)
    for y, (name, n) in enumerate(classes):
        is_unscored = name.is_infrastructure
        hue, hatch = ("#b9bcc0", "////") if is_unscored else (GAIN, None)
        axes.barh(y, n, height=0.6, color=hue, hatch=hatch, edgecolor="white", linewidth=0)
        axes.annotate(f"{n:,}", (n, y), (3, 0), textcoords="offset points", va="center", fontsize=6.5)
    labels = [f"{words(name)}{' (not scored)' if name.is_infrastructure else ''}" for name, _ in classes]
    axes.set_yticks(range(len(classes)), labels)
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_xlabel(f"cases, of {summary.counts.scored + summary.counts.error:,} run", color=SOFT)
    axes.spines["left"].set_visible(False)
    return figure
