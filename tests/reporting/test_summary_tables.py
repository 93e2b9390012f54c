"""The blocks below the table of results: robustness, repeats, models, slow cases; and the format of figures."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pytest_ultra.core.axes import FaultKind, PromptType, Severity
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.figures import Counts, ModelDifference, Rate, Repeats, Robustness, Row, SlowCase, Summary
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting import figure_format as figures
from pytest_ultra.reporting.model_comparison_table import model_lines
from pytest_ultra.reporting.outcome_table import draw_outcomes
from pytest_ultra.reporting.recovery_table import LEGEND, recovery_lines
from pytest_ultra.reporting.robustness_table import repeats_lines, robustness_lines
from pytest_ultra.reporting.terminal_summary import slowest_lines

MISUSE = PromptType.FLAWED_TOOL_MISUSE


def make_row(prompt_type: PromptType = MISUSE, mean_duration_s: float | None = 5.0, **fields: Any) -> Row:
    values: dict[str, Any] = {"severity": None, "tool_success_rate": None, "counts": Counts(full=8, failed=2)}
    values |= {"success": None, "difference": None, "mean_calls": None, "mean_tokens": None}
    return Row("m", prompt_type, mean_duration_s=mean_duration_s, **(values | fields))


def last_cells(lines: list[str]) -> list[str]:
    return lines[: lines.index("", 1)][-1].split()


def texts(rows: list[Row], width: int = 120) -> list[str]:
    return [line.text for line in robustness_lines(rows, width)]


def test_a_row_with_a_flaw_shows_its_effects() -> None:
    hurt = Robustness(1.25, 0.625, damaged=8, recovered=5, extra_calls=2.34, extra_tokens=-1200.0, extra_cost=0.0213)
    row = make_row(
        robustness=hurt, recovery=Rate(9, 10, 0.5, 1.0), failure_classes=((FailureClass.GAVE_UP, 2),), severity="light"
    )
    lines = texts([make_row(PromptType.OPTIMAL), row], 150)
    head = ["prompt type", "severity", "resilience", "over-trust", "recovery", "extra calls"]
    assert [word for word in head if word not in lines[1]] == []
    figures = ["125%", "62%", "(8)", "90%", "(10)", "+2.3", "(5)", "-1,200", "+$0.021"]
    assert last_cells(lines) == ["flawed_tool_misuse", "light", *figures, "gave_up", "2"]


def test_rows_are_marked_only_in_the_table_of_results() -> None:
    lost = PairedDifference(20, 0, 20, tasks=20, low=-1.0, high=-0.7, p_value=0.0001)
    lines = robustness_lines([make_row(difference=lost, robustness=Robustness())], 120)
    assert {line.markup for line in lines} == {(), ("bold",)}


def test_the_legend_of_the_outcomes_explains_what_the_table_shows() -> None:
    unknown = PairedDifference(2, 0, 1, tasks=2, low=-0.9, high=0.4, p_value=0.3)
    lost = PairedDifference(20, 0, 20, tasks=20, low=-1.0, high=-0.7, p_value=0.0001, p_adjusted=0.0001)
    rows = [make_row(difference=msgspec.structs.replace(lost, evidence=Evidence.WORSE)), make_row(difference=unknown)]
    too_few = "too few tasks: not even 50 points would have shown"
    for shown, width, expected in (
        (rows, 120, True),
        (rows, 35, False),
        (rows[:1], 120, False),
        (rows[1:], 120, False),
    ):
        lines, legends = draw_outcomes(shown, width)
        assert any(" too few" in line.text for line in lines) is expected
        assert (too_few in legends) is expected
    _, legends = draw_outcomes([make_row(success=Rate(8, 10, 0.4, 0.95))], 120)
    assert "95% of success: Wilson's interval" in legends
    assert not [text for text in legends if "vs optimal" in text or "cost" in text]


def test_what_was_not_measured_is_a_dash_and_columns_without_any_are_left_out() -> None:
    lines = texts([make_row(robustness=Robustness(), severity=Severity.LIGHT)])
    assert last_cells(lines) == ["flawed_tool_misuse", "light", "-", "-"]
    assert "resilience" not in lines[1]  # no control was scored
    assert "recovery" not in lines[1]
    assert "extra tokens" not in lines[1]


def test_over_trust_over_all_scored_episodes_has_no_count() -> None:
    assert "(10)" not in texts([make_row(robustness=Robustness(over_trust=0.5, damaged=10))])[4]


def test_the_legend_explains_the_columns() -> None:
    legend = " ".join(texts([make_row(robustness=Robustness(0.5, 0.5, 10, 1, 1.0))])[6:])
    assert legend == (
        "resilience: success with the flaw / without; over-trust: damaged steps carried out as written; "
        "extra: mean over the pairs that succeeded with and without the flaw (pairs)"
    )


def test_without_flawed_plans_there_is_no_block() -> None:
    assert robustness_lines([make_row(PromptType.OPTIMAL)], 80) == []
    assert repeats_lines([make_row()], 80) == []


def test_a_block_of_very_many_rows_is_not_shown_and_says_so() -> None:
    rows = [make_row(robustness=Robustness())] * 31
    assert texts(rows) == ["robustness to flawed plans: 31 rows, too many to show here"]
    assert len(texts(rows[:30])) > 30


@pytest.mark.parametrize("width", [60, 80, 100, 130])
def test_blocks_fit_the_terminal(width: int) -> None:
    hurt = Robustness(1.25, 0.625, damaged=8, recovered=5, extra_calls=2.34, extra_tokens=-1200.0, extra_cost=0.0213)
    repeats = tuple(Repeats(k, 0.9, 0.1, 20) for k in range(1, 11))
    recovery = Rate(90, 100, 0.5, 1.0)
    logic = PromptType.FLAWED_LOGICAL_INCONSISTENCY
    rows = [make_row(logic, robustness=hurt, recovery=recovery, repeats=repeats, severity=s) for s in Severity]
    for lines in (robustness_lines(rows, width), repeats_lines(rows, width)):
        assert max(len(line.text) for line in lines) <= width


def test_repeats_show_the_chance_of_one_and_of_all_of_two_and_of_the_most() -> None:
    four = tuple(Repeats(k, 1 - 0.1 / k, 0.5 / k, 6 - k) for k in range(1, 5))
    two = four[:2]
    lines = [line.text for line in repeats_lines([make_row(repeats=four), make_row(PromptType.COT, repeats=two)], 80)]
    assert lines[1].split() == ["prompt", "type", "tasks", "pass@2", "pass^2", "pass@4", "pass^4"]
    assert lines[4].split() == ["flawed_tool_misuse", "5", "95%", "25%", "98%", "12%"]
    assert lines[5].split() == ["cot", "5", "95%", "25%", "-", "-"]
    assert lines[7].startswith("pass@k: chance that one of k repeats of a task succeeds; pass^k: that all do")


def make_summary(*slow: SlowCase, mean_s: float | None = 5.0) -> Summary:
    return Summary((make_row(mean_duration_s=mean_s),), Counts(), (), (), slowest=slow)


def test_cases_that_take_twice_the_mean_are_slow() -> None:
    cases = [SlowCase(f"a/b.py::t[{n}]", "0f", Outcome.FULL, seconds, 3) for n, seconds in enumerate((30, 12, 9.9))]
    assert list(slowest_lines(make_summary(*cases))) == [
        "slow: 30.0 s, 3 turns, full: t[0]",
        "slow: 12.0 s, 3 turns, full: t[1]",
    ]
    assert list(slowest_lines(make_summary(*cases, mean_s=None))) == [
        "slow: 30.0 s, 3 turns, full: t[0]",
        "slow: 12.0 s, 3 turns, full: t[1]",
        "slow: 9.9 s, 3 turns, full: t[2]",
    ]


def test_no_more_than_three_cases_and_none_under_a_second_is_slow() -> None:
    many = [SlowCase("x::t", "0f", Outcome.FAILED, 50.0, 1)] * 5
    assert len(list(slowest_lines(make_summary(*many)))) == 3
    assert list(slowest_lines(make_summary(SlowCase("x::t", "0f", Outcome.FULL, 0.9, 1), mean_s=0.1))) == []


@pytest.mark.parametrize(
    ("p", "adjusted", "shown"),
    [(0.0004, None, "<0.001"), (0.0312, None, "0.031"), (0.5, None, "0.50"), (0.01, 0.07, "0.070"), (1.0, 1.0, "1.00")],
)
def test_small_p_values_have_more_digits(p: float, adjusted: float | None, shown: str) -> None:
    assert figures.p_value(PairedDifference(20, 1, 4, 20, -0.4, 0.1, p, adjusted, detectable=0.3)) == shown


def test_a_difference_that_rounds_to_nothing_has_no_minus() -> None:
    tiny = PairedDifference(3000, 0, 1, low=-0.0004, high=0.0004, detectable=0.01)
    assert (figures.points(tiny), figures.difference_interval(tiny, 0)) == ("+0.0", "+0..+0")


@pytest.mark.parametrize(("value", "shown"), [(0.001, "1%"), (0.999, "99%"), (1.0, "100%"), (0.0, "0%"), (1.3, "130%")])
def test_a_coarse_share_of_nearly_all_is_not_all(value: float, shown: str) -> None:
    assert figures.coarse_percent(value) == shown


def difference_of(sample: str, reference: str, **fields: Any) -> ModelDifference:
    values: dict[str, Any] = {"tasks": 50, "low": 0.031, "high": 0.2, "p_value": 0.002, "p_adjusted": 0.004}
    values["evidence"] = Evidence.BETTER
    return ModelDifference(sample, reference, PairedDifference(1250, 300, 150, **(values | fields)))


def test_two_models_are_compared_in_a_row() -> None:
    lines = [line.text for line in model_lines([difference_of("m-large", "m-mini\x1b[2J")], 100)]
    assert lines[1].split() == ["models", "points", "95%", "interval", "p", "verdict", "pairs", "tasks"]
    figures = ["+12.0", "+3.1..+20.0", "0.004", "better", "1,250", "50"]
    assert lines[3].split() == ["m-large", "vs", r"m-mini\x1b[2J", *figures]
    legend = " ".join(lines[5:])
    assert legend.startswith("points: success of the first model minus that of the second, over pairs of cases that")


def test_one_model_has_no_block_and_many_models_are_cut() -> None:
    assert model_lines([], 80) == []
    assert "and 6 more pairs of models" in [line.text for line in model_lines([difference_of("a", "b")] * 21, 80)]
    assert "and 1 more pair of models" in [line.text for line in model_lines([difference_of("a", "b")] * 16, 80)]


def test_models_with_long_names_fit_the_terminal() -> None:
    name = "provider/" + 60 * "x"
    assert max(len(line.text) for line in model_lines([difference_of(name, name)], 80)) <= 80


def test_recovery_by_kind_is_shown_with_the_number_of_faults_if_any_fault_is_not_transient() -> None:
    transient = (FaultKind.TRANSIENT, Rate(9, 10, 0.6, 0.98))
    some = make_row(recovery_by_kind=(transient, (FaultKind.LOST_REPLY, Rate(1, 4, 0.1, 0.7))))
    only = make_row(PromptType.OPTIMAL, recovery_by_kind=(transient,))
    texts = [line.text for line in recovery_lines([some, only, make_row(PromptType.COT)], 100)]
    assert texts[1].split() == ["prompt", "type", "transient", "lost", "reply"]
    assert [text.split()[1:] for text in texts if text.startswith(("flawed", "optimal"))] == [
        ["90%", "(10)", "25%", "(4)"],
        ["90%", "(10)", "-"],
    ]
    assert texts[-1] == LEGEND
    assert not any("cot" in text for text in texts), "it met no fault"
    assert recovery_lines([only], 100) == []
    assert recovery_lines([], 100) == []
