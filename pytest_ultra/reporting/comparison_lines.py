"""The comparison of two runs, as lines for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_ultra.core.case import short_name
from pytest_ultra.core.differences import Difference
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.figures import Comparison, Flip, Rate, RunComparison
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.figure_format import (
    NOTHING,
    VERDICT_LEGENDS,
    difference_interval,
    p_value,
    percent,
    points,
    verdict,
)
from pytest_ultra.reporting.table_columns import Column, Layout, fit_table
from pytest_ultra.reporting.text import count, fill, neutralise

MOST_FLIPS = 20
_RANKS = (Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED)


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
    table = fit_table(compared.groups, _LAYOUTS, width)
    yield from (line.text for line in table.lines())
    yield ""
    yield from fill("; ".join(table.legends), width)
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


def _success(rate: Rate | None) -> str:
    return NOTHING if rate is None else percent(rate.value)


def _n(rate: Rate | None) -> str:
    return "0" if rate is None else f"{rate.n:,}"


def _of_difference(place: int) -> Callable[[Comparison], str]:
    return lambda group: difference_cells(group.difference)[place]


def difference_cells(difference: PairedDifference | None) -> tuple[str, str, str, str, str]:
    """Return the difference in points, its interval, its p-value, its verdict and the number of pairs."""
    pairs = "0" if difference is None else f"{difference.pairs:,}"
    return points(difference), difference_interval(difference), p_value(difference), verdict(difference), pairs


_OF_SUCCESS = "before, now: success (full / scored)"
_OF_P = "p: McNemar's test by task, corrected (Holm) over the prompt types"
_GROUP: Column[Comparison] = Column("group", lambda group: neutralise(group.group))
_BEFORE: Column[Comparison] = Column("before", lambda group: _success(group.reference), _OF_SUCCESS)
_NOW: Column[Comparison] = Column("now", lambda group: _success(group.sample), _OF_SUCCESS)
_N_BEFORE: Column[Comparison] = Column("n", lambda group: _n(group.reference))
_N_NOW: Column[Comparison] = Column("n", lambda group: _n(group.sample))
_DIFFERENCE: Column[Comparison] = Column(
    "difference", _of_difference(0), "difference: points over pairs of the same case"
)
_INTERVAL: Column[Comparison] = Column("95% interval", _of_difference(1), "95% interval by task (Tango)")
_P: Column[Comparison] = Column("p", _of_difference(2), _OF_P)
_VERDICT: Column[Comparison] = Column("verdict", _of_difference(3), cell_legends=VERDICT_LEGENDS)
_PAIRS: Column[Comparison] = Column("pairs", _of_difference(4))

_CONTRAST = (_DIFFERENCE, _INTERVAL, _P, _VERDICT)
_ALL = (_BEFORE, _N_BEFORE, _NOW, _N_NOW, *_CONTRAST, _PAIRS)
_WITHOUT_N = (_BEFORE, _NOW, *_CONTRAST, _PAIRS)
_LAYOUTS: tuple[Layout[Comparison], ...] = (
    *(Layout((_GROUP,), figures, gap) for figures in (_ALL, _WITHOUT_N) for gap in (2, 1)),
    Layout((_GROUP,), (_BEFORE, _NOW, *_CONTRAST), 1),
    Layout((_GROUP,), (_BEFORE, _NOW, _DIFFERENCE, _VERDICT), 1),
    Layout((_GROUP,), (_DIFFERENCE, _VERDICT), 1),
    Layout((_GROUP,), (_DIFFERENCE,), 1),
)
