"""The table for papers: the same figures in LaTeX, Markdown and CSV, whatever models are called."""

from __future__ import annotations

import csv
import io
import re

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType, Severity
from pytest_ultra.core.figures import Counts, Rate, Row, Summary
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting.paper_table import escape_latex, to_csv, to_latex, to_markdown

LOSS = PairedDifference(
    pairs=10, won=0, lost=4, low=-0.7, high=-0.1, p_value=0.0004, p_adjusted=0.0008, evidence=Evidence.WORSE
)
OUTSIDE_FAMILY = PairedDifference(pairs=10, won=1, lost=2, low=-0.4, high=0.2, p_value=0.56, detectable=0.4)
FEW = PairedDifference(pairs=5, won=0, lost=5, low=-1.0, high=-0.13, p_value=0.03, p_adjusted=0.18)
HOSTILE = "=a_b & 100% $x$ {y} \\input{/etc/passwd} ~^#|<script>\x1b[31m"


def make_row(model: str, prompt_type: PromptType, difference: PairedDifference | None = None) -> Row:
    return Row(
        model, prompt_type, None, None, Counts(full=6, failed=4), Rate(6, 10, 0.31, 0.83), difference, 5.0, 9000.0, 2.0
    )


SUMMARY = Summary(
    (
        make_row("one", PromptType.OPTIMAL),
        make_row("one", PromptType.FLAWED_MISSING_STEP, LOSS),
        make_row(HOSTILE, PromptType.OPTIMAL),
        msgspec.structs.replace(make_row(HOSTILE, PromptType.FLAWED_TOOL_MISUSE, LOSS), severity=Severity.LIGHT),
    ),
    Counts(full=24, failed=16),
    (),
    (),
)


def test_latex_has_a_row_for_each_row_with_n_and_intervals_in_its_cells() -> None:
    lines = to_latex(SUMMARY).splitlines()
    assert lines[:2] == [r"\begin{tabular}{@{}llrrrr@{}}", r"\toprule"]
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    assert lines[4:6] == [
        r"one & optimal & 10 & 60.0 (31.0--83.0) & - & - \\",
        r" & flawed: missing step & 10 & 60.0 (31.0--83.0) & $-$40.0 ($-$70.0 to $-$10.0) & $<$0.001 \\",
    ]
    assert lines.count(r"\midrule") == 2
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}


def test_no_name_is_a_command_to_latex() -> None:
    shown = escape_latex(HOSTILE)
    for mark in "&%$#_{}":
        assert re.findall(rf"(?<!\\){re.escape(mark)}", shown.replace("{}", "")) == []
    assert "\\input" not in shown
    assert "\x1b" not in shown


def test_markdown_has_the_same_cells() -> None:
    head, rule, *rows = to_markdown(SUMMARY).splitlines()
    assert head.count("|") == rule.count("|") == 7
    assert rows[1] == ("| one | flawed: missing step | 10 | 60.0 (31.0-83.0) | -40.0 (-70.0 to -10.0) | <0.001 |")
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)
    assert "<script>" not in rows[2]


def test_an_uncorrected_p_is_marked_and_too_few_tasks_have_neither_interval_nor_p() -> None:
    rows = make_row("one", PromptType.COT, OUTSIDE_FAMILY), make_row("one", PromptType.FLAWED_MISSING_STEP, FEW)
    summary = Summary(rows, Counts(full=12, failed=8), (), ())
    marks = "p corrected (Holm) over a model's flaws; {} not corrected, since it is outside that family"
    too_few = "too few tasks: not even 50 points would have shown"
    assert to_markdown(summary).splitlines()[2:] == [
        r"| one | cot | 10 | 60.0 (31.0-83.0) | -10.0 (-40.0 to +20.0) | 0.56\* |",
        "| one | flawed: missing step | 10 | 60.0 (31.0-83.0) | -100.0 (too few) | - |",
        *("", marks.format(r"\*"), "", too_few),
    ]
    latex = to_latex(summary).splitlines()
    assert [line.split(" & ")[-2:] for line in latex[4:6]] == [
        ["$-$10.0 ($-$40.0 to +20.0)", r"0.56* \\"],
        ["$-$100.0 (too few)", r"- \\"],
    ]
    assert latex[7:9] == [
        rf"\multicolumn{{6}}{{@{{}}l@{{}}}}{{\footnotesize {note}}} \\" for note in (marks.format("*"), too_few)
    ]
    (_, few) = csv.DictReader(io.StringIO(to_csv(summary)))
    assert (few["difference_low"], few["p_adjusted"], few["evidence"]) == ("-1.0", "0.18", "no evidence")


def test_csv_has_a_column_for_each_figure_to_the_last_digit() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(SUMMARY))))
    assert [row["prompt_type"] for row in rows] == [str(row.prompt_type) for row in SUMMARY.rows]
    lossy = rows[1]
    expected = {"n": 10, "success": 0.6, "difference": -0.4, "difference_low": -0.7, "p_adjusted": 0.0008, "pairs": 10}
    assert {name: float(lossy[name]) for name in expected} == pytest.approx(expected)
    assert (lossy["evidence"], rows[0]["difference"], rows[3]["severity"]) == ("worse", "", "light")
    assert rows[2]["model"].startswith("'=a_b")
