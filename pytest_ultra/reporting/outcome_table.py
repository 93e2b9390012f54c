"""The table by prompt type: success and the difference to the control, with interval, p and verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_ultra.core.figures import Counts, Row
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting.budget_lines import dollars, estimate_mark
from pytest_ultra.reporting.figure_format import (
    NOTHING,
    VERDICT_LEGENDS,
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
    return draw_rows(rows, LAYOUTS, width, _mark)


def _mark(row: Row) -> tuple[str, ...]:
    """Mark a row with evidence of a difference from its controls."""
    return _COLOURS[row.difference.evidence] if row.difference else ()


_COLOURS: Mapping[Evidence, tuple[str, ...]] = {
    Evidence.WORSE: ("red",),
    Evidence.NONE: (),
    Evidence.BETTER: ("green",),
}


def count_scored(counts: Counts) -> str:
    return f"{counts.scored:,}" if counts.scored == counts.planned else f"{counts.scored:,}/{counts.planned:,}"


def _points_and_pairs(row: Row) -> str:
    if row.difference is None or row.difference.pairs == row.counts.scored:
        return points(row.difference)
    return f"{points(row.difference)} ({row.difference.pairs})"


def seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} s"


def marked(estimated_requests: int, figure: str) -> str:
    """Mark a figure that rests on estimates of tokens."""
    return figure if figure == NOTHING else f"{estimate_mark(estimated_requests)}{figure}"


def mean_cost(cost: float | None, estimated_requests: int) -> str:
    return marked(estimated_requests, dollars(cost)) if cost else NOTHING


def _of_difference(show: Callable[[PairedDifference | None], str]) -> Callable[[Row], str]:
    return lambda row: show(row.difference)


_OF_SUCCESS_INTERVAL = "95% of success: Wilson's interval"
_OF_INTERVAL = "95% of vs optimal: Tango's interval by task"
_OF_ONLY_INTERVAL = "95%: Tango's interval by task"
_OF_P = "p: McNemar's test, Holm-corrected over a model's flaws"
_OF_VERDICT = "worse, better: p <= 0.05"
OF_POINTS = "flawed, vs optimal: points over pairs of a task"
_OF_MEANS = "calls, tokens, time: mean over scored cases"

_SUCCESS: Column[Row] = Column("success", lambda row: percent(None if row.success is None else row.success.value))
_INTERVAL: Column[Row] = Column("95% interval", lambda row: interval(row.success), _OF_SUCCESS_INTERVAL)
_SHORT_INTERVAL: Column[Row] = Column("95%", lambda row: interval(row.success, 0), _OF_SUCCESS_INTERVAL)
_N: Column[Row] = Column("n", lambda row: count_scored(row.counts))
_OUTCOMES: tuple[Column[Row], ...] = (
    Column("full", lambda row: f"{row.counts.full}"),
    Column("partial", lambda row: f"{row.counts.partial}"),
    Column("failed", lambda row: f"{row.counts.failed}"),
    Column("error", lambda row: f"{row.counts.error}"),
)
_DIFFERENCE: Column[Row] = Column("vs optimal", _points_and_pairs, OF_POINTS, hide_if_empty=True)
_POINTS: Column[Row] = Column("points", lambda row: points(row.difference), OF_POINTS, hide_if_empty=True)
_DIFFERENCE_INTERVAL: Column[Row] = Column(
    "95% interval", _of_difference(difference_interval), _OF_INTERVAL, hide_if_empty=True
)
_SHORT_DIFFERENCE_INTERVAL: Column[Row] = Column(
    "95%", _of_difference(lambda found: difference_interval(found, 0)), _OF_INTERVAL, hide_if_empty=True
)
_ONLY_INTERVAL: Column[Row] = Column(
    "95%", _of_difference(lambda found: difference_interval(found, 0)), _OF_ONLY_INTERVAL, hide_if_empty=True
)
_P: Column[Row] = Column("p", _of_difference(p_value), _OF_P, hide_if_empty=True)
_VERDICT: Column[Row] = Column(
    "verdict", _of_difference(verdict), _OF_VERDICT, hide_if_empty=True, cell_legends=VERDICT_LEGENDS
)
_CALLS: Column[Row] = Column("calls", lambda row: amount(row.mean_calls, ".1f"))
_TOKENS: Column[Row] = Column("tokens", lambda row: marked(row.estimated_requests, amount(row.mean_tokens, ",.0f")))
_TIME: Column[Row] = Column("time", lambda row: seconds(row.mean_duration_s), _OF_MEANS)
_COST: Column[Row] = Column(
    "cost",
    lambda row: mean_cost(row.mean_cost, row.estimated_requests),
    "cost: mean over scored cases",
    hide_if_empty=True,
)

_CONTRAST = (_DIFFERENCE, _DIFFERENCE_INTERVAL, _P, _VERDICT)
_SHORT_CONTRAST = (_DIFFERENCE, _ONLY_INTERVAL, _P, _VERDICT)
_MEANS = (_CALLS, _TOKENS, _TIME, _COST)
_LABELS, _SHORT_LABELS = (NAME, SEVERITY), (SHORT_NAME, SEVERITY)
LAYOUTS: tuple[Layout[Row], ...] = (
    Layout(_LABELS, (_SUCCESS, _INTERVAL, _N, *_OUTCOMES, *_CONTRAST, *_MEANS, FAILS_BY), 2),
    Layout(_LABELS, (_SUCCESS, _INTERVAL, _N, *_OUTCOMES, *_CONTRAST, *_MEANS), 2),
    Layout(_LABELS, (_SUCCESS, _INTERVAL, _N, *_CONTRAST, *_MEANS), 2),
    Layout(
        _SHORT_LABELS,
        (_SUCCESS, _SHORT_INTERVAL, _N, _DIFFERENCE, _SHORT_DIFFERENCE_INTERVAL, _P, _VERDICT, *_MEANS),
        1,
    ),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, *_SHORT_CONTRAST, _CALLS, _TOKENS), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, *_SHORT_CONTRAST, _CALLS), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, *_SHORT_CONTRAST), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, _DIFFERENCE, _ONLY_INTERVAL, _VERDICT), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, _DIFFERENCE, _VERDICT), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, _POINTS, _VERDICT), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N, _POINTS), 1),
    Layout(_SHORT_LABELS, (_SUCCESS, _N), 1),
)
