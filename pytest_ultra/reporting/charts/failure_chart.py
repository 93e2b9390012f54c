"""A bar chart of failure classes by frequency, a panel for each model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.reporting.charts.chart_style import GAIN, ROW_IN, SOFT, escape_math, make_figure
from pytest_ultra.reporting.row_names import words

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_IN = 1.3


def draw_failures(summary: Summary) -> Figure | None:
    """Draw the model's failures in blue, and infrastructure failures, which are not scored, in hatched grey.

    Several models get a panel each, with the classes in one order.
    """
    classes = [name for name, _ in summary.failure_classes]
    if not classes:
        return None
    models = list(dict.fromkeys(row.model for row in summary.rows))
    if len(models) > 1:
        counted = {model: _count(row for row in summary.rows if row.model == model) for model in models}
    else:
        run = summary.counts.scored + summary.counts.error
        counted = {"": (Counter(dict(summary.failure_classes)), run)}
    figure, panels = make_figure(
        len(classes), margin_in=0.45 + (ROW_IN if len(counted) > 1 else 0), columns=len(counted)
    )
    figure.set_figwidth(max(figure.get_figwidth(), 1.2 + _PANEL_IN * len(counted)))
    most = max(max(counts.values(), default=1) for counts, _ in counted.values())
    for (model, (counts, run)), axes in zip(counted.items(), panels, strict=True):
        _draw(axes, [(name, counts[name]) for name in classes], run)
        axes.set_xlim(0, 1.2 * most)  # the same for all models, and room for the number
        axes.set_title(escape_math(model))
    labels = [f"{words(name)}{' (not scored)' if name.is_infrastructure else ''}" for name in classes]
    panels[0].set_yticks(range(len(classes)), labels)
    for axes in panels[1:]:
        axes.set_yticks([])
    return figure


def _count(rows: Iterable[Row]) -> tuple[Counter[FailureClass], int]:
    """Return the cases by failure class, and the number of cases that were run."""
    found, run = Counter[FailureClass](), 0
    for row in rows:
        found.update(dict(row.failure_classes))
        run += row.counts.scored + row.counts.error
    return found, run


def _draw(axes: Axes, classes: Sequence[tuple[FailureClass, int]], run: int) -> None:
    for y, (name, n) in enumerate(classes):
        hue, hatch = ("#b9bcc0", "////") if name.is_infrastructure else (GAIN, None)
        axes.barh(y, n, height=0.6, color=hue, hatch=hatch, edgecolor="white", linewidth=0)
        axes.annotate(f"{n:,}", (n, y), (3, 0), textcoords="offset points", va="center", fontsize=6.5)
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.set_xlabel(f"cases, of {run:,} run", color=SOFT)
    axes.spines["left"].set_visible(False)
