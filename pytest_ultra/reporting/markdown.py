"""A run's figures in Markdown, for GitHub's job summaries, pull requests and wikis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.figures import Comparison, Flip, ModelDifference, Row, RunComparison, Summary
from pytest_ultra.core.gates import Decision
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.caveats import caveat_lines
from pytest_ultra.reporting.comparison_lines import (
    case_name,
    difference_cells,
    is_worse,
    order_flips,
    unpaired_line,
)
from pytest_ultra.reporting.discernment_table import DISCERNMENT_HEADS, DISCERNMENT_LEGEND, discernment_cells
from pytest_ultra.reporting.figure_format import NOTHING, amount, interval, percent, too_few_legend
from pytest_ultra.reporting.gate_lines import conclusion, figure, gate_name, verdict_word
from pytest_ultra.reporting.recovery_table import LEGEND as RECOVERY_LEGEND
from pytest_ultra.reporting.recovery_table import name_of, recovery_of, rows_to_show
from pytest_ultra.reporting.terminal_summary import DEMO, conduct_line, counts_line, failure_line, versions_line
from pytest_ultra.reporting.text import neutralise

MOST_FLIPS = 50
MOST_MODELS = 15
LEGEND = (
    "success: full / scored; vs optimal: points over pairs of the same task, interval by task (Tango); p: McNemar's "
    "test by task, corrected (Holm) over the tests read together; verdict: worse or better if p is at most 0.05; "
    "calls, tokens, time: mean over scored cases"
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "@": "@<!-- -->"}
_MARKS = frozenset("\\`*_{}[]#!~$^")
_CUT = "\n\n*The summary was cut here because it exceeds the size limit.*\n"


class MarkdownInput(msgspec.Struct, frozen=True):
    """The content of a Markdown summary."""

    summary: Summary
    run_id: str
    seed: int
    decision: Decision | None = None
    compared: RunComparison | None = None


def escape(text: str) -> str:
    """Escape untrusted text: no markup, no link, no mention, no end of a table cell."""
    shown = neutralise(text)
    marked = "".join(_ENTITIES.get(c) or (f"\\{c}" if c in _MARKS else c) for c in shown)
    return marked.replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")


def render(content: MarkdownInput, *, room: int | None = None) -> str:
    """Return the summary, cut at the end of a line if it is longer than `room` bytes."""
    text = "\n".join(_lines(content)) + "\n"
    return text if room is None else cut(text, room)


def cut(text: str, room: int) -> str:
    encoded = text.encode()
    if len(encoded) <= room:
        return text
    kept = encoded[: max(room - len(_CUT.encode()), 0)]
    whole = kept[: kept.rfind(b"\n") + 1].decode()
    return whole.rstrip("\n") + _CUT if whole else ""


def _lines(content: MarkdownInput) -> Iterator[str]:
    yield f"## pytest-ultra: {_title(content)}"
    yield ""
    yield from _rows(content.summary.rows)
    yield ""
    yield _legend(content.summary)
    if recovered := rows_to_show(content.summary.rows):
        yield ""
        yield from _recovery(recovered)
    if discerning := [found for found in content.summary.discernment if found.d_prime is not None]:
        yield ""
        rows = [[escape(cell) for cell in discernment_cells(found)] for found in discerning[:MOST_MODELS]]
        yield from table(DISCERNMENT_HEADS, left=1, rows=rows)
        yield ""
        yield DISCERNMENT_LEGEND
    if content.summary.models:
        yield ""
        yield from _models(content.summary.models)
    yield ""
    yield f"**{escape_words(counts_line(content.summary))}**"
    if content.summary.failure_classes:
        yield ""
        yield escape_words(failure_line(content.summary))
    if content.summary.harm is not None:
        yield ""
        yield conduct_line(content.summary)
    if len(content.summary.versions) > 1:
        yield ""
        yield escape_words(versions_line(content.summary))
    if content.decision is not None:
        yield from _gates(content.decision)
    if content.compared is not None:
        yield from _comparison(content.compared)
    yield ""
    if content.summary.demo_models:
        yield f"*{DEMO}*"
        yield ""
    versions = "; ".join(map(str, content.summary.versions))
    yield f"<sub>run {content.run_id}, seed {content.seed}, {versions or 'no episodes'}</sub>"
    yield ""


def escape_words(text: str) -> str:
    """Escape the underscores of our own text, in names such as `tool_selection`."""
    return text.replace("_", "\\_")


def _title(content: MarkdownInput) -> str:
    if content.decision is not None:
        return escape(conclusion(content.decision))
    counts = content.summary.counts
    return f"{counts.full:,} of {counts.scored:,} full"


def _legend(summary: Summary) -> str:
    differences = [*(row.difference for row in summary.rows), *(found.difference for found in summary.models)]
    return "; ".join((LEGEND, *too_few_legend(differences), *map(escape_words, caveat_lines(summary.rows))))


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        yield "no episodes"
        return
    named = [_name(row) for row in rows]
    axes = [at for at in range(len(_AXES)) if any(name[at] for name in named)]
    heads = [_AXES[at] for at in axes]
    cells = [[name[at] for at in axes] + _figures(row) for row, name in zip(rows, named, strict=True)]
    yield from table([*heads, *_FIGURES], left=len(heads), rows=cells)


def _recovery(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the recovery from random faults by their kind."""
    named = [_name(row) for row in rows]
    axes = [at for at in range(len(_AXES)) if any(name[at] for name in named)]
    kinds = [kind for kind in FaultKind if any(kind in dict(row.recovery_by_kind) for row in rows)]
    figures = [[recovery_of(row, kind) for kind in kinds] for row in rows]
    cells = [[name[at] for at in axes] + figure for name, figure in zip(named, figures, strict=True)]
    yield from table([*(_AXES[at] for at in axes), *map(name_of, kinds)], left=len(axes), rows=cells)
    yield ""
    yield RECOVERY_LEGEND


