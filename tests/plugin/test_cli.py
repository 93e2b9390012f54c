"""The `pytest-ultra` command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pytest_ultra import __version__
from pytest_ultra.core.axes import PromptVariant

COMMAND = Path(sys.executable).with_name("pytest-ultra")  # not by PATH: the environment need not be activated


@pytest.mark.parametrize("args", [(), ("--help",)])
def test_the_help_shows_how_to_start_a_run(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    result = pytester.run(COMMAND, *args)
    assert result.ret == 0
    result.stdout.fnmatch_lines("A run is started by pytest: pytest --ultra-model demo -n 3.*")


def test_the_version_is_printed_and_the_module_can_be_run(pytester: pytest.Pytester) -> None:
    assert pytester.runpython_c("import pytest_ultra.__main__").ret == 0
    assert pytester.run(COMMAND, "--version").outlines == [f"pytest-ultra {__version__}"]


def test_an_unknown_argument_is_an_error(pytester: pytest.Pytester) -> None:
    result = pytester.run(COMMAND, "--reprot")
    assert result.ret == 2
    result.stderr.fnmatch_lines("pytest-ultra: error: unrecognized arguments: --reprot")


def test_an_unknown_argument_is_no_command_to_a_terminal_or_to_github(pytester: pytest.Pytester) -> None:
    result = pytester.run(COMMAND, "export", "a-run", "b\x1b[2J ##[error]c")
    assert result.ret == 2
    result.stderr.fnmatch_lines(r"pytest-ultra: error: unrecognized arguments: b\x1b[[]2J \x23#[[]error]c")


def test_an_unknown_command_is_an_error_that_lists_the_known_ones(pytester: pytest.Pytester) -> None:
    result = pytester.run(COMMAND, "resocre")
    assert result.ret == 2
    message = "pytest-ultra: error: argument COMMAND: invalid choice: 'resocre' (choose from *rescore*)"
    result.stderr.fnmatch_lines(message)


@pytest.mark.parametrize(
    "args",
    [("-p", "no:xdist"), ("-n2", "--ultra-tool-protocol=text", "--ultra-tool-discovery=on")],
    ids=["no-xdist-usual", "n2-text"],
)
def test_rescoring_a_run_gives_the_same_scores(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    axes = (
        "--ultra-prompt-type=optimal,flawed_tool_misuse",
        "--ultra-task-type=simple_task",
        "--ultra-flaws-per-case=2",
    )
    models = ("--ultra-model=demo/perfect,demo/follower", "--ultra-prompt-variant=all")
    pytester.runpytest(*axes, *models, *args, "--ultra-json=run.json").assert_outcomes(passed=12, failed=4)
    result = pytester.run(COMMAND, "rescore", "-o", "rescored.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines("run *: 16 episodes, 0 scores changed")
    original, rescored = (json.loads((pytester.path / name).read_text()) for name in ("run.json", "rescored.json"))
    by_case = {episode["case_id"]: episode for episode in original["episodes"]}
    assert by_case == {episode["case_id"]: episode for episode in rescored["episodes"]}
    assert {
        variant: len([e for e in by_case.values() if e["prompt_variant"] == variant]) for variant in PromptVariant
    } == (dict.fromkeys(PromptVariant, 4))
