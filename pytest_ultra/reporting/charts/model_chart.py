"""The models beside each other: success over all cases, and what flawed plans cost each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ultra.core.figures import Summary
from pytest_ultra.reporting.charts.chart_style import GAIN, LINE, LOSS, SOFT, escape_math, make_figure
from pytest_ultra.reporting.html.html_text import safe_text

if TYPE_CHECKING:  # 0.3 s, and only charts need it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_NAME = 40


def draw_models(summary: Summary) -> Figure | None:
    """Draw a row for each model with scored cases, in the order of the summary; None without any."""
    models = [model for model in summary.model_figures if model.success is not None]
    if not models:
        return None
    has_pairs = any(model.flawed is not None for model in models)
    figure, panels = make_figure(len(models), margin_in=0.6, columns=1 + has_pairs)
    for y, model in enumerate(models):
        if model.success is not None:
            ends = (model.success.low, model.success.high)
            _draw(panels[0], y, model.success.value, ends, GAIN)
        if model.flawed is not None:
            hue = LOSS if model.flawed.value < 0 else GAIN
            _draw(panels[-1], y, model.flawed.value, model.flawed.shown_interval, hue)
    names = [escape_math(f"{safe_text(model.model, _LONGEST_NAME)} ({model.counts.scored:,})") for model in models]
    _label(panels[0], names, "success, %, 95% interval (n)")
    panels[0].set_xlim(-3, 103)
    if has_pairs:
        panels[1].axvline(0, color=SOFT, linewidth=0.6, linestyle=(0, (3, 3)), zorder=0)
        _label(panels[1], [""] * len(models), "flawed plans, points")
    return figure


def _draw(axes: Axes, y: int, value: float, ends: tuple[float, float] | None, hue: str) -> None:
    if ends is not None:
        axes.plot([100 * end for end in ends], [y, y], color=hue, solid_capstyle="butt")
    axes.plot([100 * value], [y], "o", color=hue, markerfacecolor="white" if ends is None else hue)


def _label(axes: Axes, names: list[str], title: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(title)
    axes.grid(axis="x", color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
