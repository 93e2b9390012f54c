"""A run in the terminal: its header, and the summary at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from pytest_ultra.core.figures import Rate, Summary
from pytest_ultra.reporting.budget_lines import dollars, estimate_mark
from pytest_ultra.reporting.caveats import caveat_lines
from pytest_ultra.reporting.comparison_sentences import comparison_sentences
from pytest_ultra.reporting.discernment_table import discernment_lines
from pytest_ultra.reporting.model_comparison_table import model_lines
from pytest_ultra.reporting.model_table import draw_models
from pytest_ultra.reporting.outcome_table import draw_outcomes
from pytest_ultra.reporting.recovery_table import recovery_lines
from pytest_ultra.reporting.robustness_table import repeats_lines, robustness_lines
from pytest_ultra.reporting.table_columns import FittedTable
from pytest_ultra.reporting.text import count, fill, hang
from pytest_ultra.reporting.text_table import TerminalLine

DEMO = "demo models are scripted agents: these figures say nothing about any real model"
MORE = "more: -v, `pytest-ultra show`, `pytest-ultra show CASE`, the report"
_MOST_SLOW = 3
_MOST_LINES = 20  # of a sentence in a narrow terminal
_OUTSTANDING = 2
_LEAST_SLOW_S = 1.0


class Detail(IntEnum):
    """How much the end of a run prints: with `-q`, by default, with `-v`."""

    BRIEF = -1
    NORMAL = 0
    WHOLE = 1


def end_of_run(summary: Summary, width: int, detail: Detail = Detail.WHOLE) -> list[TerminalLine]:
    """Return the figures of a run: its models, their comparisons, the table by prompt type, and the counts.

    In whole detail, everything that a reader needs to interpret them follows the table.
    """
    if not summary.rows:
        return [TerminalLine("no episodes"), TerminalLine(""), *_counts_lines(summary, width, detail)]
    models = draw_models(summary.model_figures, width) if summary.model_figures else FittedTable([], [], [])
    legends = list(models.legends)
    lines = [*models.lines(), *_sentences(comparison_sentences(summary, is_brief=detail is Detail.BRIEF), width)]
    if detail > Detail.BRIEF and (summary.counts.scored or detail is Detail.WHOLE):
        lines.append(TerminalLine(""))
        table, more_legends = draw_outcomes(summary.rows, width)
        legends += more_legends
        lines += [*table, TerminalLine(""), *_wrap(["; ".join(dict.fromkeys(legends))], width)]
        lines += _wrap(caveat_lines(summary.rows, is_short=detail is not Detail.WHOLE), width)
    if detail is Detail.WHOLE:
        lines += _details(summary, width)
    return [*lines, *_counts_lines(summary, width, detail)]


def _sentences(sentences: Sequence[str], width: int) -> list[TerminalLine]:
    return [
        TerminalLine(text, ("bold",))
        for sentence in sentences
        for text in hang(sentence, width, 2, most_lines=_MOST_LINES)
    ]


def _details(summary: Summary, width: int) -> list[TerminalLine]:
    """Return the blocks on robustness, faults, repeats, discernment, and pairs of models."""
    rows = summary.rows
    return [
        *robustness_lines(rows, width),
        *recovery_lines(rows, width),
        *repeats_lines(rows, width),
        *discernment_lines(summary.discernment, width),
        *model_lines(summary.models, width),
    ]


def _counts_lines(summary: Summary, width: int, detail: Detail) -> list[TerminalLine]:
    lines = [TerminalLine(text, ("bold",)) for text in fill(counts_line(summary), width)]
    if detail > Detail.BRIEF and summary.failure_classes:
        lines += _wrap([failure_line(summary)], width)
    if detail is Detail.WHOLE and (summary.harm or summary.false_success):
        lines += _wrap([conduct_line(summary)], width)
    if detail is Detail.WHOLE:
        lines += [
            TerminalLine(text)
            for slow in slowest_lines(summary)
            for text in hang(slow, width, 2, most_lines=_MOST_LINES)
        ]
    if len(summary.versions) > 1:
        lines += _wrap([versions_line(summary)], width, ("yellow",))
    if detail is Detail.NORMAL:
        lines += _wrap([MORE], width)
    if summary.demo_models:
        lines += _wrap([DEMO], width, ("yellow",))
    return lines


def _wrap(texts: Iterable[str], width: int, markup: tuple[str, ...] = ()) -> list[TerminalLine]:
    return [TerminalLine(line, markup) for text in texts for line in fill(text, width)]


def counts_line(summary: Summary) -> str:
    counts = summary.counts
    scored = f"{counts.scored:,} scored ({counts.full:,} full, {counts.partial:,} partial, {counts.failed:,} failed)"
    reused = f"; {summary.reused:,} reused from earlier runs" if summary.reused else ""
    cost = f"; {estimate_mark(summary.estimated_requests)}{dollars(summary.cost)}" if summary.cost else ""
    return f"{counts.planned:,} planned: {scored}, {counts.error:,} error, {counts.skipped:,} skipped{reused}{cost}"


def failure_line(summary: Summary) -> str:
    of_models = [f"{name} {n:,}" for name, n in summary.failure_classes if not name.is_infrastructure]
    of_others = [f"{name} {n:,}" for name, n in summary.failure_classes if name.is_infrastructure]
    parts = [", ".join(of_models)] if of_models else []
    parts += [f"not the model's: {', '.join(of_others)}"] if of_others else []
    return f"failure classes: {'; '.join(parts)}"


def conduct_line(summary: Summary) -> str:
    """Return how many scored cases did harm, and how many claimed a success that they had not reached."""
    harm = f"harm, something that the job did not ask for: {_of_n(summary.harm)}"
    return f"{harm}; false success, not done and yet claimed: {_of_n(summary.false_success)}"


def _of_n(rate: Rate | None) -> str:
    return "not measured" if rate is None else f"{rate.successes:,} of {rate.n:,} scored"


def versions_line(summary: Summary) -> str:
    named = "; ".join(map(str, summary.versions))
    return (
        f"episodes of {len(summary.versions)} versions ({named}): rows of different versions cannot be compared, "
        "no difference is computed between them, and the counts cover all of them"
    )


def slowest_lines(summary: Summary) -> Iterator[str]:
    """Yield the slowest cases that took at least twice the mean time and one second."""
    timed = [(row.counts.scored, row.mean_duration_s) for row in summary.rows if row.mean_duration_s is not None]
    mean_s = sum(n * seconds for n, seconds in timed) / max(sum(n for n, _ in timed), 1)
    for case in summary.slowest[:_MOST_SLOW]:
        if case.duration_s >= max(_OUTSTANDING * mean_s, _LEAST_SLOW_S):
            name = case.nodeid.partition("::")[2] or case.nodeid
            yield f"slow: {case.duration_s:.1f} s, {count(case.turns, 'turn')}, {case.outcome}: {name}"
