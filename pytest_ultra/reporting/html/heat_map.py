"""The heat map: success by prompt type and model, as a table with the figures in its cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.core.axes import PromptType, Severity
from pytest_ultra.core.figures import Row
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.row_names import heading, kind_of_plan, prompt_label

LEVELS = 10


class HeatCell(msgspec.Struct, frozen=True):
    """`level` is 0 to LEVELS, None if nothing was scored. `link` is the query for its cases."""

    text: str
    detail: str
    level: int | None
    link: tuple[tuple[str, str], ...]


class HeatRow(msgspec.Struct, frozen=True):
    label: str
    severity: str
    cells: tuple[HeatCell | None, ...]


class HeatBand(msgspec.Struct, frozen=True):
    """The rows of one kind of plan."""

    title: str
    rows: tuple[HeatRow, ...]


class HeatMap(msgspec.Struct, frozen=True):
    columns: tuple[str, ...]
    bands: tuple[HeatBand, ...]


def make_heat_map(rows: Sequence[Row]) -> HeatMap:
    columns = tuple(dict.fromkeys(map(heading, rows)))
    cells = {(heading(row), row.prompt_type, row.severity): row for row in rows}
    lines = sorted({(row.prompt_type, row.severity) for row in rows}, key=_sort_key)
    made = [(prompt_type, _line(prompt_type, severity, columns, cells)) for prompt_type, severity in lines]
    bands = groupby(made, key=lambda item: kind_of_plan(item[0]))
    return HeatMap(columns, tuple(HeatBand(title, tuple(line for _, line in group)) for title, group in bands))


def _sort_key(line: tuple[PromptType, Severity | None]) -> tuple[tuple[int, str], int]:
    prompt_type, severity = line
    return prompt_type.rank, list(Severity).index(severity) if severity else -1


def _line(
    prompt_type: PromptType,
    severity: Severity | None,
    columns: Iterable[str],
    cells: Mapping[tuple[str, PromptType, Severity | None], Row],
) -> HeatRow:
    found = [cells.get((column, prompt_type, severity)) for column in columns]
    return HeatRow(
        prompt_label(prompt_type), str(severity or ""), tuple(None if row is None else _cell(row) for row in found)
    )


def _cell(row: Row) -> HeatCell:
    counts = row.counts
    n = f"{counts.scored:,}" if counts.scored == counts.planned else f"{counts.scored:,}/{counts.planned:,}"
    detail = f"{number_format.interval(row.success)}, n {n}" if row.success else f"none of {counts.planned:,} scored"
    return HeatCell(
        number_format.share(row.success.value) if row.success else number_format.DASH,
        detail,
        round(LEVELS * row.success.value) if row.success else None,
        row_query(row),
    )


def row_query(row: Row) -> tuple[tuple[str, str], ...]:
    """Return the filters of the table of cases that select a row's cases."""
    filters = {
        "model": row.model,
        "prompt_type": row.prompt_type,
        "severity": row.severity,
        "tool_success_rate": None if row.tool_success_rate is None else f"{row.tool_success_rate:g}",
        "prompt_variant": row.prompt_variant,
        "versions": None if row.versions is None else str(row.versions),
    }
    return tuple((name, str(value)) for name, value in filters.items() if value is not None)
