"""The overview of a report: the figures of a whole run, formatted for the template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.figures import Comparison, SlowCase, Summary
from pytest_ultra.reporting.budget_lines import estimate_mark
from pytest_ultra.reporting.caveats import caveat_lines
from pytest_ultra.reporting.comparison_sentences import comparison_sentences
from pytest_ultra.reporting.html import number_format
from pytest_ultra.reporting.html.cost_bars import CostBand, make_costs
from pytest_ultra.reporting.html.failure_matrix import FailureMatrix, make_failure_matrix
from pytest_ultra.reporting.html.forest_plot import ForestPlot, make_forest_plot, make_group_forest_plot
from pytest_ultra.reporting.html.heat_map import HeatMap, make_heat_map
from pytest_ultra.reporting.html.html_notices import as_sentence, make_notices
from pytest_ultra.reporting.html.html_text import safe_text
from pytest_ultra.reporting.html.model_cards import ModelCard, make_model_cards
from pytest_ultra.reporting.html.overview_tables import (
    Band,
    DiscernmentLine,
    RecoveryTable,
    make_conduct,
    make_discernment,
    make_recovery,
    make_repeats,
    make_robustness,
)
from pytest_ultra.reporting.html.plot_scales import percent
from pytest_ultra.reporting.html.reliability_plot import ReliabilityPlot, make_reliability_plot
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.reporting.labels import OUTCOMES


class Tile(msgspec.Struct, frozen=True):
    """A figure of the whole run."""

    label: str
    value: str
    note: str = ""


class Segment(msgspec.Struct, frozen=True):
    """The episodes of one outcome, as a segment of the bar of all outcomes."""

    outcome: str
    count: int
    x: str
    width: str
    words: str


class Overview(msgspec.Struct, frozen=True):
    """The content of the overview; a section is None or empty if there is nothing to show."""

    title: str
    sentences: tuple[str, ...]
    notices: tuple[str, ...]
    cards: tuple[ModelCard, ...]
    segments: tuple[Segment, ...]
    tiles: tuple[Tile, ...]
    heat: HeatMap
    forest: ForestPlot | None
    caveats: tuple[str, ...]
    models: ForestPlot | None
    robustness: tuple[Band, ...]
    discernment: tuple[DiscernmentLine, ...]
    conduct: tuple[Band, ...]
    failures: FailureMatrix | None
    reliability: ReliabilityPlot | None
    costs: tuple[CostBand, ...]
    has_cost: bool
    has_first_token: bool
    repeats: tuple[Band, ...]
    recovery: RecoveryTable | None
    slowest: tuple[SlowCase, ...]


def make_overview(summary: Summary, facts: RunFacts, title: str, comparisons: Sequence[Comparison] = ()) -> Overview:
    """Return the overview; `comparisons` compare, for each model, all flawed plans with the optimal ones."""
    rows = summary.rows
    return Overview(
        title=title,
        sentences=tuple(_sentences(summary)),
        notices=make_notices(summary, facts),
        cards=make_model_cards(summary),
        segments=_segments(summary),
        tiles=_tiles(summary, facts),
        heat=make_heat_map(rows),
        forest=make_forest_plot(rows, comparisons),
        caveats=tuple(map(as_sentence, caveat_lines(rows))),
        models=make_group_forest_plot(
            [Comparison(f"{m.sample} vs {m.reference}", None, None, m.difference) for m in summary.models]
        ),
        robustness=make_robustness(rows),
        discernment=make_discernment(summary.discernment),
        conduct=make_conduct(rows),
        failures=make_failure_matrix(summary),
        reliability=make_reliability_plot(rows),
        costs=make_costs(rows),
        has_cost=any(row.mean_cost for row in rows),
        has_first_token=any(row.mean_first_token_s is not None for row in rows),
        recovery=make_recovery(rows),
        repeats=make_repeats(rows),
        slowest=summary.slowest,
    )


def make_title(summaries: Iterable[Summary], max_models: int = 4) -> str:
    models = list(dict.fromkeys(safe_text(row.model, 60) for summary in summaries for row in summary.rows))
    named = models if len(models) <= max_models else [*models[:max_models], f"{len(models) - max_models} more"]
    return ", ".join(named[:-1]) + (" and " if len(named) > 1 else "") + named[-1] if named else "No cases"


def _sentences(summary: Summary) -> Iterator[str]:
    """Yield the sentences of the terminal; a model's name at the beginning stays as it is."""
    names = tuple(safe_text(found.model) for found in summary.model_figures)
    for text in comparison_sentences(summary):
        yield f"{text}." if text.startswith(names) else as_sentence(text)


def _segments(summary: Summary) -> tuple[Segment, ...]:
    counts = {outcome: getattr(summary.counts, outcome) for outcome in Outcome}
    total = sum(counts.values()) or 1
    made, start = [], 0.0
    for outcome, n in counts.items():
        width = 100 * n / total
        made.append(Segment(outcome, n, percent(start), percent(width), OUTCOMES[outcome]))
        start += width
    return tuple(made)


def _tiles(summary: Summary, facts: RunFacts) -> tuple[Tile, ...]:
    counts, rows = summary.counts, summary.rows
    mark = estimate_mark(summary.estimated_requests)
    tokens = [row.mean_tokens * row.counts.scored for row in rows if row.mean_tokens is not None]
    not_scored = f"{counts.error:,} error, {counts.skipped:,} skipped"
    reused = f"{summary.reused:,} reused from earlier runs" if summary.reused else "none reused"
    return (
        Tile("Scored", f"{counts.scored:,}", f"of {counts.planned:,} planned; {not_scored}; {reused}"),
        Tile(
            "Tokens",
            mark + number_format.large_number(sum(tokens)) if tokens else number_format.DASH,
            "prompts and completions, scored cases",
        ),
        Tile(
            "Cost",
            number_format.money(None) if summary.cost is None else mark + number_format.money(summary.cost),
            "no price known" if summary.cost is None else "excluding reused cases",
        ),
        Tile("Duration", number_format.seconds(facts.duration_s), "wall-clock, whole run"),
    )
