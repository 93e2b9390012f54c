"""The header and the summary of a run, at common terminal widths."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType, PromptVariant, Severity
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.figures import (
    Counts,
    Discernment,
    ModelDifference,
    ModelFigures,
    Rate,
    Robustness,
    Row,
    SlowCase,
    Summary,
)
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting.header_lines import header, selection_line
from pytest_ultra.reporting.terminal_summary import Detail, end_of_run
from pytest_ultra.reporting.text_table import TerminalLine

GOLDEN = Path(__file__).parent / "golden"


def summary_table(summary: Summary, width: int) -> str:
    """Return the table by prompt type: its lines up to the next empty one."""
    texts = [line.text for line in end_of_run(summary, width)]
    start = next((number for number, text in enumerate(texts) if text.startswith("prompt type")), 0)
    return "\n".join(texts[start : texts.index("", start)])


def make_difference(pairs: int, won: int, lost: int, **fields: Any) -> PairedDifference:
    values: dict[str, Any] = {"tasks": pairs, "low": -0.402, "high": 0.121, "p_value": 0.375, "detectable": 0.372}
    return PairedDifference(pairs, won, lost, **(values | fields))


def make_row(prompt_type: PromptType, full: int = 12, scored: int = 20, **fields: Any) -> Row:
    values: dict[str, Any] = {
        "model": "gpt-4o-mini",
        "severity": None,
        "tool_success_rate": None,
        "counts": Counts(full=full, failed=scored - full),
        "success": Rate(full, scored, 0.387, 0.781) if scored else None,
        "difference": None if prompt_type is PromptType.OPTIMAL else make_difference(scored, 1, 4),
        "mean_calls": 5.25,
        "mean_tokens": 14_310.4,
        "mean_duration_s": 12.34,
    }
    return Row(prompt_type=prompt_type, **(values | fields))


def make_summary(*rows: Row, **fields: Any) -> Summary:
    values: dict[str, Any] = {"counts": Counts(10, 2, 5, 1, 2), "failure_classes": (), "demo_models": ()}
    return Summary(rows=rows, **(values | fields))


def make_realistic() -> Summary:
    errors = Counts(full=12, failed=4, partial=1, error=2, skipped=1)
    flaws = list(PromptType)[3:9]
    hurt = Robustness(0.8, 0.62, damaged=19, recovered=11, extra_calls=2.34, extra_tokens=5120.4)
    mostly = ((FailureClass.WRONG_DELIVERABLE, 7), (FailureClass.GAVE_UP, 1))
    shown: dict[str, Any] = {"robustness": hurt, "recovery": Rate(18, 21, 0.6, 0.95), "failure_classes": mostly}
    rows = [make_row(prompt_type) for prompt_type in list(PromptType)[:3]]
    rows += [make_row(flaw, difference=make_difference(20, 1, 4, p_adjusted=1.0), **shown) for flaw in flaws]
    lost = make_difference(15, 0, 5, low=-0.633, high=0.045, p_adjusted=0.44, detectable=0.43, unpaired=2)
    hit = make_row(PromptType.FLAWED_SEMANTIC_DRIFT, counts=errors, difference=lost, unpaired=2, **shown)
    dead = make_row(
        PromptType.OPTIMAL,
        0,
        0,
        model="m-large",
        counts=Counts(error=3),
        mean_calls=None,
        mean_tokens=None,
        mean_duration_s=None,
    )
    classes = ((FailureClass.WRONG_DELIVERABLE, 31), (FailureClass.GAVE_UP, 4), (FailureClass.ENDPOINT, 5))
    slow = SlowCase("pytest_ultra/suite/test_workflows.py::test_workflow[m-cot-1]", "0f", Outcome.FAILED, 83.61, 30)
    pooled = make_difference(135, 7, 29, tasks=20, low=-0.27, high=-0.05, p_value=0.004, evidence=Evidence.WORSE)
    better = make_difference(180, 41, 19, tasks=20, low=0.03, high=0.21, p_adjusted=0.008, evidence=Evidence.BETTER)
    models = (
        ModelFigures(
            "gpt-4o-mini", Counts(full=108, failed=70, partial=1, error=1), Rate(108, 179, 0.53, 0.67), pooled
        ),
        ModelFigures("m-large", Counts(error=3), None),
    )
    measured = msgspec.structs.replace(
        models[0],
        recovery=Rate(18, 21, 0.6, 0.95),
        false_success=Rate(9, 179, 0.02, 0.09),
        mean_calls=5.25,
        mean_cost=0.0123,
        mean_duration_s=12.34,
    )
    return make_summary(
        *rows,
        hit,
        dead,
        failure_classes=classes,
        demo_models=("demo",),
        slowest=(slow,),
        model_figures=(measured, models[1]),
        models=(ModelDifference("m-large", "gpt-4o-mini", better),),
    )


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_the_end_of_a_run_reads_well(width: int) -> None:
    shown = "\n".join(line.text for line in end_of_run(make_realistic(), width, Detail.NORMAL)) + "\n"
    assert shown == (GOLDEN / f"end_of_run_{width}.txt").read_text()


@pytest.mark.parametrize("width", range(30, 200, 17))
@pytest.mark.parametrize("name", ["gpt-4o-mini", "openrouter/meta-llama/llama-3.3-70b-instruct:free"])
def test_no_line_is_wider_than_the_terminal_and_none_is_cut(width: int, name: str) -> None:
    summary = make_realistic()
    first, *others = summary.model_figures
    named = msgspec.structs.replace(summary, model_figures=(msgspec.structs.replace(first, model=name), *others))
    for detail in Detail:
        lines = [line.text for line in end_of_run(named, width, detail)]
        assert max(map(len, lines)) <= width
        assert name in "".join("".join(lines).split())
        assert not any("…" in line or "characters)" in line for line in lines)


def test_the_end_of_a_run_leads_with_its_models_and_comparisons_and_is_shorter_with_less_detail() -> None:
    brief, normal, whole = ([line.text for line in end_of_run(make_realistic(), 80, detail)] for detail in Detail)
    assert len(brief) < len(normal) < len(whole)
    assert brief[0] == normal[0] == whole[0]
    assert brief[0].split()[:4] == ["model", "success", "n", "flawed"]
    assert [line.split()[0] for line in normal[2:4]] == ["gpt-4o-mini", "m-large"]
    text = " ".join(" ".join(normal).split())
    assert text.index("gpt-4o-mini is worse than m-large by 12 points (95%: 3 to 21, p = 0.008)") < text.index(
        "prompt type"
    )
    assert "flawed plans make gpt-4o-mini worse by 16 points (95%: 5 to 27, p = 0.004)" in text
    assert not any(line.startswith("prompt type") for line in brief)
    assert len(brief) <= 10


def test_severities_and_rates_fit_80_columns() -> None:
    severe = [make_row(PromptType.FLAWED_LOGICAL_INCONSISTENCY, severity=s, tool_success_rate=0.6) for s in Severity]
    control = make_row(PromptType.OPTIMAL, tool_success_rate=0.6)
    lines = summary_table(make_summary(control, *severe), 80).splitlines()
    assert lines[2] == "gpt-4o-mini, tool success rate 0.6"
    assert [line.split()[:2] for line in lines[4:]] == [["logical_inconsistency", severity] for severity in Severity]
    assert all(line.endswith(" no evidence") for line in lines[4:])


def test_variants_and_versions_are_headings_of_their_rows() -> None:
    old, new = Versions(1, 1, 1), Versions(1, 1, 2)
    rows = [make_row(PromptType.OPTIMAL, prompt_variant=v, versions=w) for w in (old, new) for v in PromptVariant]
    lines = summary_table(make_summary(*rows), 100).splitlines()[2:]
    assert lines[::2] == [
        f"gpt-4o-mini, prompt variant {variant} (generator 1, prompts 1, scorer {scorer})"
        for scorer in (1, 2)
        for variant in ("standard", "brief", "formal", "canary")
    ]
    assert {line.split()[0] for line in lines[1::2]} == {"optimal"}


def test_harm_and_false_success_are_shown_with_their_denominators() -> None:
    measured = make_summary(
        make_row(PromptType.OPTIMAL), harm=Rate(2, 60, 0.0, 0.1), false_success=Rate(30, 60, 0.4, 0.6)
    )
    assert TerminalLine(
        "harm, something that the job did not ask for: 2 of 60 scored; "
        "false success, not done and yet claimed: 30 of 60 scored"
    ) in end_of_run(measured, 300)
    assert not any("harm" in line.text for line in end_of_run(make_summary(make_row(PromptType.OPTIMAL)), 300))


def test_discernment_has_a_line_for_each_model_where_both_sorts_of_steps_were_seen() -> None:
    found = (
        Discernment("m", 40, 10, 200, 1, 3.14159, -0.2, 30, 0.4),
        Discernment("n", 40, 10, 0, 0, None, None, 0, None),
    )
    summary = make_summary(make_row(PromptType.OPTIMAL), discernment=found)
    lines = [line.text for line in end_of_run(summary, 300)]
    start = next(number for number, line in enumerate(lines) if line.startswith("model  "))
    assert lines[start].split("  ")[0] == "model"
    assert lines[start + 2].split() == ["m", "3.14", "-0.20", "25%", "(40)", "1%", "(200)", "0.4", "(30)"]
    assert lines[start + 3] == ""
    without = end_of_run(make_summary(*summary.rows, discernment=found[1:]), 300)
    assert not any(line.text.startswith("model  ") for line in without)


def test_figures_of_different_versions_are_never_mixed_silently() -> None:
    summary = make_summary(make_row(PromptType.OPTIMAL), versions=(Versions(1, 1, 1), Versions(1, 1, 2)))
    warning = (
        "episodes of 2 versions (generator 1, prompts 1, scorer 1; generator 1, prompts 1, scorer 2): "
        "rows of different versions cannot be compared, no difference is computed between them, "
        "and the counts cover all of them"
    )
    assert TerminalLine(warning, ("yellow",)) in end_of_run(summary, 300)
    one = make_summary(make_row(PromptType.OPTIMAL), versions=(Versions(),))
    assert not any("versions" in line.text for line in end_of_run(one, 300))


def test_a_long_heading_is_wrapped() -> None:
    row = make_row(PromptType.OPTIMAL, prompt_variant=PromptVariant.FORMAL, versions=Versions(), tool_success_rate=0.6)
    assert max(map(len, summary_table(make_summary(row), 80).splitlines())) <= 80


def test_figures_of_a_row_are_in_their_columns() -> None:
    row = make_row(PromptType.FLAWED_TOOL_MISUSE, 5, 8, difference=make_difference(6, 0, 3), mean_cost=0.0213)
    figures = [
        "38.7-78.1",
        "8",
        "5",
        "0",
        "3",
        "0",
        "-50.0",
        "(6)",
        "-40.2..+12.1",
        "0.38",
        "no",
        "evidence",
        "5.2",
        "14,310",
    ]
    assert summary_table(make_summary(row), 200).splitlines()[-1].split() == (
        ["flawed_tool_misuse", "62.5%", *figures, "12.3", "s", "$0.021"]
    )


@pytest.mark.parametrize(("full", "shown"), [(0, "0.0%"), (1, "0.1%"), (2999, "99.9%"), (3000, "100.0%")])
def test_nearly_all_does_not_read_as_all(full: int, shown: str) -> None:
    line = summary_table(make_summary(make_row(PromptType.OPTIMAL, full, 3000)), 80).splitlines()[-1]
    assert line.split()[1] == shown


def test_nothing_measured_is_a_dash() -> None:
    row = make_row(
        PromptType.COT, 0, 0, counts=Counts(error=2), mean_calls=None, mean_tokens=None, mean_duration_s=None
    )
    row_without_pairs = make_summary(msgspec.structs.replace(row, difference=None))
    for width in (80, 140):
        cells = summary_table(row_without_pairs, width).splitlines()[-1].split()
        assert cells[0] == "cot"
        assert set(cells[-3:]) == {"-"}


@pytest.mark.parametrize(
    ("evidence", "markup"), [(Evidence.WORSE, ("red",)), (Evidence.BETTER, ("green",)), (Evidence.NONE, ())]
)
def test_a_row_has_its_verdict_and_is_marked_by_it(evidence: Evidence, markup: tuple[str, ...]) -> None:
    row = make_row(PromptType.FLAWED_TOOL_MISUSE, difference=make_difference(20, 1, 4, evidence=evidence))
    (line,) = [line for line in end_of_run(make_summary(row), 120) if line.text.startswith("flawed_tool_misuse")]
    assert line.markup == markup
    assert f" {evidence} " in line.text


def test_a_run_without_episodes_says_so() -> None:
    assert summary_table(make_summary(), 80) == "no episodes"


def test_counts_are_printed_with_every_denominator() -> None:
    assert TerminalLine(
        "20 planned: 17 scored (10 full, 2 partial, 5 failed), 1 error, 2 skipped", ("bold",)
    ) in end_of_run(make_summary(make_row(PromptType.OPTIMAL)), 80)


def test_failures_of_the_infrastructure_are_listed_apart_from_the_models() -> None:
    both = make_summary(failure_classes=((FailureClass.ENDPOINT, 3), (FailureClass.MAX_TURNS, 2)))
    assert TerminalLine("failure classes: max_turns 2; not the model's: endpoint 3") in end_of_run(both, 80)
    one = make_summary(failure_classes=((FailureClass.RATE_LIMIT, 3),))
    assert TerminalLine("failure classes: not the model's: rate_limit 3") in end_of_run(one, 80)


def test_demo_figures_have_a_warning() -> None:
    warning = TerminalLine(
        "demo models are scripted agents: these figures say nothing about any real model", ("yellow",)
    )
    assert warning in end_of_run(make_summary(demo_models=("demo",)), 80)
    assert warning not in end_of_run(make_summary(), 80)


def test_a_hostile_model_name_is_escaped() -> None:
    table = summary_table(make_summary(make_row(PromptType.OPTIMAL, model="[red]m\x1b[2J")), 80)
    assert r"[red]m\x1b[2J" in table.splitlines()


def test_the_header_says_what_is_planned() -> None:
    lines = header(cases=3000, models=["gpt-4o-mini"], workers=3, seed=7)
    assert lines == ["ultra: 3,000 cases, model gpt-4o-mini, 3 workers, seed 7"]


def test_the_line_after_the_selection_says_what_is_run_and_where_it_is_stored() -> None:
    lines = [selection_line(selected, 3000, ".ultra/runs/now") for selected in (3000, 1, 0)]
    assert lines == [
        "ultra: kept in .ultra/runs/now",
        "ultra: 1 of 3,000 cases selected, kept in .ultra/runs/now",
        "ultra: no test of these 3,000 cases is selected",
    ]


def test_the_header_names_a_preset_and_the_options_that_override_it() -> None:
    options: dict[str, Any] = {"cases": 1, "models": ["m"], "workers": 0, "seed": 0, "preset": "size"}
    assert header(**options)[1:] == ["ultra: preset size"]
    flags = ("--ultra-severity", "--ultra-difficulty")
    assert (
        header(**options, overrides=flags)[1]
        == "ultra: preset size, overridden by --ultra-severity, --ultra-difficulty"
    )


def test_the_header_of_one_process_and_of_many_models() -> None:
    models = [f"m{n}" for n in range(6)]
    (line,) = header(cases=1, models=models, workers=0, seed=0)
    assert line == "ultra: 1 case, models m0, m1, m2, m3, and 2 more, no workers (one process), seed 0"
    (line,) = header(cases=2, models=["a", "b"], workers=1, seed=0)
    assert line == "ultra: 2 cases, models a, b, 1 worker, seed 0"


def test_rich_is_not_imported_before_a_table_is_drawn() -> None:
    script = (
        "import sys, pytest_ultra.reporting.terminal_summary, pytest_ultra.reporting.failure_text; "
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603 - our own script
