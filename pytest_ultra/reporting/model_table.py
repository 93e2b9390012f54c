"""The block that sets models beside one another."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.core.figures import Caveat, ModelDifference
from pytest_ultra.reporting.figure_format import difference_interval, p_value, points
from pytest_ultra.reporting.line import Line
from pytest_ultra.reporting.text import count, fill, neutralise

_MOST = 15
_LEGEND = (
    "points: success of the first model less that of the second, over pairs of all cases alike but for the model; "
    "95% interval by task; p: McNemar's exact test, corrected (Holm) over the pairs of models"
)
_CLUSTERED = "; it takes the pairs of a task for independent: where it and the interval part, go by the interval"


def models_lines(differences: Sequence[ModelDifference], width: int) -> list[Line]:
    """Return a block on each two models; nothing where there is but one."""
    from pytest_ultra.reporting.text_table import draw  # noqa: PLC0415 - Rich takes 15 ms, and only a run's end needs it

    if not differences:
        return []
    heads = ("models", "points", "95% interval", "p", "pairs", "tasks")
    head, rule, *lines = draw(heads, [_cells(d) for d in differences[:_MOST]], left=1, gap=2, width=width)
    more = len(differences) - _MOST
    left_out = [Line(f"and {count(more, 'more pair')} of models")] if more > 0 else []
    is_clustered = any(Caveat.CLUSTERED in found.difference.caveats for found in differences)
    legend = [Line(text) for text in fill(_LEGEND + (_CLUSTERED if is_clustered else ""), width)]
    return [Line(""), Line(head, ("bold",)), *map(Line, (rule, *lines)), *left_out, Line(""), *legend]


def _cells(found: ModelDifference) -> tuple[str, ...]:
    difference = found.difference
    figures = (points(difference), difference_interval(difference), p_value(difference))
    names = f"{neutralise(found.sample)} vs {neutralise(found.reference)}"
    return (names, *figures, f"{difference.pairs:,}", f"{difference.tasks:,}")
