"""Paired differences as a forest plot: a table in which each row draws its interval on a common scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.core.figures import Comparison, PairedDifference, Row
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.heat_map import row_query
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import Scale, Tick, difference_scale, quarter_ticks
from pytest_ultra.reporting.row_names import CAVEATS, heading, row_label

NO_INTERVAL = "no interval"


class Whisker(msgspec.Struct, frozen=True):
    """The position of a difference and its interval; `low` and `high` are None without an interval."""

    at: str
    low: str | None
    high: str | None
    excludes_zero: bool
    is_loss: bool


class ForestLine(msgspec.Struct, frozen=True):
    label: str
    whisker: Whisker
    points: str
    interval: str
    pairs: str
    p_value: str
    verdict: str
    detectable: str
    notes: tuple[str, ...]
    link: tuple[tuple[str, str], ...] = ()


class ForestBand(msgspec.Struct, frozen=True):
    title: str
    lines: tuple[ForestLine, ...]


class ForestPlot(msgspec.Struct, frozen=True):
    """`zero` is the position of no difference; `has_uncorrected` is true if some p-values are not corrected."""

    bands: tuple[ForestBand, ...]
    ticks: tuple[Tick, ...]
    zero: str
    has_uncorrected: bool
    has_detectable: bool


def make_forest_plot(rows: Sequence[Row]) -> ForestPlot | None:
    """Return the differences between rows and their controls, None if there is no pair."""
    drawn = [(heading(row), row, row.difference) for row in rows if row.difference is not None]
    if not drawn:
        return None
    scale = _scale(difference for _, _, difference in drawn)
    lines = [(title, _line(row_label(row), difference, scale, row_query(row))) for title, row, difference in drawn]
    bands = groupby(lines, key=lambda item: item[0])
    return _make_plot(
        tuple(ForestBand(title, tuple(line for _, line in group)) for title, group in bands),
        [difference for _, _, difference in drawn],
        scale,
    )


def make_group_forest_plot(comparisons: Sequence[Comparison]) -> ForestPlot | None:
    """Return the differences of groups, such as all flawed cases of a model, None if there is no pair."""
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


def _line(label: str, difference: PairedDifference, scale: Scale, link: tuple[tuple[str, str], ...]) -> ForestLine:
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
