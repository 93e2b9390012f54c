"""Comparisons as sentences: what is shown, what is not, and what more tasks would show."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.figures import Comparison, ModelDifference, RunComparison
from pytest_ultra.core.paired_evidence import Evidence, PairedDifference
from pytest_ultra.reporting.comparison_sentences import comparison_sentences, run_sentence
from tests.reporting.test_terminal_summary import make_difference, make_realistic, make_row, make_summary

WORSE = make_difference(100, 5, 17, low=-0.21, high=-0.03, p_value=0.004, detectable=0.15, evidence=Evidence.WORSE)
ALIKE = make_difference(100, 9, 9, low=-0.08, high=0.08, p_value=1.0, detectable=0.15)
FEW = make_difference(5, 1, 2, low=-0.7, high=0.5, p_value=0.56, detectable=0.83, tasks_needed=63)


LOST = make_difference(20, 0, 9)


def costs_of_b(*differences: PairedDifference) -> str:
    """Return what the sentence on `a` and the worse `b` says of the flaws of `b`, which have these differences."""
    flaws = FLAWED_PROMPT_TYPES[1:]
    rows = [make_row(flaw, model="b", difference=lost) for flaw, lost in zip(flaws, differences, strict=False)]
    (sentence,) = comparison_sentences(make_summary(*rows, models=(ModelDifference("b", "a", WORSE),)))
    return sentence.removeprefix("a is better than b by 12 points (95%: 3 to 21, p = 0.004)")


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
    assert costs_of_b(LOST) == "; tool_misuse costs b most: -45"
    assert costs_of_b(LOST, make_difference(20, 0, 7)) == "; tool_misuse costs b most: -45"


def test_flaws_that_cost_the_same_are_named_together_and_those_over_too_few_tasks_are_not() -> None:
    few = make_difference(5, 0, 5, detectable=None)
    assert costs_of_b(few, LOST, LOST) == "; parameter_error and missing_step cost b most: -45 each"
    assert costs_of_b(few, LOST, LOST, LOST) == "; 3 flaws cost b most: -45 each"
    assert costs_of_b(few, few) == ""


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
