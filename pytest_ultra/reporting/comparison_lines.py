"""The comparison of two runs, as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.core.case import short_name
from pytest_ultra.core.differences import Difference
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.figures import Comparison, Flip, PairedDifference, Rate, RunComparison
from pytest_ultra.reporting.figure_format import (
    NOTHING,
    difference_interval,
    p_value,
    percent,
    points,
    too_few_legend,
    verdict,
)
from pytest_ultra.reporting.text import count, fill, neutralise
from pytest_ultra.reporting.text_table import draw

MOST_FLIPS = 20
_RANKS = (Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED)
LEGEND = (
    "before, now: success (full / scored); difference: points over pairs of the same case, interval by task (Tango); "
    "p: McNemar's test by task, corrected (Holm) over the prompt types"
)


def comparison_lines(
    compared: RunComparison, differences: Sequence[Difference], width: int, *, most_flips: int = MOST_FLIPS
) -> Iterator[str]:
    """Yield the comparison with an earlier run: options that differ, groups, caveats, and flipped cases.

    `width` is in columns; `most_flips` limits the cases listed on each side (worse, better).
    """
    yield from fill(f"{compared.sample} compared with {compared.reference}", width)
    for difference in differences:
        yield from fill(difference_line(difference), width, "  ")
    yield ""
    yield from _table(compared.groups, width)
    yield ""
    yield from fill("; ".join((LEGEND, *too_few_legend(group.difference for group in compared.groups))), width)
    yield from fill(unpaired_line(compared), width)
    yield from _flips(compared.flips, most_flips)


def difference_line(difference: Difference) -> str:
    here, there = (neutralise(", ".join(values) or "-") for values in (difference.sample, difference.reference))
    return f"{difference.field}: {there} before, {here} now"


def unpaired_line(compared: RunComparison) -> str:
    """Say how many pairs and tasks the figures over all cases rest on, and how many cases are not in any."""
    found = compared.groups[0].difference if compared.groups else None
    pairs = count(0, "pair") if found is None else f"{count(found.pairs, 'pair')} of {count(found.tasks, 'task')}"
    return f"{pairs}; scored only now: {compared.only_sample:,}, only before: {compared.only_reference:,}"


def order_flips(flips: Sequence[Flip]) -> list[Flip]:
    """Sort flips: first what got worse, then what got better, each with the largest change first."""
    return sorted(flips, key=lambda flip: (_gain(flip) > 0, -abs(_gain(flip))))


def is_worse(flip: Flip) -> bool:
    return _gain(flip) < 0


def case_name(nodeid: str) -> str:
    return neutralise(short_name(nodeid))


def _gain(flip: Flip) -> int:
    return _RANKS.index(flip.reference) - _RANKS.index(flip.sample)


def _flips(flips: Sequence[Flip], most: int) -> Iterator[str]:
    ordered = order_flips(flips)
    worse, better = ([flip for flip in ordered if is_worse(flip) is is_bad] for is_bad in (True, False))
    for label, of_side in (("worse", worse), ("better", better)):
        if of_side:
            yield f"{label} ({len(of_side):,}):"
            yield from (f"  {flip.reference} -> {flip.sample}: {case_name(flip.nodeid)}" for flip in of_side[:most])
        if len(of_side) > most:
            yield f"  and {len(of_side) - most:,} more"


def _table(groups: Sequence[Comparison], width: int) -> list[str]:
    """Draw the fullest table that fits `width` columns, else the smallest one, cut."""
    rows = [
        (neutralise(group.group), *_rate(group.reference), *_rate(group.sample), *difference_cells(group.difference))
        for group in groups
    ]
    for columns, gap in _LAYOUTS:
        heads, cells = [_HEADS[at] for at in columns], [[row[at] for at in columns] for row in rows]
        lines = draw(heads, cells, left=1, gap=gap)
        if max(map(len, lines)) <= width:
            return lines
    return draw(heads, cells, left=1, gap=gap, width=width)


_HEADS = ("group", "before", "n", "now", "n", "difference", "95% interval", "p", "verdict", "pairs")
_ALL = tuple(range(len(_HEADS)))
_WITHOUT_N = (0, 1, 3, 5, 6, 7, 8, 9)
_WITHOUT_PAIRS = (0, 1, 3, 5, 6, 7, 8)
_LAYOUTS = (
    *((_ALL, 2), (_ALL, 1), (_WITHOUT_N, 2), (_WITHOUT_N, 1), (_WITHOUT_PAIRS, 1)),
    *(((0, 1, 3, 5, 8), 1), ((0, 5, 8), 1), ((0, 5), 1)),
)


def _rate(rate: Rate | None) -> tuple[str, str]:
    return (NOTHING, "0") if rate is None else (percent(rate.value), f"{rate.n:,}")


def difference_cells(difference: PairedDifference | None) -> tuple[str, str, str, str, str]:
    """Return the difference in points, its interval, its p-value, its verdict and the number of pairs."""
    pairs = "0" if difference is None else f"{difference.pairs:,}"
    return points(difference), difference_interval(difference), p_value(difference), verdict(difference), pairs
