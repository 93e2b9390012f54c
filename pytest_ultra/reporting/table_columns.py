"""Table columns, and the choice of the fullest table that fits the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.core.figures import Row
from pytest_ultra.reporting.figure_format import NOTHING
from pytest_ultra.reporting.text import fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine, draw


class Column(msgspec.Struct, frozen=True):
    """A column; `legend` explains what `head` does not. With `hide_if_empty`, a column without values is left out."""

    head: str
    cell: Callable[[Row], str]
    legend: str = ""
    hide_if_empty: bool = False

    def is_empty(self, rows: Sequence[Row]) -> bool:
        return self.hide_if_empty and all(self.cell(row) in ("", NOTHING) for row in rows)


class Layout(msgspec.Struct, frozen=True):
    """The columns that name a row, left-aligned; the columns of figures, right-aligned; spaces between columns."""

    labels: Sequence[Column]
    figures: Sequence[Column]
    gap: int


NAME = Column("prompt type", lambda row: str(row.prompt_type))
SHORT_NAME = Column("prompt type", lambda row: str(row.prompt_type.flaw_kind or row.prompt_type))
SEVERITY = Column("severity", lambda row: str(row.severity or ""), hide_if_empty=True)
FAILS_BY = Column(
    "fails mostly by",
    lambda row: "{} {}".format(*row.failure_classes[0]) if row.failure_classes else NOTHING,
    hide_if_empty=True,
)


def _no_markup(_: Row) -> tuple[str, ...]:
    return ()


def draw_rows(
    rows: Sequence[Row], layouts: Sequence[Layout], width: int, mark: Callable[[Row], tuple[str, ...]] = _no_markup
) -> tuple[list[TerminalLine], list[str]]:
    """Draw the first layout that fits `width` columns, else the last one, cut.

    Return the table, with a heading above each group of rows, and the legends of its columns. `mark` returns the
    markup of a row.
    """
    texts, legends = _render(rows, layouts, width)
    marks = list(map(mark, rows))
    return list(_add_headings(texts, marks, rows, width)), list(dict.fromkeys(filter(None, legends)))


def _add_headings(
    texts: Sequence[str], marks: Sequence[tuple[str, ...]], rows: Sequence[Row], width: int
) -> Iterator[TerminalLine]:
    head, rule, *cells = texts
    yield TerminalLine(head, ("bold",))
    yield TerminalLine(rule)
    rendered = iter(map(TerminalLine, cells, marks))
    for heading, group in groupby(rows, key=_heading):
        for text in fill(heading, width):
            yield TerminalLine(text, ("bold",))
        for _ in group:
            yield next(rendered)


def _heading(row: Row) -> str:
    """Return what the rows of a group have in common."""
    rate = "" if row.tool_success_rate is None else f", tool success rate {row.tool_success_rate:g}"
    variant = "" if row.prompt_variant is None else f", prompt variant {row.prompt_variant}"
    versions = "" if row.versions is None else f" ({row.versions})"
    return f"{neutralise(row.model)}{rate}{variant}{versions}"


def _render(rows: Sequence[Row], layouts: Sequence[Layout], width: int) -> tuple[list[str], list[str]]:
    for layout in layouts:
        labels = [column for column in layout.labels if not column.is_empty(rows)]
        columns = [*labels, *(column for column in layout.figures if not column.is_empty(rows))]
        heads = [column.head for column in columns]
        cells = [[column.cell(row) for column in columns] for row in rows]
        lines = draw(heads, cells, left=len(labels), gap=layout.gap)
        if max(map(len, lines)) <= width:
            break
    else:
        lines = draw(heads, cells, left=len(labels), gap=layout.gap, width=width)
    return lines, [column.legend for column in columns]
