"""The block that compares the models of a run."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.core.figures import ModelDifference
from pytest_ultra.reporting.figure_format import difference_interval, p_value, points, verdict
from pytest_ultra.reporting.text import count, fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine, draw

_MOST = 15
_LEGEND = (
    "points: success of the first model minus that of the second, over pairs of cases that differ only in the model; "
    "95% interval by task (Tango); p: McNemar's test by task, corrected (Holm) over the pairs of models"
)


def model_lines(differences: Sequence[ModelDifference], width: int) -> list[TerminalLine]:
    """Return a block with a row for each pair of models; empty if there is only one model."""
    if not differences:
        return []
    heads = ("models", "points", "95% interval", "p", "verdict", "pairs", "tasks")
    head, rule, *lines = draw(heads, [_cells(d) for d in differences[:_MOST]], left=1, gap=2, width=width)
    more = len(differences) - _MOST
    left_out = [TerminalLine(f"and {count(more, 'more pair')} of models")] if more > 0 else []
    legend = [TerminalLine(text) for text in fill(_LEGEND, width)]
    return [
        TerminalLine(""),
        TerminalLine(head, ("bold",)),
        *map(TerminalLine, (rule, *lines)),
        *left_out,
        TerminalLine(""),
        *legend,
    ]


def _cells(found: ModelDifference) -> tuple[str, ...]:
    difference = found.difference
    figures = (points(difference), difference_interval(difference), p_value(difference), verdict(difference))
    names = f"{neutralise(found.sample)} vs {neutralise(found.reference)}"
    return (names, *figures, f"{difference.pairs:,}", f"{difference.tasks:,}")
