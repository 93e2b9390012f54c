"""Paired differences as a forest plot: a table in which each row draws its interval on a common scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from pytest_ultra.core.axes import Severity
from pytest_ultra.core.figures import Comparison, Row
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting.figure_format import too_few_legend
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.heat_map import row_query
from pytest_ultra.reporting.html.html_notices import as_sentence
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.plot_scales import Scale, Tick, difference_scale, quarter_ticks
from pytest_ultra.reporting.row_names import CAVEATS, heading, row_label

ALL_FLAWED = "all flawed plans"


class Whisker(msgspec.Struct, frozen=True):
    """The position of a difference, and of its interval unless that says nothing."""

    at: str
    interval: tuple[str, str] | None
    is_evident: bool
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
    """`zero` is the position of no difference; the last three are for the footnote, `too_few` a sentence or empty."""

    bands: tuple[ForestBand, ...]
    ticks: tuple[Tick, ...]
    zero: str
    has_uncorrected: bool
    has_detectable: bool
    too_few: str


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
        has_uncorrected=any(difference.is_uncorrected for difference in differences),
        has_detectable=any(difference.detectable is not None for difference in differences),
        too_few="".join(map(as_sentence, too_few_legend(differences))),
    )


def _scale(differences: Iterable[PairedDifference]) -> Scale:
    return difference_scale(value for d in differences for value in (d.value, *(d.shown_interval or ())))


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
        interval=_interval(difference),
        pairs=f"{difference.pairs:,} ({difference.won:,} won, {difference.lost:,} lost)",
        p_value=_p_value(difference),
        verdict=difference.verdict,
        detectable=number_format.points(difference.detectable).lstrip("+"),
        notes=tuple(CAVEATS[caveat] for caveat in difference.caveats if caveat in CAVEATS),
        style=style,
        link=link,
    )


def _interval(difference: PairedDifference) -> str:
    shown = difference.shown_interval
    return number_format.DASH if shown is None else " to ".join(map(number_format.points, shown))


def _p_value(difference: PairedDifference) -> str:
    """Format the p-value, with an asterisk if it is not corrected for multiple tests."""
    return f"{number_format.p_value(difference.shown_p)}{'*' * difference.is_uncorrected}"


def _whisker(difference: PairedDifference, scale: Scale) -> Whisker:
    shown = difference.shown_interval
    return Whisker(
        at=scale.at(difference.value),
        interval=None if shown is None else (scale.at(shown[0]), scale.at(shown[1])),
        is_evident=difference.evidence is not Evidence.NONE,
        is_loss=difference.value < 0,
    )
