"""Comparisons as sentences: what is shown, what is not, and what more tasks would show."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.figures import Comparison, Evidence, ModelDifference, PairedDifference, RunComparison
from pytest_ultra.reporting.comparison_sentences import comparison_sentences, run_sentence
from tests.reporting.test_terminal_summary import make_difference, make_realistic, make_row, make_summary

WORSE = make_difference(100, 5, 17, low=-0.21, high=-0.03, p_value=0.004, detectable=0.15, evidence=Evidence.WORSE)
ALIKE = make_difference(100, 9, 9, low=-0.08, high=0.08, p_value=1.0, detectable=0.15)
FEW = make_difference(5, 1, 2, low=-0.7, high=0.5, p_value=0.56, detectable=0.83, tasks_needed=63)


def compared(difference: PairedDifference | None) -> RunComparison:
    return RunComparison("now", "base\x1b[2J", (Comparison("all", None, None, difference),), (), 0, 0)


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (WORSE, r"this run is worse than base\x1b[2J by 12 points (95%: 3 to 21, p = 0.004)"),
        (ALIKE, r"no evidence that this run and base\x1b[2J differ: +0 points (95%: -8 to +8, p = 1.00)"),
        (FEW, r"5 tasks are too few to compare this run with base\x1b[2J"),
        (None, None),
    ],
)
def test_a_run_is_compared_with_an_earlier_one(difference: PairedDifference | None, sentence: str | None) -> None:
    assert run_sentence(compared(difference)) == sentence


def test_the_first_model_of_the_command_line_is_the_subject_and_the_worse_ones_flaw_is_named() -> None:
    costly = make_row(PromptType.FLAWED_TOOL_MISUSE, model="b", difference=make_difference(20, 0, 9))
    found = ModelDifference("b", "a", WORSE)
    assert comparison_sentences(make_summary(costly, models=(found,))) == [
        "a is better than b by 12 points (95%: 3 to 21, p = 0.004); tool_misuse costs b most: -45"
    ]


def test_where_tasks_are_too_few_the_sentence_says_what_more_would_show_and_cost() -> None:
    row = make_row(PromptType.OPTIMAL, 5, 10, mean_cost=0.1)
    found = ModelDifference("b", "a", FEW)
    assert comparison_sentences(make_summary(row, models=(found,))) == [
        "5 tasks are too few to compare a with b; 63 tasks would detect 15 points, for about $12.60"
    ]
    (line,) = comparison_sentences(make_summary(models=(msgspec.structs.replace(found, difference=ALIKE),)))
    assert line == "no evidence that a and b differ: +0 points (95%: -8 to +8, p = 1.00)"


def test_of_many_comparisons_ten_are_shown_and_in_brief_those_of_models_alone() -> None:
    many = make_summary(models=tuple(ModelDifference(f"b{n}", "a", WORSE) for n in range(12)))
    assert len(comparison_sentences(many)) == 11
    assert comparison_sentences(many)[-1] == "and 2 more comparisons, which the report shows"
    assert len(comparison_sentences(make_realistic())) == 2
    assert len(comparison_sentences(make_realistic(), is_brief=True)) == 1
