"""The block that compares the models of a run: one row for each pair of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_ultra.core.figures import ModelDifference
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.figure_format import VERDICT_LEGENDS, difference_interval, p_value, points, verdict
from pytest_ultra.reporting.table_columns import NO_LEGENDS, Column, Layout, fit_table
from pytest_ultra.reporting.text import count, fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine

_MOST = 15


def model_lines(differences: Sequence[ModelDifference], width: int) -> list[TerminalLine]:
    """Return a block with a row for each pair of models; empty if there is only one model."""
    if not differences:
        return []
    more = len(differences) - _MOST
    table = fit_table(differences[:_MOST], _LAYOUTS, width)
    left_out = [TerminalLine(f"and {count(more, 'more pair')} of models")] if more > 0 else []
    return [
        TerminalLine(""),
        *table.lines(),
        *left_out,
        TerminalLine(""),
        *(TerminalLine(text) for text in fill("; ".join(table.legends), width)),
    ]


def _column(
    head: str, show: Callable[[PairedDifference], str], legend: str = "", cell_legends: Mapping[str, str] = NO_LEGENDS
) -> Column[ModelDifference]:
    return Column(head, lambda found: show(found.difference), legend, cell_legends=cell_legends)


_OF_POINTS = (
    "points: success of the first model minus that of the second, over pairs of cases that differ only in the model"
)
_OF_P = "p: McNemar's test by task, corrected (Holm) over the pairs of models"
_NAMES: Column[ModelDifference] = Column(
    "models", lambda found: f"{neutralise(found.sample)} vs {neutralise(found.reference)}"
)
_POINTS = _column("points", points, _OF_POINTS)
_INTERVAL = _column("95% interval", difference_interval, "95% interval by task (Tango)")
_P = _column("p", p_value, _OF_P)
_VERDICT = _column("verdict", verdict, cell_legends=VERDICT_LEGENDS)
_PAIRS = _column("pairs", lambda difference: f"{difference.pairs:,}")
_TASKS = _column("tasks", lambda difference: f"{difference.tasks:,}")
_LAYOUTS: tuple[Layout[ModelDifference], ...] = (
    Layout((_NAMES,), (_POINTS, _INTERVAL, _P, _VERDICT, _PAIRS, _TASKS), 2),
    Layout((_NAMES,), (_POINTS, _INTERVAL, _P, _VERDICT, _TASKS), 1),
    Layout((_NAMES,), (_POINTS, _INTERVAL, _P, _VERDICT), 1),
    Layout((_NAMES,), (_POINTS, _VERDICT), 1),
)
