"""Columns of figures of rows, and the fullest table of them that fits a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.core.figures import Row
from pytest_ultra.reporting.figure_format import NOTHING
from pytest_ultra.reporting.line import Line
from pytest_ultra.reporting.text import fill, neutralise


class Column(msgspec.Struct, frozen=True):
    """A column and, if its head does not say it, what it holds; left out where all is empty if `may_vanish`."""

    head: str
    cell: Callable[[Row], str]
    legend: str = ""
    may_vanish: bool = False

    def is_empty(self, rows: Sequence[Row]) -> bool:
        return self.may_vanish and all(self.cell(row) in ("", NOTHING) for row in rows)


class Layout(msgspec.Struct, frozen=True):
    """Columns that name a row, to the left, those of its figures, to the right, and the space between them."""

    labels: Sequence[Column]
    figures: Sequence[Column]
    gap: int


NAME = Column("prompt type", lambda row: str(row.prompt_type))
SHORT_NAME = Column("prompt type", lambda row: str(row.prompt_type.flaw_kind or row.prompt_type))
SEVERITY = Column("severity", lambda row: str(row.severity or ""), may_vanish=True)
FAILS_BY = Column(
    "fails mostly by",
    lambda row: "{} {}".format(*row.failure_classes[0]) if row.failure_classes else NOTHING,
    may_vanish=True,
)


def _plain(_: Row) -> tuple[str, ...]:
    return ()


def draw_rows(
    rows: Sequence[Row], layouts: Sequence[Layout], width: int, mark: Callable[[Row], tuple[str, ...]] = _plain
) -> tuple[list[Line], list[str]]:
    """Draw the first layout that fits, or the last, cut, under headings; and return the legends of its columns.

    `mark` gives the markup of a row.
    """
    texts, legends = _render(rows, layouts, width)
    marks = list(map(mark, rows))
    return list(_head(texts, marks, rows, width)), list(dict.fromkeys(filter(None, legends)))


def _head(texts: Sequence[str], marks: Sequence[tuple[str, ...]], rows: Sequence[Row], width: int) -> Iterator[Line]:
    head, rule, *cells = texts
    yield Line(head, ("bold",))
    yield Line(rule)
    rendered = iter(map(Line, cells, marks))
    for heading, group in groupby(rows, key=_heading):
        for text in fill(heading, width):
            yield Line(text, ("bold",))
        for _ in group:
            yield next(rendered)


def _heading(row: Row) -> str:
    """Say what a row has in common with those around it."""
    rate = "" if row.tool_success_rate is None else f", tool success rate {row.tool_success_rate:g}"
    variant = "" if row.prompt_variant is None else f", prompt variant {row.prompt_variant}"
    versions = "" if row.versions is None else f" ({row.versions})"
    return f"{neutralise(row.model)}{rate}{variant}{versions}"


def _render(rows: Sequence[Row], layouts: Sequence[Layout], width: int) -> tuple[list[str], list[str]]:
    from pytest_ultra.reporting.text_table import draw  # noqa: PLC0415 - Rich takes 15 ms, and only a run's end needs it

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
