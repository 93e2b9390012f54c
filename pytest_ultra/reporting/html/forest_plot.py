"""Paired differences as a forest plot: a table each of whose rows draws its own interval on one common scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from pytest_ultra.core.figures import Comparison, PairedDifference, Row
from pytest_ultra.reporting.html import number_format as numbers
from pytest_ultra.reporting.html.heat_map import row_query
from pytest_ultra.reporting.html.html_text import shown
from pytest_ultra.reporting.html.plot_scales import Scale, Tick, difference_scale, quarter_ticks
from pytest_ultra.reporting.row_names import CAVEATS, heading, row_label

NO_TEST = "no interval"


class Whisker(msgspec.Struct, frozen=True):
    """Where a difference is drawn; `low` and `high` are None without an interval."""

    at: str
    low: str | None
    high: str | None
    is_clear: bool
    is_loss: bool


class ForestLine(msgspec.Struct, frozen=True):
    label: str
    whisker: Whisker
    points: str
    interval: str
    pairs: str
    p_value: str
    detectable: str
    notes: tuple[str, ...]
    link: tuple[tuple[str, str], ...] = ()


class ForestBand(msgspec.Struct, frozen=True):
    title: str
    lines: tuple[ForestLine, ...]


class Forest(msgspec.Struct, frozen=True):
    """`zero` is the place of no difference; `has_lone` tells that some p-values belong to no family, see `_p`."""

    bands: tuple[ForestBand, ...]
    ticks: tuple[Tick, ...]
    zero: str
    has_lone: bool
    has_detectable: bool


def make_forest(rows: Sequence[Row]) -> Forest | None:
    """Return the differences of rows to their controls, None where there is no pair."""
    drawn = [(heading(row), row, row.difference) for row in rows if row.difference is not None]
    if not drawn:
        return None
    scale = _scale(difference for _, _, difference in drawn)
    lines = [(title, _line(row_label(row), difference, scale, row_query(row))) for title, row, difference in drawn]
    bands = groupby(lines, key=lambda item: item[0])
    return _forest(
        tuple(ForestBand(title, tuple(line for _, line in group)) for title, group in bands),
        [difference for _, _, difference in drawn],
        scale,
    )


def make_verdicts(comparisons: Sequence[Comparison]) -> Forest | None:
    """Return the differences of whole groups, such as all flawed plans of a model, on one scale."""
    drawn = [(c, c.difference) for c in comparisons if c.difference is not None]
    if not drawn:
        return None
    scale = _scale(difference for _, difference in drawn)
    lines = tuple(_line(shown(c.group, 100), difference, scale, ()) for c, difference in drawn)
    return _forest((ForestBand("", lines),), [difference for _, difference in drawn], scale)


def _forest(bands: tuple[ForestBand, ...], differences: Sequence[PairedDifference], scale: Scale) -> Forest:
    return Forest(
        bands,
        quarter_ticks(scale),
        scale.at(0),
        has_lone=any(map(_is_lone, differences)),
        has_detectable=any(difference.detectable is not None for difference in differences),
    )


def _scale(differences: Iterable[PairedDifference]) -> Scale:
    known = [(d.value, d.low, d.high) for d in differences]
    return difference_scale(value for triple in known for value in triple if value is not None)


def _line(label: str, difference: PairedDifference, scale: Scale, link: tuple[tuple[str, str], ...]) -> ForestLine:
    low, high = difference.low, difference.high
    return ForestLine(
        label=label,
        whisker=_whisker(difference, scale),
        points=numbers.points(difference.value),
        interval=NO_TEST if low is None or high is None else f"{numbers.points(low)} to {numbers.points(high)}",
        pairs=f"{difference.pairs:,} ({difference.won:,} won, {difference.lost:,} lost)",
        p_value=_p(difference),
        detectable=numbers.points(difference.detectable).lstrip("+"),
        notes=tuple(CAVEATS[caveat] for caveat in difference.caveats if caveat in CAVEATS),
        link=link,
    )


def _is_lone(difference: PairedDifference) -> bool:
    return difference.p_adjusted is None


def _p(difference: PairedDifference) -> str:
    """Write the p-value, with a star where it is not corrected."""
    p = difference.p_value if difference.p_adjusted is None else difference.p_adjusted
    return f"{numbers.p_value(p)}{'*' if _is_lone(difference) else ''}"


def _whisker(difference: PairedDifference, scale: Scale) -> Whisker:
    low, high = difference.low, difference.high
    is_clear = low is not None and high is not None and (high < 0 or low > 0)
    return Whisker(
        at=scale.at(difference.value),
        low=None if low is None else scale.at(low),
        high=None if high is None else scale.at(high),
        is_clear=is_clear,
        is_loss=difference.value < 0,
    )
