"""Paired differences as a forest plot: a table in which each row draws its interval on a common scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from pytest_ultra.core.axes import Severity
from pytest_ultra.core.figures import Comparison, PairedDifference, Row
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.heat_map import row_query
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import Scale, Tick, difference_scale, quarter_ticks
from pytest_ultra.reporting.row_names import CAVEATS, heading, row_label

NO_INTERVAL = "no interval"
ALL_FLAWED = "all flawed plans"


class Whisker(msgspec.Struct, frozen=True):
    """The position of a difference and its interval; `low` and `high` are None without an interval."""

    at: str
    low: str | None
    high: str | None
    excludes_zero: bool
    is_loss: bool


class ForestLine(msgspec.Struct, frozen=True):
    """A difference; `style` is the number of its model, None if lines are not about models."""

    label: str
    whisker: Whisker
    points: str
    interval: str
    pairs: str
    p_value: str
    verdict: str
    detectable: str
    notes: tuple[str, ...]
    style: int | None = None
    link: tuple[tuple[str, str], ...] = ()


class ForestBand(msgspec.Struct, frozen=True):
    """The lines of one prompt type, one for each model; or lines that share no heading, if `title` is empty."""

    title: str
    lines: tuple[ForestLine, ...]


class ForestPlot(msgspec.Struct, frozen=True):
    """`zero` is the position of no difference; `has_uncorrected` is true if some p-values are not corrected."""

    bands: tuple[ForestBand, ...]
    ticks: tuple[Tick, ...]
    zero: str
    has_uncorrected: bool
    has_detectable: bool


class _Drawn(NamedTuple):
    title: str
    name: str
    difference: PairedDifference
    link: tuple[tuple[str, str], ...]


def make_forest_plot(rows: Sequence[Row], pooled: Sequence[Comparison] = ()) -> ForestPlot | None:
    """Return the differences between rows and their controls by prompt type, flawed plans first; None without a pair.

    Each prompt type has a line for each model, all flawed plans together (`pooled`, by model) too. If there is a single
    model, there is a single band without a title, in which each line is a prompt type.
    """
    drawn = [
        _Drawn(ALL_FLAWED, safe_text(c.group, 100), c.difference, _lost(_flawed_query(c.group), c.difference))
        for c in pooled
        if c.difference is not None
    ]
    drawn += [
        _Drawn(
            row_label(row).removeprefix("flawed: "), heading(row), row.difference, _lost(row_query(row), row.difference)
        )
        for row in sorted(rows, key=_sort_key)
        if row.difference is not None
    ]
    if not drawn:
        return None
    scale = _scale(each.difference for each in drawn)
    names = list(dict.fromkeys(each.name for each in drawn))
    if len(names) == 1:
        bands = [ForestBand("", tuple(_line(d.title, d.difference, scale, d.link) for d in drawn))]
    else:
        bands = [
            ForestBand(
                title, tuple(_line(d.name, d.difference, scale, d.link, style=names.index(d.name)) for d in of_type)
            )
            for title, of_type in groupby(drawn, key=lambda each: each.title)
        ]
    return _make_plot(tuple(bands), [each.difference for each in drawn], scale)


def _sort_key(row: Row) -> tuple[bool, tuple[int, str], int]:
    severity = list(Severity).index(row.severity) if row.severity else -1
    return not row.prompt_type.flaw_kind, row.prompt_type.rank, severity


def _lost(query: tuple[tuple[str, str], ...], difference: PairedDifference) -> tuple[tuple[str, str], ...]:
    """Select the cases that were lost while their control passed, if there are any."""
    return (*query, ("against", "lost:control")) if difference.lost else query


def _flawed_query(model: str) -> tuple[tuple[str, str], ...]:
    return (("model", model), ("q", "flawed"))


def make_group_forest_plot(comparisons: Sequence[Comparison]) -> ForestPlot | None:
    """Return the differences of groups, such as pairs of models, None if there is no pair."""
    drawn = [(c, c.difference) for c in comparisons if c.difference is not None]
    if not drawn:
        return None
    scale = _scale(difference for _, difference in drawn)
    lines = tuple(_line(safe_text(c.group, 100), difference, scale, ()) for c, difference in drawn)
    return _make_plot((ForestBand("", lines),), [difference for _, difference in drawn], scale)


def _make_plot(bands: tuple[ForestBand, ...], differences: Sequence[PairedDifference], scale: Scale) -> ForestPlot:
    return ForestPlot(
        bands,
        quarter_ticks(scale),
        scale.at(0),
        has_uncorrected=any(map(_is_uncorrected, differences)),
        has_detectable=any(difference.detectable is not None for difference in differences),
    )


def _scale(differences: Iterable[PairedDifference]) -> Scale:
    known = [(d.value, d.low, d.high) for d in differences]
    return difference_scale(value for triple in known for value in triple if value is not None)


def _line(
    label: str,
    difference: PairedDifference,
    scale: Scale,
    link: tuple[tuple[str, str], ...],
    *,
    style: int | None = None,
) -> ForestLine:
    return ForestLine(
        label=label,
        whisker=_whisker(difference, scale),
        points=number_format.points(difference.value),
        interval=_interval(difference.low, difference.high),
        pairs=f"{difference.pairs:,} ({difference.won:,} won, {difference.lost:,} lost)",
        p_value=_p_value(difference),
        verdict=str(difference.evidence),
        detectable=number_format.points(difference.detectable).lstrip("+"),
        notes=tuple(CAVEATS[caveat] for caveat in difference.caveats if caveat in CAVEATS),
        style=style,
        link=link,
    )


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NO_INTERVAL
    return f"{number_format.points(low)} to {number_format.points(high)}"


def _is_uncorrected(difference: PairedDifference) -> bool:
    return difference.p_adjusted is None


def _p_value(difference: PairedDifference) -> str:
    """Format the p-value, with an asterisk if it is not corrected for multiple tests."""
    p = difference.p_value if difference.p_adjusted is None else difference.p_adjusted
    return f"{number_format.p_value(p)}{'*' if _is_uncorrected(difference) else ''}"


def _whisker(difference: PairedDifference, scale: Scale) -> Whisker:
    low, high = difference.low, difference.high
    excludes_zero = low is not None and high is not None and (high < 0 or low > 0)
    return Whisker(
        at=scale.at(difference.value),
        low=None if low is None else scale.at(low),
        high=None if high is None else scale.at(high),
        excludes_zero=excludes_zero,
        is_loss=difference.value < 0,
    )
