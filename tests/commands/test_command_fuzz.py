"""Commands on a run with damaged files: whatever they hold, a result or one error that names what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.commands.cli import main
from pytest_ultra.core.axes import PromptType
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd
from tests.benchmark import agent_runs
from tests.fuzzing import damage, fuzz
from tests.results_factory import make_episode
from tests.storage.stored_runs import STARTED_AT, make_run

CASES = [agent_runs.make_case(PromptType.FLAWED_TOOL_MISUSE), agent_runs.make_case(PromptType.OPTIMAL)]
DESCRIBED: dict[str, Any] = {
    "pytest_ultra": "0.9.0",
    "python": "3.11.2",
    "versions": {"generator": 1, "prompts": 1, "scorer": 1},
    "options": {
        "model": ["demo"],
        "prompt_type": ["optimal", "flawed_tool_misuse"],
        "task_type": ["simple_task"],
        "difficulty": ["easy"],
        "severity": ["severe"],
        "prompt_variant": ["default"],
        "tool_success_rate": [0.8],
        "instances": 1,
        "repeats": 1,
        "seed": 0,
        "fail_under": {"all": 0.5},
        "gate_on": "rate",
    },
    "shard": {"number": 1, "of": 1, "cases": 2, "all_cases": 2, "matrix": "c0ffee", "selection": ["-k x"]},
    "models": [{"name": "demo", "hosts": ["a"], "parameters": {"temperature": 0.5}}],
    "git": {"commit": "c0ffee", "is_dirty": True},
    "command": ["-n2"],
}
FILES = ("run.json", "plan.json", "ended.json", "journal-gw0.jsonl", "guidance")
COMMANDS = (
    *(("runs",), ("runs", "--json"), ("show",), ("show", CASES[0].case_id), ("show", CASES[0].case_id, "--prompt")),
    *(("compare", "latest", "latest"), ("compare", "latest", "latest", "--json"), ("baseline", "-o", "base.json")),
    *(("merge", ".ultra", "-o", "merged"), ("merge", ".ultra", "-o", "merged", "--incomplete"), ("rescore",)),
    *(("report", "-o", "report.html"), ("export",), ("export", "--format", "csv"), ("store", "rebuild")),
    *(("export", "--format", "inspect", "-o", "inspect.eval"), ("durations", "-o", "times.json")),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunDirectory]:
    folder, before = tmp_path_factory.mktemp("commands"), Path.cwd()
    os.chdir(folder)
    run = make_run(Path(".ultra"), map(make_episode, CASES), described=DESCRIBED, run_end=RunEnd(0, STARTED_AT + 9))
    GuidanceCache(run.guidance, BENCHMARK.task_type).fill(CASES, BENCHMARK.make_guidance)
    yield run
    os.chdir(before)


@fuzz(40)
@given(name=st.sampled_from(FILES), data=st.data())
def test_no_damaged_file_of_a_run_is_unexpected(
    run: RunDirectory, name: str, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """Damage one file, and run some commands."""
    path = next(run.guidance.glob("*.json")) if name == "guidance" else run.path / name
    valid = path.read_bytes()
    path.write_bytes(damage(valid, data))
    try:
        for command in data.draw(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=3)):
            assert main(command) in (0, 1, 2)
            assert "report a bug" not in capsys.readouterr().err, command
    finally:
        path.write_bytes(valid)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_accepts_the_undamaged_run(
    run: RunDirectory, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.run_id
    assert main(command) in (0, 1), capsys.readouterr().err
