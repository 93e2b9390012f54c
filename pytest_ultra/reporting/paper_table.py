"""The table of a run for papers: LaTeX with booktabs, Markdown, or CSV with a column for each figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from pytest_ultra.core.figures import Row, Summary
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.csv_table import render_csv
from pytest_ultra.reporting.figure_format import NOTHING, p_value, too_few_legend, verdict
from pytest_ultra.reporting.markdown import escape
from pytest_ultra.reporting.row_names import heading, row_label
from pytest_ultra.reporting.text import neutralise

_HEADS = ("model", "prompt", "n", "success, % (95 % interval)", "against optimal, points (95 % interval)", "p")
_LATEX_HEADS = (
    "Model",
    "Prompt",
    "$n$",
    r"Success, \% (95\,\% interval)",
    r"Against optimal, points (95\,\% interval)",
    "$p$",
)
_UNCORRECTED = "p corrected (Holm) over a model's flaws; * not corrected, since it is outside that family"
_COLUMNS: Mapping[str, Callable[[Row], object]] = MappingProxyType(
    {
        "model": lambda row: row.model,
        "prompt_type": lambda row: row.prompt_type,
        "severity": lambda row: row.severity,
        "tool_success_rate": lambda row: row.tool_success_rate,
        "prompt_variant": lambda row: row.prompt_variant,
        "n": lambda row: row.counts.scored,
        "full": lambda row: row.counts.full,
        "success": lambda row: row.success and row.success.value,
        "success_low": lambda row: row.success and row.success.low,
        "success_high": lambda row: row.success and row.success.high,
        "pairs": lambda row: row.difference and row.difference.pairs,
        "difference": lambda row: row.difference and row.difference.value,
        "difference_low": lambda row: row.difference and row.difference.low,
        "difference_high": lambda row: row.difference and row.difference.high,
        "p_value": lambda row: row.difference and row.difference.p_value,
        "p_adjusted": lambda row: row.difference and row.difference.p_adjusted,
        "evidence": lambda row: row.difference and row.difference.evidence,
        "mean_calls": lambda row: row.mean_calls,
        "mean_tokens": lambda row: row.mean_tokens,
        "mean_duration_s": lambda row: row.mean_duration_s,
        "mean_cost": lambda row: row.mean_cost,
    }
)
_LATEX_MARKS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    }
)


def to_csv(summary: Summary) -> str:
    """Return a row for each row of the table; shares and differences in [-1, 1], an empty cell for no figure."""
    return render_csv(_COLUMNS, [[read(row) for read in _COLUMNS.values()] for row in summary.rows])


def to_markdown(summary: Summary) -> str:
    lines: list[Sequence[str]] = [_HEADS, ("---", "---", "---:", "---:", "---:", "---:")]
    lines += [
        (escape(heading(row)), escape(row_label(row)), *_figures(row, "-"), _p(row.difference).replace("*", "\\*"))
        for row in summary.rows
    ]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return table + "".join(f"\n{escape(note)}\n" for note in _footnotes(summary.rows))


def to_latex(summary: Summary) -> str:
    r"""Return a `tabular` for `\usepackage{booktabs}`, with a rule between models."""
    return "".join(f"{line}\n" for line in _latex_lines(summary))


def _latex_lines(summary: Summary) -> Iterator[str]:
    yield r"\begin{tabular}{@{}llrrrr@{}}"
    yield r"\toprule"
    yield rf"{' & '.join(_LATEX_HEADS)} \\"
    for model, rows in groupby(summary.rows, key=heading):
        yield r"\midrule"
        for number, row in enumerate(rows):
            name = "" if number else escape_latex(model)
            n, rate, difference = _figures(row, "--")
            p = _p(row.difference).replace("<", "$<$")
            yield rf"{' & '.join((name, escape_latex(row_label(row)), n, rate, _minus(difference), p))} \\"
    yield r"\bottomrule"
    for note in _footnotes(summary.rows):
        yield rf"\multicolumn{{{len(_LATEX_HEADS)}}}{{@{{}}l@{{}}}}{{\footnotesize {escape_latex(note)}}} \\"
    yield r"\end{tabular}"


def _minus(figure: str) -> str:
    """Return a figure with the signs of mathematics, which are longer than hyphens."""
    return figure if figure == NOTHING else figure.replace("-", "$-$")


def escape_latex(text: str) -> str:
    """Escape untrusted text, which LaTeX would else take for commands."""
    return neutralise(text).translate(_LATEX_MARKS)


def _figures(row: Row, dash: str) -> Sequence[str]:
    """Return n, success and the difference; `dash` joins the ends of an interval."""
    success = row.success
    rate = "-"
    if success is not None:
        rate = f"{100 * success.value:.1f} ({100 * success.low:.1f}{dash}{100 * success.high:.1f})"
    return f"{row.counts.scored:,}", rate, _points(row.difference)


def _points(difference: PairedDifference | None) -> str:
    if difference is None:
        return NOTHING
    shown = difference.shown_interval
    note = verdict(difference) if shown is None else " to ".join(f"{100 * end:+.1f}" for end in shown)
    return f"{difference.points:+.1f} ({note})"


def _p(difference: PairedDifference | None) -> str:
    """Return the p-value, with an asterisk if it is not corrected for multiple tests."""
    return NOTHING if difference is None else p_value(difference) + "*" * difference.is_uncorrected


def _footnotes(rows: Sequence[Row]) -> Iterator[str]:
    if any(row.difference is not None and row.difference.is_uncorrected for row in rows):
        yield _UNCORRECTED
    yield from too_few_legend(row.difference for row in rows)


FORMATS: Mapping[str, Callable[[Summary], str]] = MappingProxyType(
    {"csv": to_csv, "latex": to_latex, "md": to_markdown}
)
