"""CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from pytest_ultra.reporting.text import neutralise

_FORMULA = ("=", "+", "-", "@")


def render_csv(heads: Iterable[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table: None is an empty cell, and no text is a formula or contains a control code."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        shown = neutralise(value)
        return f"'{shown}" if shown.startswith(_FORMULA) else shown
    return value
