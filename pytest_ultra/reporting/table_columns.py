"""Table columns, and the choice of the fullest table that fits the terminal: columns are dropped, never cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

import msgspec

from pytest_ultra.core.figures import Row
from pytest_ultra.core.paired_evidence import TOO_FEW
from pytest_ultra.reporting.figure_format import NOTHING
from pytest_ultra.reporting.text import fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine, draw

T = TypeVar("T")
NO_LEGENDS: Mapping[str, str] = MappingProxyType({})


class Column(msgspec.Struct, Generic[T], frozen=True):
    """A column; `legend` explains what `head` does not, and `cell_legends` some of the cells.

    With `hide_if_empty`, a column without values is left out.
    """

    head: str
    cell: Callable[[T], str]
    legend: str = ""
    hide_if_empty: bool = False
    cell_legends: Mapping[str, str] = NO_LEGENDS

    def is_empty(self, items: Sequence[T]) -> bool:
        return self.hide_if_empty and all(self.cell(item) in ("", NOTHING, TOO_FEW) for item in items)


class Layout(msgspec.Struct, Generic[T], frozen=True):
    """The columns that name an item, left-aligned; the columns of figures, right-aligned; spaces between columns."""

    labels: Sequence[Column[T]]
    figures: Sequence[Column[T]]
    gap: int

    def without_empty(self, items: Sequence[T]) -> Layout[T]:
        labels, figures = ([c for c in side if not c.is_empty(items)] for side in (self.labels, self.figures))
        return Layout(labels, figures, self.gap)


class FittedTable(NamedTuple):
    """A table as lines: its head, the lines of each item, and the legends of its columns."""

    head: list[str]
    items: list[list[str]]
    legends: list[str]

    def lines(self) -> list[TerminalLine]:
        shown = [TerminalLine(text, ("bold",) * (number == 0)) for number, text in enumerate(self.head)]
        return shown + [TerminalLine(text) for lines in self.items for text in lines]


NAME: Column[Row] = Column("prompt type", lambda row: str(row.prompt_type))
SHORT_NAME: Column[Row] = Column("prompt type", lambda row: str(row.prompt_type.flaw_kind or row.prompt_type))
SEVERITY: Column[Row] = Column("severity", lambda row: str(row.severity or ""), hide_if_empty=True)
FAILS_BY: Column[Row] = Column(
    "fails mostly by",
    lambda row: "{} {}".format(*row.failure_classes[0]) if row.failure_classes else NOTHING,
    hide_if_empty=True,
)


def fit_table(items: Sequence[T], layouts: Sequence[Layout[T]], width: int) -> FittedTable:
    """Draw the first layout that fits `width` columns; if none does, each item has the last one's figures below it."""
    layout = layouts[-1]
    for layout in layouts:
        shown = layout.without_empty(items)
        columns = [*shown.labels, *shown.figures]
        cells = [[column.cell(item) for column in columns] for item in items]
        lines = draw([column.head for column in columns], cells, left=len(shown.labels), gap=layout.gap)
        if max(map(len, lines)) <= width:
            return FittedTable(lines[:2], [[line] for line in lines[2:]], _legends(columns, items))
    shown = layout.without_empty(items)
    return FittedTable([], [_stack(item, shown, width) for item in items], _legends(shown.figures, items))


def _legends(columns: Sequence[Column[T]], items: Sequence[T]) -> list[str]:
    """Return what explains these columns, and then what explains cells that are among those of the items."""
    of_cells = (
        legend
        for column in columns
        for value, legend in column.cell_legends.items()
        if any(column.cell(item) == value for item in items)
    )
    return list(dict.fromkeys([*(column.legend for column in columns if column.legend), *of_cells]))


def _stack(item: T, layout: Layout[T], width: int) -> list[str]:
    """Write an item without a table: what names it, and its figures with their heads in the next line."""
    name = " ".join(filter(None, (column.cell(item) for column in layout.labels)))
    figures = ", ".join(f"{column.head} {column.cell(item)}" for column in layout.figures)
    return [*fill(name, width), *fill(figures, width, "  ")]


def _no_markup(_: Row) -> tuple[str, ...]:
    return ()


def draw_rows(
    rows: Sequence[Row], layouts: Sequence[Layout[Row]], width: int, mark: Callable[[Row], tuple[str, ...]] = _no_markup
) -> tuple[list[TerminalLine], list[str]]:
    """Draw the first layout that fits `width` columns.

    Return the table, with a heading above each group of rows, and the legends of its columns. `mark` returns the
    markup of a row.
    """
    table = fit_table(rows, layouts, width)
    marks = list(map(mark, rows))
    return list(_add_headings(table, marks, rows, width)), table.legends


def _add_headings(
    table: FittedTable, marks: Sequence[tuple[str, ...]], rows: Sequence[Row], width: int
) -> Iterator[TerminalLine]:
    yield from FittedTable(table.head, [], []).lines()
    rendered = iter(zip(table.items, marks, strict=True))
    for heading, group in groupby(rows, key=_heading):
        for text in fill(heading, width):
            yield TerminalLine(text, ("bold",))
        for _ in group:
            texts, markup = next(rendered)
            yield from (TerminalLine(text, markup) for text in texts)


def _heading(row: Row) -> str:
    """Return what the rows of a group have in common."""
    rate = "" if row.tool_success_rate is None else f", tool success rate {row.tool_success_rate:g}"
    variant = "" if row.prompt_variant is None else f", prompt variant {row.prompt_variant}"
    versions = "" if row.versions is None else f" ({row.versions})"
    return f"{neutralise(row.model)}{rate}{variant}{versions}"
