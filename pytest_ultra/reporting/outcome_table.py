"""The table of results: success and the difference to the control, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ultra.core.figures import Evidence, Row
from pytest_ultra.reporting.budget_lines import dollars, estimate_mark
from pytest_ultra.reporting.figure_format import (
    NOTHING,
    amount,
    difference_interval,
    interval,
    p_value,
    percent,
    points,
    verdict,
)
from pytest_ultra.reporting.table_columns import FAILS_BY, NAME, SEVERITY, SHORT_NAME, Column, Layout, draw_rows
from pytest_ultra.reporting.text_table import TerminalLine


def draw_outcomes(rows: Sequence[Row], width: int) -> tuple[list[TerminalLine], list[str]]:
    """Return the table and the legends of its columns."""
    return draw_rows(rows, _LAYOUTS, width, _mark)


def _mark(row: Row) -> tuple[str, ...]:
    """Mark a row with evidence of a difference from its controls."""
    return _COLOURS[row.difference.evidence] if row.difference else ()


_COLOURS: Mapping[Evidence, tuple[str, ...]] = {
    Evidence.WORSE: ("red",),
    Evidence.NONE: (),
    Evidence.BETTER: ("green",),
}


def _n(row: Row) -> str:
    counts = row.counts
    return f"{counts.scored}" if counts.scored == counts.planned else f"{counts.scored}/{counts.planned}"


def _points_and_pairs(row: Row) -> str:
    if row.difference is None or row.difference.pairs == row.counts.scored:
        return points(row.difference)
    return f"{points(row.difference)} ({row.difference.pairs})"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} s"


def _marked(row: Row, figure: str) -> str:
    """Mark a figure that rests on estimates of tokens."""
    return figure if figure == NOTHING else f"{estimate_mark(row.estimated_requests)}{figure}"


_OF_INTERVALS = "95% intervals: Wilson for success, Tango by task for vs optimal"
_OF_SHORT_INTERVALS = "95%: intervals, Wilson for success, Tango by task for vs optimal"
_OF_P = "p: McNemar's test by task, corrected (Holm) over a model's flaws"
_OF_VERDICT = "verdict: worse or better if p is at most 0.05"
_OF_MEANS = "calls, tokens: mean over scored cases"

_SUCCESS = Column(
    "success", lambda row: percent(None if row.success is None else row.success.value), "success: full / scored"
)
_INTERVAL = Column("95% interval", lambda row: interval(row.success), _OF_INTERVALS)
_SHORT_INTERVAL = Column("95%", lambda row: interval(row.success, 0), _OF_SHORT_INTERVALS)
_N = Column("n", _n, "n: scored, or scored/planned")
_OUTCOMES = (
    Column("full", lambda row: f"{row.counts.full}"),
    Column("partial", lambda row: f"{row.counts.partial}"),
    Column("failed", lambda row: f"{row.counts.failed}"),
    Column("error", lambda row: f"{row.counts.error}"),
)
_DIFFERENCE = Column(
    "vs optimal",
    _points_and_pairs,
    "vs optimal: points over pairs of the same task (pairs, if not n)",
    hide_if_empty=True,
)
_DIFFERENCE_INTERVAL = Column("95% interval", lambda row: difference_interval(row.difference), hide_if_empty=True)
_SHORT_DIFFERENCE_INTERVAL = Column("95%", lambda row: difference_interval(row.difference, 0), hide_if_empty=True)
_P = Column("p", lambda row: p_value(row.difference), _OF_P, hide_if_empty=True)
_VERDICT = Column("verdict", lambda row: verdict(row.difference), _OF_VERDICT, hide_if_empty=True)
_CALLS = Column("calls", lambda row: amount(row.mean_calls, ".1f"), _OF_MEANS)
_TOKENS = Column("tokens", lambda row: _marked(row, amount(row.mean_tokens, ",.0f")), _OF_MEANS)
_TIME = Column("time", lambda row: _seconds(row.mean_duration_s), "time: mean wall-clock time of scored cases")
_COST = Column(
    "cost", lambda row: _marked(row, dollars(row.mean_cost)) if row.mean_cost else NOTHING, hide_if_empty=True
)

_FULL = (_SUCCESS, _INTERVAL, _N)
_SHORT = (_SUCCESS, _SHORT_INTERVAL, _N)
_CONTRAST = (_DIFFERENCE, _DIFFERENCE_INTERVAL, _P, _VERDICT)
_SHORT_CONTRAST = (_DIFFERENCE, _SHORT_DIFFERENCE_INTERVAL, _P, _VERDICT)
_SHORTEST_CONTRAST = (_DIFFERENCE, _SHORT_DIFFERENCE_INTERVAL, _P)
_MEANS = (_CALLS, _TOKENS, _TIME, _COST)
_LABELS = (NAME, SEVERITY)
_SHORT_LABELS = (SHORT_NAME, SEVERITY)
_LAYOUTS = (
    Layout(_LABELS, (*_FULL, *_OUTCOMES, *_CONTRAST, *_MEANS, FAILS_BY), 2),
    Layout(_LABELS, (*_FULL, *_OUTCOMES, *_CONTRAST, *_MEANS), 2),
    Layout(_LABELS, (*_FULL, *_CONTRAST, *_MEANS), 2),
    Layout(_LABELS, (*_SHORT, *_SHORT_CONTRAST, *_MEANS), 2),
    Layout(_SHORT_LABELS, (*_SHORT, *_SHORT_CONTRAST, *_MEANS), 1),
    Layout(_SHORT_LABELS, (*_SHORT, *_SHORT_CONTRAST, _CALLS, _TOKENS), 1),
    Layout(_SHORT_LABELS, (*_SHORT, *_SHORT_CONTRAST, _CALLS), 1),
    Layout(_SHORT_LABELS, (*_SHORT, *_SHORT_CONTRAST), 1),
    Layout(_SHORT_LABELS, (*_SHORT, *_SHORTEST_CONTRAST, _CALLS), 1),
    Layout(_SHORT_LABELS, (*_SHORT, *_SHORTEST_CONTRAST), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, _DIFFERENCE), 1),
)
