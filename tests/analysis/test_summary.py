"""The summary: rates with denominators, paired differences, nothing that depends on order."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.core.axes import PromptType, PromptVariant, Severity
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.figures import Counts, Rate, Row
from tests.results_factory import make_case, make_episode

FULL, PARTIAL, FAILED, ERROR, SKIPPED = Outcome
MISUSE = PromptType.FLAWED_TOOL_MISUSE


def episodes_of(prompt_type: PromptType, *outcomes: Outcome, **axes: Any) -> list[Episode]:
    return [make_episode(make_case(prompt_type, instance=i, **axes), o) for i, o in enumerate(outcomes)]


def results(row: Row) -> tuple[int, int, int] | None:
    """Pairs, won and lost."""
    difference = row.difference
    return None if difference is None else (difference.pairs, difference.won, difference.lost)


def test_a_rate_is_full_over_scored() -> None:
    (row,) = summarize(episodes_of(MISUSE, FULL, PARTIAL, FAILED, ERROR, SKIPPED, FULL)).rows
    assert row.counts == Counts(full=2, partial=1, failed=1, error=1, skipped=1)
    assert (row.counts.scored, row.counts.planned) == (4, 6)
    assert row.success is not None
    assert (row.success.successes, row.success.n, row.success.value) == (2, 4, 0.5)


def test_a_group_without_a_scored_episode_has_no_rate_and_no_means() -> None:
    (row,) = summarize(episodes_of(MISUSE, ERROR, SKIPPED)).rows
    assert (row.success, row.difference, row.mean_calls, row.mean_tokens, row.mean_duration_s) == (None,) * 5
    assert row.counts.planned == 2


def test_differences_are_paired_over_scored_pairs_only() -> None:
    optimal = episodes_of(PromptType.OPTIMAL, FULL, FULL, FAILED, FULL, ERROR)
    flawed = episodes_of(MISUSE, FAILED, FULL, FULL, ERROR, FULL, FULL)
    rows = {row.prompt_type: row for row in summarize(optimal + flawed).rows}
    assert results(rows[MISUSE]) == (3, 1, 1)
    assert rows[PromptType.OPTIMAL].difference is None


def test_points_are_percentage_points_with_a_sign() -> None:
    optimal = episodes_of(PromptType.OPTIMAL, FULL, FULL, FULL, FULL)
    flawed = episodes_of(MISUSE, PARTIAL, FULL, FAILED, FAILED)
    difference = summarize(optimal + flawed).rows[1].difference
    assert difference is not None
    assert (difference.points, difference.pairs) == (-75.0, 4)


@pytest.mark.parametrize(
    "other",
    [
        {"model": "other"},
        {"seed": 1},
        {"tool_success_rate": 0.5},
        {"repeat": 1},
        {"prompt_variant": PromptVariant.BRIEF},
    ],
)
def test_a_control_is_of_the_same_model_task_rate_repeat_and_wording(other: dict[str, Any]) -> None:
    rows = summarize(episodes_of(PromptType.OPTIMAL, FULL) + episodes_of(MISUSE, FAILED, **other)).rows
    assert [row.difference for row in rows] == [None, None]


def test_one_control_serves_all_severities() -> None:
    episodes = episodes_of(PromptType.OPTIMAL, FULL)
    for severity in Severity:
        episodes += episodes_of(MISUSE, FAILED, severity=severity)
    rows = summarize(episodes).rows
    assert [row.severity for row in rows] == [None, *Severity]
    assert [results(row) for row in rows] == [None, *[(1, 0, 1)] * 3]


def test_differences_stay_within_a_prompt_variant() -> None:
    episodes = []
    for variant, control in ((PromptVariant.CANARY, FAILED), (PromptVariant.STANDARD, FULL)):
        episodes += episodes_of(PromptType.OPTIMAL, control, prompt_variant=variant)
        episodes += episodes_of(MISUSE, FAILED, prompt_variant=variant)
    rows = summarize(episodes).rows
    assert [(row.prompt_variant, row.prompt_type) for row in rows] == [
        (variant, prompt_type)
        for variant in (PromptVariant.STANDARD, PromptVariant.CANARY)
        for prompt_type in (PromptType.OPTIMAL, MISUSE)
    ]
    assert [results(row) for row in rows[1::2]] == [(1, 0, 1), (1, 0, 0)]


@pytest.mark.parametrize("part", ["generator_version", "prompt_version", "scorer_version"])
def test_figures_of_different_versions_are_not_mixed(part: str) -> None:
    newer = episodes_of(PromptType.OPTIMAL, FULL, FULL)
    older = [
        msgspec.structs.replace(e, **{part: 0})
        for e in episodes_of(PromptType.OPTIMAL, FAILED) + episodes_of(MISUSE, FULL)
    ]
    summary = summarize(newer + older)
    old, new = summary.versions
    assert (old, new) == (older[0].versions, Versions())
    assert [(row.versions, row.prompt_type, row.counts.planned) for row in summary.rows] == [
        (old, PromptType.OPTIMAL, 1),
        (old, MISUSE, 1),
        (new, PromptType.OPTIMAL, 2),
    ]
    assert results(summary.rows[1]) == (1, 1, 0), "its control has the same versions"
    assert summarize(newer + older[1:]).rows[0].difference is None


def test_variants_and_versions_are_separated_only_if_there_are_several() -> None:
    summary = summarize(episodes_of(MISUSE, FULL, prompt_variant=PromptVariant.CANARY))
    assert [(row.prompt_variant, row.versions) for row in summary.rows] == [(None, None)]
    assert summary.versions == (Versions(),)


def test_severities_and_rates_are_separated_only_if_there_are_several() -> None:
    (row,) = summarize(episodes_of(MISUSE, FULL, severity=Severity.LIGHT)).rows
    assert (row.severity, row.tool_success_rate) == (None, None)
    several = [*episodes_of(MISUSE, FULL, tool_success_rate=0.6), *episodes_of(MISUSE, FULL, tool_success_rate=0.9)]
    assert [row.tool_success_rate for row in summarize(several).rows] == [0.9, 0.6]


def test_means_are_over_scored_episodes() -> None:
    episodes = [
        make_episode(make_case(instance=0), tool_calls=2, prompt_tokens=100, completion_tokens=10, duration_s=1.0),
        make_episode(make_case(instance=1), tool_calls=5, prompt_tokens=200, completion_tokens=20, duration_s=2.0),
        make_episode(make_case(instance=2), ERROR, tool_calls=90, prompt_tokens=9000, duration_s=900.0),
    ]
    (row,) = summarize(episodes).rows
    assert (row.mean_calls, row.mean_tokens, row.mean_duration_s) == (3.5, 165.0, 1.5)


def test_the_order_of_episodes_does_not_matter() -> None:
    chance = random.Random(0)
    episodes = [
        make_episode(
            make_case(prompt_type, model=model, instance=n),
            chance.choice(list(Outcome)),
            duration_s=chance.random(),
            failure_class=chance.choice(list(FailureClass)),
        )
        for model in ("b", "a")
        for prompt_type in PromptType
        for n in range(7)
    ]
    expected = summarize(episodes)
    for _ in range(20):
        chance.shuffle(episodes)
        assert summarize(episodes) == expected


def test_rows_are_sorted_by_model_and_the_order_of_prompt_types() -> None:
    episodes = [make_episode(make_case(p, model=m)) for m in ("b", "a") for p in reversed(PromptType)]
    rows = summarize(episodes).rows
    assert [(row.model, row.prompt_type) for row in rows] == [(m, p) for m in ("a", "b") for p in PromptType]


def test_failure_classes_are_counted_most_frequent_first() -> None:
    classes = [FailureClass.GAVE_UP, FailureClass.ENDPOINT, FailureClass.ENDPOINT, None, FailureClass.DEPENDENCY]
    episodes = [make_episode(make_case(instance=n), FAILED, failure_class=c) for n, c in enumerate(classes)]
    assert summarize(episodes).failure_classes == (
        (FailureClass.ENDPOINT, 2),
        (FailureClass.DEPENDENCY, 1),
        (FailureClass.GAVE_UP, 1),
    )


def test_demo_models_are_recognized_by_their_provider() -> None:
    models = ["demo", "demo/null", "demo?latency=0.1", "demo/perfect?latency=0.1", "demon", "openai/demo", "demo-x"]
    summary = summarize(make_episode(make_case(model=model)) for model in models)
    assert set(summary.demo_models) == set(models[:4])


def test_each_two_models_are_compared_over_the_same_cases() -> None:
    outcomes = {"c": [FULL] * 8, "a": [FULL] * 7 + [ERROR], "b": [FAILED] * 8}
    summary = summarize([e for model, found in outcomes.items() for e in episodes_of(MISUSE, *found, model=model)])
    found = [(m.sample, m.reference, m.difference.pairs, m.difference.points) for m in summary.models]
    assert found == [("b", "a", 7, -100.0), ("c", "a", 7, 0.0), ("c", "b", 8, 100.0)]
    p_values = [math.erfc(math.sqrt(pairs / 2)) for pairs in (7, 8)]
    assert [m.difference.p_adjusted for m in summary.models] == pytest.approx([2 * p_values[0], 1.0, 3 * p_values[1]])
    assert summarize(episodes_of(MISUSE, FULL)).models == ()


def test_models_without_a_case_in_common_are_not_compared() -> None:
    assert summarize(episodes_of(MISUSE, FULL, model="a") + episodes_of(PromptType.COT, FULL, model="b")).models == ()


def test_no_episodes_make_an_empty_summary() -> None:
    summary = summarize([])
    assert (summary.rows, summary.counts, summary.failure_classes) == ((), Counts(), ())


def test_a_rate_knows_its_value() -> None:
    assert Rate(1, 4, 0.0, 1.0).value == 0.25
