"""The blocks below the table of results: robustness to flawed plans, and repeats of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_ultra.core.figures import Repeats, Robustness, Row
from pytest_ultra.reporting.budget_lines import dollars
from pytest_ultra.reporting.figure_format import NOTHING, amount, coarse_percent
from pytest_ultra.reporting.table_columns import FAILS_BY, NAME, SEVERITY, SHORT_NAME, Column, Layout, draw_rows
from pytest_ultra.reporting.text import fill
from pytest_ultra.reporting.text_table import TerminalLine

_MOST_ROWS = 30


def robustness_lines(rows: Sequence[Row], width: int) -> list[TerminalLine]:
    """Return a block on the rows with a flawed plan; empty if there are none."""
    flawed = [row for row in rows if row.robustness is not None]
    return _block(flawed, _ROBUSTNESS, width, "robustness to flawed plans")


def repeats_lines(rows: Sequence[Row], width: int) -> list[TerminalLine]:
    """Return a block on repeated tasks; empty if no task was repeated."""
    repeated = [row for row in rows if row.repeats]
    sizes = sorted({2, max((len(row.repeats) for row in repeated), default=2)})
    figures = [column for k in sizes for column in (_pass_at(k), _pass_all(k))]
    labels = ((NAME, SEVERITY), (SHORT_NAME, SEVERITY))
    tasks: Column[Row] = Column("tasks", lambda row: f"{row.repeats[0].tasks}", _OF_REPEATS)
    layouts = [Layout(label, (tasks, *figures), gap) for label, gap in zip(labels, (2, 1), strict=True)]
    return _block(repeated, layouts, width, "repeats")


def _block(rows: Sequence[Row], layouts: Sequence[Layout[Row]], width: int, name: str) -> list[TerminalLine]:
    if not rows:
        return []
    if len(rows) > _MOST_ROWS:
        return [TerminalLine(text) for text in fill(f"{name}: {len(rows)} rows, too many to show here", width)]
    lines, legends = draw_rows(rows, layouts, width)
    return [
        TerminalLine(""),
        *lines,
        TerminalLine(""),
        *(TerminalLine(text) for text in fill("; ".join(legends), width)),
    ]


def _over_trust(row: Row) -> str:
    found = row.robustness
    if found is None or found.over_trust is None:
        return NOTHING
    over = "" if found.damaged == row.counts.scored else f" ({found.damaged})"
    return f"{coarse_percent(found.over_trust)}{over}"


def _recovery(row: Row) -> str:
    return NOTHING if row.recovery is None else f"{coarse_percent(row.recovery.value)} ({row.recovery.n})"


def _of_robustness(write: Callable[[Robustness], str]) -> Callable[[Row], str]:
    return lambda row: NOTHING if row.robustness is None else write(row.robustness)


def _extra_calls(found: Robustness) -> str:
    return NOTHING if found.extra_calls is None else f"{found.extra_calls:+.1f} ({found.recovered})"


def _extra_cost(found: Robustness) -> str:
    cost = found.extra_cost
    return NOTHING if not cost else f"{'-' if cost < 0 else '+'}{dollars(abs(cost))}"


def _pass_at(k: int) -> Column[Row]:
    return Column(f"pass@{k}", _of_repeats(k, lambda found: found.pass_at))


def _pass_all(k: int) -> Column[Row]:
    return Column(f"pass^{k}", _of_repeats(k, lambda found: found.pass_all))


def _of_repeats(k: int, share: Callable[[Repeats], float]) -> Callable[[Row], str]:
    return lambda row: coarse_percent(share(row.repeats[k - 1]) if k <= len(row.repeats) else None)


_OF_REPEATS = (
    "pass@k: chance that one of k repeats of a task succeeds; pass^k: that all do; over tasks with k scored repeats"
)
_OF_EXTRAS = "extra: mean over the pairs that succeeded with and without the flaw (pairs)"
_RESILIENCE = Column(
    "resilience",
    _of_robustness(lambda found: coarse_percent(found.resilience)),
    "resilience: success with the flaw / without",
    hide_if_empty=True,
)
_OVER_TRUST = Column("over-trust", _over_trust, "over-trust: damaged steps carried out as written")
_RECOVERY = Column("recovery", _recovery, "recovery: random faults recovered from (faults)", hide_if_empty=True)
_EXTRA_CALLS = Column("extra calls", _of_robustness(_extra_calls), _OF_EXTRAS)
_EXTRA_TOKENS = Column(
    "extra tokens", _of_robustness(lambda found: amount(found.extra_tokens, "+,.0f")), hide_if_empty=True
)
_EXTRA_COST = Column("extra cost", _of_robustness(_extra_cost), hide_if_empty=True)
_FIGURES = (_RESILIENCE, _OVER_TRUST, _RECOVERY, _EXTRA_CALLS)
_ROBUSTNESS = (
    Layout((NAME, SEVERITY), (*_FIGURES, _EXTRA_TOKENS, _EXTRA_COST, FAILS_BY), 2),
    Layout((NAME, SEVERITY), (*_FIGURES, _EXTRA_TOKENS, _EXTRA_COST), 2),
    Layout((SHORT_NAME, SEVERITY), (*_FIGURES, _EXTRA_TOKENS), 1),
    Layout((SHORT_NAME, SEVERITY), _FIGURES, 1),
)
