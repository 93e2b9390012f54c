"""The README is correct: its commands are those of CI, and its output is what a run prints."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def pytest_arguments(command: str) -> list[str]:
    """Return the arguments of the pytest call at the end of a shell command."""
    return shlex.split(command.rpartition("&&")[2])[1:]


def shape(line: str) -> str:
    """Remove what differs between runs or with the width of figures: numbers, spaces, progress, rules."""
    if re.fullmatch(r"[.FE]+ +\[ *\d+%\]", line):
        return "progress"
    return re.sub(r"[-+=.\d,TZ%]*\d[-+=.\d,TZ%]*|={2,}|-{2,}|\s+", " ", line).strip()


def test_the_last_command_of_ci_is_the_one_of_the_readme() -> None:
    tests = blocks("bash")[2].strip()
    script = (ROOT / ".ci" / "run").read_text().strip().splitlines()
    assert script[-1] == tests


def test_ci_checks_lint_and_types_before_the_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    for command in ("ruff format --check .", "ruff check .", "mypy\n"):
        assert f"\n.venv-checks/bin/{command}" in script


@pytest.mark.parametrize(("command", "output", "exit_code"), [(0, 0, 0), (1, 1, 1)], ids=["perfect", "follower"])
def test_the_quoted_output_is_what_a_run_prints(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, command: int, output: int, exit_code: int
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = pytester.runpytest_subprocess(*pytest_arguments(blocks("bash")[command]))
    assert result.ret == exit_code
    printed = iter(map(shape, result.outlines))
    for quoted in blocks("text")[output].splitlines():
        assert quoted == "..." or shape(quoted) in printed, f"not printed, or in another order: {quoted!r}"


def test_the_quoted_plan_is_what_the_command_prints(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none is needed for a plan")
    command = next(line for line in "".join(blocks("bash")).splitlines() if line.endswith("--ultra-plan"))
    printed = pytester.runpytest_inprocess(*pytest_arguments(command)).outlines
    assert blocks("text")[2].splitlines() == [line for line in printed if line in blocks("text")[2].splitlines()]


def test_a_run_in_a_checkout_needs_no_package_of_the_tests() -> None:
    """Pytest loads the conftest files of a checkout for the README's first command too."""
    code = "import sys; sys.modules['hypothesis'] = None; import conftest, tests.conftest"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)  # noqa: S603 - our own code
