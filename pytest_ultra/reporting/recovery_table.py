"""Recovery from random faults by their kind: a block below the table of results, and its words for other reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.figures import Row
from pytest_ultra.reporting.figure_format import NOTHING, coarse_percent
from pytest_ultra.reporting.table_columns import NAME, SEVERITY, SHORT_NAME, Column, Layout, draw_rows
from pytest_ultra.reporting.text import fill
from pytest_ultra.reporting.text_table import TerminalLine

LEGEND = "recovery by the kind of random fault: share of the faults that were dealt with (faults met)"


def rows_to_show(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with faults if any fault is not transient, else none: the recovery from those has its column."""
    has_other_kinds = any(kind is not FaultKind.TRANSIENT for row in rows for kind, _ in row.recovery_by_kind)
    return [row for row in rows if row.recovery_by_kind] if has_other_kinds else []


def recovery_lines(rows: Sequence[Row], width: int) -> list[TerminalLine]:
    """Return the block; empty if all faults were transient."""
    shown = rows_to_show(rows)
    if not shown:
        return []
    columns = [Column(name_of(kind), _cell_of(kind), hide_if_empty=True) for kind in FaultKind]
    labels = ((NAME, SEVERITY), (SHORT_NAME, SEVERITY))
    layouts = [Layout(label, columns, gap) for label, gap in zip(labels, (2, 1), strict=True)]
    lines, _ = draw_rows(shown, layouts, width)
    return [TerminalLine(""), *lines, TerminalLine(""), *(TerminalLine(text) for text in fill(LEGEND, width))]


def name_of(kind: FaultKind) -> str:
    return kind.value.replace("_", " ")


def recovery_of(row: Row, kind: FaultKind) -> str:
    """Return the recovery from one kind of fault, and the number of faults."""
    rate = dict(row.recovery_by_kind).get(kind)
    return NOTHING if rate is None else f"{coarse_percent(rate.value)} ({rate.n})"


def _cell_of(kind: FaultKind) -> Callable[[Row], str]:
    return lambda row: recovery_of(row, kind)
