"""The comparison of a run with an earlier one."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.analysis.run_comparison import compare_runs
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Flip, RunComparison
from tests.results_factory import make_case, make_episode

FULL, PARTIAL, FAILED, ERROR, SKIPPED = Outcome
MISUSE = PromptType.FLAWED_TOOL_MISUSE


def episodes_of(prompt_type: PromptType, *outcomes: Outcome, **axes: Any) -> list[Episode]:
    return [make_episode(make_case(prompt_type, instance=i, **axes), o) for i, o in enumerate(outcomes)]


def groups(comparison: RunComparison) -> dict[str, tuple[int, int, int]]:
    found = {group.group: group.difference for group in comparison.groups}
    return {name: (d.pairs, d.won, d.lost) for name, d in found.items() if d}


def test_runs_are_compared_over_all_cases_by_prompt_type_and_over_all_flawed_ones() -> None:
    old = episodes_of(PromptType.OPTIMAL, FULL, FULL, FAILED) + episodes_of(MISUSE, FULL, FAILED, FULL)
    new = episodes_of(PromptType.OPTIMAL, FULL, FAILED, FULL) + episodes_of(MISUSE, FAILED, PARTIAL, FULL)
    comparison = compare_runs(new, old, names=("new", "old"))
    assert (comparison.sample, comparison.reference) == ("new", "old")
    assert groups(comparison) == {"all": (6, 1, 2), "optimal": (3, 1, 1), "flawed_tool_misuse": (3, 0, 1)} | {
        "flawed": (3, 0, 1)
    }
    overall = comparison.groups[0]
    assert overall.sample is not None
    assert overall.reference is not None
    assert (overall.sample.value, overall.reference.value) == (3 / 6, 4 / 6)


def test_p_values_are_corrected_over_the_prompt_types() -> None:
    old = episodes_of(PromptType.COT, *[FAILED] * 8) + episodes_of(MISUSE, *[FULL] * 9)
    new = episodes_of(PromptType.COT, *[FULL] * 8) + episodes_of(MISUSE, *[FULL] * 9)
    found = {group.group: group.difference for group in compare_runs(new, old).groups}
    cot = found["cot"]
    assert cot is not None
    assert {name: difference and difference.p_adjusted for name, difference in found.items()} == {
        "all": None,
        "flawed": None,
        "cot": 2 * cot.p_value,
        "flawed_tool_misuse": 1.0,
    }


def test_a_flip_is_a_pair_of_which_only_one_is_full() -> None:
    old, new = episodes_of(MISUSE, FULL, FAILED, PARTIAL, FULL), episodes_of(MISUSE, FAILED, PARTIAL, FULL, FULL)
    assert compare_runs(new, old).flips == (
        Flip(new[0].nodeid, new[0].case_id, FULL, FAILED),
        Flip(new[2].nodeid, new[2].case_id, PARTIAL, FULL),
    )


def test_what_only_one_run_has_scored_is_counted_and_not_used() -> None:
    old, new = episodes_of(MISUSE, FULL, FULL, ERROR, ERROR), episodes_of(MISUSE, FULL, SKIPPED, FULL, FULL, FULL)
    comparison = compare_runs(new, old)
    assert groups(comparison)["all"] == (1, 0, 0)
    assert (comparison.only_sample, comparison.only_reference) == (3, 1)


def test_runs_of_one_model_each_are_compared_across_the_models() -> None:
    old, new = episodes_of(MISUSE, FAILED, model="a"), episodes_of(MISUSE, FULL, model="b")
    assert groups(compare_runs(new, old)) == dict.fromkeys(("all", "flawed_tool_misuse", "flawed"), (1, 1, 0))


def test_two_models_pair_whatever_parameters_each_is_asked_with() -> None:
    old = episodes_of(MISUSE, FAILED, model="a", request_parameters='{"seed":1}')
    new = episodes_of(MISUSE, FULL, model="b")
    assert groups(compare_runs(new, old))["all"] == (1, 1, 0)
    assert compare_runs(episodes_of(MISUSE, FULL, model="a"), old).only_sample == 1


def test_several_models_are_compared_each_with_itself() -> None:
    old = episodes_of(MISUSE, FAILED, model="a") + episodes_of(MISUSE, FULL, model="b")
    new = episodes_of(MISUSE, FULL, model="b") + episodes_of(MISUSE, FULL, model="a")
    found = groups(compare_runs(new, old))
    assert (found["all"], found["a"], found["b"]) == ((2, 1, 0), (1, 1, 0), (1, 0, 0))
    one_left = compare_runs(new[:1], old)
    assert "b" not in groups(one_left)
    assert one_left.only_reference == 1


def test_cases_pair_by_all_their_fields_and_versions() -> None:
    old = episodes_of(MISUSE, FULL)
    for other in ({"temperature": 0.5}, {"max_turns": 5}, {"repeat": 1}, {"seed": 4}):
        comparison = compare_runs(episodes_of(MISUSE, FULL, **other), old)
        assert (comparison.only_sample, comparison.only_reference) == (1, 1)
    rescored = [msgspec.structs.replace(episode, scorer_version=99) for episode in old]
    assert compare_runs(rescored, old).only_sample == 1


def test_without_common_cases_the_figures_are_none() -> None:
    (overall,) = compare_runs([], []).groups
    assert (overall.group, overall.sample, overall.reference, overall.difference) == ("all", None, None, None)