_AXES = ("model", "prompt type", "severity", "tool success rate", "prompt variant", "versions")
_FIGURES = (
    *("success", "95% interval", "n", "vs optimal", "95% interval", "p", "verdict", "pairs"),
    *("calls", "tokens", "time"),
)


def _name(row: Row) -> list[str]:
    rate = None if row.tool_success_rate is None else f"{row.tool_success_rate:g}"
    parts = (row.model, row.prompt_type, row.severity, rate, row.prompt_variant, row.versions)
    return ["" if part is None else escape(str(part)) for part in parts]


def _figures(row: Row) -> list[str]:
    counts, rate = row.counts, row.success
    n = f"{counts.scored:,}" if counts.scored == counts.planned else f"{counts.scored:,}/{counts.planned:,}"
    return [
        percent(None if rate is None else rate.value),
        interval(rate),
        n,
        *_difference(row.difference),
        amount(row.mean_calls, ".1f"),
        amount(row.mean_tokens, ",.0f"),
        NOTHING if row.mean_duration_s is None else f"{row.mean_duration_s:.1f} s",
    ]


def _difference(difference: PairedDifference | None) -> list[str]:
    return [NOTHING] * 5 if difference is None else [escape(cell) for cell in difference_cells(difference)]


def _models(differences: Sequence[ModelDifference]) -> Iterator[str]:
    rows = [
        [f"{escape(found.sample)} vs {escape(found.reference)}", *_difference(found.difference)]
        for found in differences[:MOST_MODELS]
    ]
    yield from table(["models", "points", "95% interval", "p", "verdict", "pairs"], left=1, rows=rows)
    if len(differences) > MOST_MODELS:
        yield from ("", f"and {len(differences) - MOST_MODELS:,} more pairs of models")


def _gates(decision: Decision) -> Iterator[str]:
    yield from ("", "### Gates", "")
    rows = [
        [escape(gate_name(verdict.gate)), escape(figure(verdict, decision.on)), f"**{verdict_word(verdict)}**"]
        for verdict in decision.verdicts
    ]
    yield from table(["gate", "measured", "verdict"], left=3, rows=rows)


def _comparison(compared: RunComparison) -> Iterator[str]:
    yield from ("", f"### Compared with {escape(compared.reference)}", "")
    heads = ["group", "before", "now", "difference", "95% interval", "p", "verdict", "pairs"]
    yield from table(heads, left=1, rows=[_group(group) for group in compared.groups])
    yield ""
    yield "; ".join((unpaired_line(compared), *too_few_legend(group.difference for group in compared.groups)))
    worse = [flip for flip in order_flips(compared.flips) if is_worse(flip)]
    if worse:
        yield from ("", f"Worse than before ({len(worse):,}):", "")
        yield from (_flip(flip) for flip in worse[:MOST_FLIPS])
    if len(worse) > MOST_FLIPS:
        yield f"- and {len(worse) - MOST_FLIPS:,} more"


def _group(group: Comparison) -> list[str]:
    rates = [f"{percent(rate.value)} of {rate.n:,}" if rate else NOTHING for rate in (group.reference, group.sample)]
    return [escape(group.group), *rates, *map(escape, difference_cells(group.difference))]


def _flip(flip: Flip) -> str:
    return f"- {escape(case_name(flip.nodeid))}: {flip.reference} -> {flip.sample}"


def table(heads: Sequence[str], *, left: int, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; the first `left` columns are left-aligned, the others right-aligned."""
    rule = [":--" if number < left else "--:" for number in range(len(heads))]
    yield from (f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))
