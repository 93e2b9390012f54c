"""The overview's table of failure classes: how many cases of each model have each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import percent
from pytest_ultra.reporting.labels import FAILURE_CLASSES
from pytest_ultra.reporting.row_names import words

Query = tuple[tuple[str, str], ...]
"""The filters of the table of cases that select the cases of a figure."""


class FailureCell(msgspec.Struct, frozen=True):
    """The cases of one model with one class; `share` is of the model's cases that were run."""

    count: int
    share: str
    bar: str
    link: Query


class FailureLine(msgspec.Struct, frozen=True):
    name: str
    label: str
    words: str
    cells: tuple[FailureCell, ...]


class FailureSide(msgspec.Struct, frozen=True):
    """The failures that the model, or the infrastructure, is responsible for."""

    title: str
    lines: tuple[FailureLine, ...]


class FailureMatrix(msgspec.Struct, frozen=True):
    models: tuple[str, ...]
    sides: tuple[FailureSide, ...]


def make_failure_matrix(summary: Summary) -> FailureMatrix | None:
    """Return the classes that occurred, the most frequent first, by model; None without any."""
    if not summary.failure_classes:
        return None
    models = tuple(dict.fromkeys(row.model for row in summary.rows))
    counts = {model: count_failures(summary.rows, model) for model in models}
    attempted = {model: _count_attempted(summary.rows, model) for model in models}
    most = max((n for found in counts.values() for n in found.values()), default=1)

    def cell(model: str, failure_class: FailureClass) -> FailureCell:
        n = counts[model][failure_class]
        share = number_format.share(n / attempted[model]) if attempted[model] else number_format.DASH
        return FailureCell(n, share, percent(100 * n / most), failure_query(model, failure_class))

    def line(failure_class: FailureClass) -> FailureLine:
        cells = tuple(cell(model, failure_class) for model in models)
        return FailureLine(failure_class, words(failure_class), FAILURE_CLASSES[failure_class], cells)

    titles = (("The model", False), ("The infrastructure, not scored", True))
    sides = (
        FailureSide(title, tuple(line(name) for name, _ in summary.failure_classes if name.is_infrastructure is side))
        for title, side in titles
    )
    return FailureMatrix(tuple(safe_text(model, 100) for model in models), tuple(side for side in sides if side.lines))


def count_failures(rows: Sequence[Row], model: str) -> Counter[FailureClass]:
    """Return the failure classes of a model, with their numbers of cases."""
    found: Counter[FailureClass] = Counter()
    for row in rows:
        if row.model == model:
            found.update(dict(row.failure_classes))
    return found


def failure_query(model: str, failure_class: FailureClass) -> Query:
    return ("model", model), ("failure_class", str(failure_class))


def _count_attempted(rows: Sequence[Row], model: str) -> int:
    return sum(row.counts.scored + row.counts.error for row in rows if row.model == model)
