"""Presets set the axes of the published experiments, and the user's own options override them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_ultra.collection.planned_cases import plan_cases
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, PromptType, Severity, TaskType
from pytest_ultra.options.option_hooks import read_settings
from pytest_ultra.options.option_table import OPTIONS
from pytest_ultra.options.presets import AXES, Preset
from pytest_ultra.options.settings import Settings

EASY, OPTIMAL = (Difficulty.EASY,), (PromptType.OPTIMAL,)

PUBLISHED = {
    Preset.OVERALL: (OPTIMAL, EASY, (0.8,), 1),
    Preset.SIZE: (OPTIMAL, (Difficulty.VERY_EASY, Difficulty.MEDIUM), (0.8,), 2),
    Preset.FLAWED: ((PromptType.OPTIMAL, *FLAWED_PROMPT_TYPES), EASY, (0.8,), 8),
    Preset.RELIABILITY: (OPTIMAL, EASY, (0.9, 0.8, 0.7, 0.6), 4),
    Preset.SENSITIVITY: ((PromptType.BASELINE, PromptType.COT, PromptType.OPTIMAL), EASY, (0.8,), 3),
}
"""The axes of the published experiments, and the number of cells of five task types."""


def settings_of(pytester: pytest.Pytester, *args: str) -> Settings:
    settings = read_settings(pytester.parseconfig("-p", "no:xdist", "--ultra-model=demo", *args))
    assert settings is not None
    return settings


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_sets_the_axes_of_its_experiment(pytester: pytest.Pytester, preset: Preset) -> None:
    settings = settings_of(pytester, f"--ultra-preset={preset}", "--ultra-instances=20")
    prompt_types, difficulties, rates, cells = PUBLISHED[preset]
    assert (settings.preset, settings.overrides) == (preset, ())
    assert settings.prompt_type == prompt_types
    assert settings.difficulty == difficulties
    assert settings.tool_success_rate == rates
    assert (settings.task_type, settings.severity) == (tuple(TaskType), (Severity.SEVERE,))
    assert len(plan_cases(settings)) == cells * 5 * 20


@pytest.mark.parametrize("source", ["command line", "ini"])
def test_the_users_options_override_the_preset_axis_by_axis(pytester: pytest.Pytester, source: str) -> None:
    chosen = {"difficulty": "hard", "prompt_type": "optimal,cot"}
    if source == "ini":
        pytester.makeini("[pytest]\n" + "\n".join(f"ultra_{name} = {value}" for name, value in chosen.items()))
    flags = [f"--ultra-{name.replace('_', '-')}={value}" for name, value in chosen.items()] if source != "ini" else []
    settings = settings_of(pytester, "--ultra-preset=size", *flags)
    assert settings.difficulty == (Difficulty.HARD,)
    assert settings.prompt_type == (PromptType.OPTIMAL, PromptType.COT)
    assert settings.tool_success_rate == (0.8,)
    assert settings.overrides == ("--ultra-prompt-type", "--ultra-difficulty")


def test_the_command_line_overrides_a_preset_of_the_ini_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nultra_preset = size")
    assert settings_of(pytester).difficulty == (Difficulty.VERY_EASY, Difficulty.MEDIUM)
    assert settings_of(pytester, "--ultra-preset=flawed").difficulty == EASY


def test_choosing_the_presets_own_value_is_not_an_override(pytester: pytest.Pytester) -> None:
    args = ("--ultra-preset=reliability", "--ultra-difficulty=easy", "--ultra-repeats=3", "--ultra-seed=7")
    settings = settings_of(pytester, *args)
    assert (settings.overrides, settings.repeats, settings.seed) == ((), 3, 7)


def test_presets_leave_instances_and_models_to_the_user() -> None:
    names = {option.name for option in OPTIONS}
    for axes in AXES.values():
        assert axes.keys() <= names - {"model", "instances", "repeats", "seed"}


def test_an_unknown_preset_is_a_usage_error(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    result = pytester.runpytest(*way, "--ultra-model=demo", "--ultra-preset=falwed")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    expected = f"'falwed' is not valid; choose from {', '.join(Preset)} (did you mean 'flawed'?)"
    assert f"ERROR: --ultra-preset: {expected}" in result.errlines


def test_the_header_and_run_json_name_the_preset(pytester: pytest.Pytester, way_on_off: tuple[str, ...]) -> None:
    args = ("--ultra-model=demo/perfect", "--ultra-preset=overall", "--ultra-task-type=simple_task")
    result = pytester.runpytest(*way_on_off, *args)
    result.assert_outcomes(passed=1)
    assert "ultra: preset overall, overridden by --ultra-task-type" in result.outlines
    (run,) = pytester.path.glob(".ultra/runs/*/run.json")
    assert '"preset": "overall"' in run.read_text()


def test_ids_distinguish_the_values_of_a_preset(collect: Callable[..., list[str]]) -> None:
    found = collect("--ultra-preset=reliability", model="demo")
    assert len(found) == 20
    assert found[0].endswith("[demo-optimal-simple_task-easy-0.9-0]")
