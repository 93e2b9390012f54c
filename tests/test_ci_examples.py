"""The examples for CI systems are YAML, cannot be misused by names, and their commands run with a demo model."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "ci"
STARTER = ROOT / "pytest_ultra" / "commands" / "starter_files" / "ultra.yml.txt"
ON_GITHUB = [FOLDER / "github-actions.yml", FOLDER / "pull-request.yml", STARTER]
SMALLER = {
    "-n 2": "-n 0",
    "--ultra-instances 4": "--ultra-instances 1",
    "optimal,flawed": "optimal,flawed_redundant_operations,flawed_tool_misuse",
}
"""What the test replaces in the commands. The follower completes two of three cases of each of the five tasks."""


class Jobs(NamedTuple):
    """The scripts of an example, the variables of a job, and where its runs are in its own folder and in the last."""

    shard: str
    merge: list[str]
    variables: dict[str, str]
    runs: str
    artifact: str


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def on_github() -> Jobs:
    jobs = load(FOLDER / "github-actions.yml")["jobs"]
    (shard,) = [step["run"] for step in jobs["shard"]["steps"] if "pytest --" in step.get("run", "")]
    merge = [step["run"] for step in jobs["results"]["steps"] if "run" in step and "pip" not in step["run"]]
    return Jobs(shard, merge, {"SHARD": "1/3"}, ".ultra", "artifacts/ultra-shard-{number}/.ultra")


def on_gitlab() -> Jobs:
    loaded = load(FOLDER / "gitlab-ci.yml")
    merge = "\n".join(filter(is_needed, loaded["ultra-results"]["script"]))
    variables = {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}
    return Jobs("\n".join(loaded["ultra"]["script"]), [merge], variables, "shards/2", "shards/{number}")


def on_buildkite() -> Jobs:
    shard, merge = (
        "\n".join(line for line in step["commands"] if not line.startswith(("pip ", "buildkite-agent "))).replace(
            "$$", "$"
        )
        for step in load(FOLDER / "buildkite.yml")["steps"]
    )
    merge = "\n".join(filter(is_needed, merge.splitlines()))
    variables = {"BUILDKITE_PARALLEL_JOB": "2", "BUILDKITE_PARALLEL_JOB_COUNT": "3"}
    return Jobs(shard, [merge], variables, "shards/2", "shards/{number}")


def is_needed(line: str) -> bool:
    """Leave out what only shows the merged run, and is run once, as on GitHub."""
    return not line.startswith(("pytest-ultra show", "pytest-ultra report", "pytest-ultra durations"))


def run(folder: Path, script: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as CI systems do, with the demo model in place of a real one."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = os.environ | {"MODEL": "demo/follower", "COLUMNS": "120", "PATH": path} | variables
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environ, capture_output=True, text=True)  # noqa: PLW1510, S603, S607 - our own script


def test_the_commands_of_the_jobs_run(tmp_path: Path) -> None:
    """Each CI system runs one of three shards, because their commands are the same, and joins all of them."""
    systems = {"github": on_github(), "gitlab": on_gitlab(), "buildkite": on_buildkite()}
    for name, jobs in systems.items():
        finished = run(tmp_path / name, smaller(jobs.shard), jobs.variables)
        assert finished.returncode == 0, finished.stdout
    for name, jobs in systems.items():
        results = tmp_path / f"{name}-results"
        for number, (other, of_other) in enumerate(systems.items()):
            shutil.copytree(tmp_path / other / of_other.runs, results / jobs.artifact.format(number=number))
        merged = [run(results, script, {}) for script in jobs.merge]
        assert [each.returncode for each in merged] == [0] * len(jobs.merge), merged[0].stderr
        assert "15 planned: 15 scored (10 full, " in merged[0].stdout
        assert "gate max-errors 2: 0 errors, at most 2: met" in merged[0].stdout


def smaller(script: str) -> str:
    for normal, small in SMALLER.items():
        assert normal in script
        script = script.replace(normal, small)
    return script


@pytest.mark.parametrize("jobs", [on_github(), on_gitlab(), on_buildkite()], ids=["github", "gitlab", "buildkite"])
def test_what_there_is_is_shown_if_shards_are_missing_and_the_job_fails(tmp_path: Path, jobs: Jobs) -> None:
    """The stand-in for the command fails as the command does, unless it is called with `--incomplete`."""
    stand_in = tmp_path / "bin" / "pytest-ultra"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho "$@" >> calls\ncase "$*" in *--incomplete*) exit 1;; esac\nexit 2\n')
    stand_in.chmod(0o755)
    finished = run(tmp_path, jobs.merge[0], {"PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"})
    assert finished.returncode == 2
    first, second = (tmp_path / "calls").read_text().splitlines()
    assert first.startswith("merge ")
    assert "--incomplete" in second


@pytest.mark.parametrize("path", ON_GITHUB, ids=lambda path: path.name)
def test_a_workflow_is_pinned_has_few_permissions_and_puts_no_value_into_a_command(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used)
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            if "upload-artifact@" in step.get("uses", ""):
                assert "matrix.model" not in step["with"]["name"], "the name of a model may have a slash"


def test_every_example_is_yaml_has_a_budget_and_is_named_in_the_docs() -> None:
    page = (ROOT / "docs" / "ci-and-tox.md").read_text()
    for path in sorted(FOLDER.iterdir()):
        assert f"(../examples/ci/{path.name})" in page
        assert load(path)
        assert "--ultra-max-cost 2" in path.read_text()
        assert list(tagged(path)) == []


def tagged(path: Path) -> Iterator[str]:
    """Yield the images and actions that are not pinned to a version."""
    yield from re.findall(r"(?:image|uses): \S+(?::latest|@main|@master)\b", path.read_text())
