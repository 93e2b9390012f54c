"""The same command gives each case the same outcome on any number of workers; selection of cases works as usual."""

from __future__ import annotations

import re

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project

SUITE = "pytest_ultra/suite/test_workflows.py"
FOLLOWER = "--ultra-model=demo/follower"


def test_outcomes_are_the_same_in_a_second_run_and_on_any_number_of_workers(project: Project) -> None:
    task_types = "--ultra-task-type=simple_task,api_integration"
    modes = {"one": NO_XDIST, "n3": ("-n3",)}  # each in a process with its own hash seed
    for name, xdist_mode in modes.items():
        project.run_in_own_process(*xdist_mode, "--ultra-model=demo", task_types, f"--ultra-json={name}.json")
    one, three = (project.comparable_episodes(f"{name}.json") for name in modes)
    assert len(one) == 20
    assert len({episode["outcome"] for episode in one.values()}) > 1
    assert three == one
    assert {episode["worker"] for episode in project.episodes("one.json")} == {"main"}
    assert {episode["worker"] for episode in project.episodes("n3.json")} == {"gw0", "gw1", "gw2"}


def test_last_failed_runs_only_the_failed_cases(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    junit = ("--junitxml=junit.xml", "--ultra-junit-properties=testcase")
    first = project.run(*xdist_on_off, FOLLOWER, TEN_CASES, *junit)
    check_junit(project)
    failed = {episode["nodeid"] for episode in project.episodes() if episode["outcome"] != "full"}
    assert 0 < len(failed) < 10
    assert first.ret == pytest.ExitCode.TESTS_FAILED
    again = project.run(*xdist_on_off, FOLLOWER, TEN_CASES, "--lf")
    assert set(project.comparable_episodes()) == failed == set(project.episode_counts())
    again.assert_outcomes(failed=len(failed))


def test_failed_first_runs_the_failed_cases_first(project: Project) -> None:
    project.run(*NO_XDIST, FOLLOWER, TEN_CASES, "--maxfail=2").assert_outcomes(failed=2)
    first = project.run(*NO_XDIST, FOLLOWER, TEN_CASES, "--ff", "-v")
    lines = [line for line in first.outlines if "%]" in line]
    assert len(lines) == 10
    assert ["-baseline-" in lines[0], "-cot-" in lines[1]] == [True, True]


def check_junit(project: Project) -> None:
    """Check that each case has small, readable properties."""
    text = (project.path / "junit.xml").read_text()
    cases = text.partition("<testcase ")[2]  # skips the properties of the suite
    properties = re.findall(r'<property name="(\w+)" value="([^"]*)"', cases)
    assert max(len(value) for _, value in properties) < 40
    assert [name for name, _ in properties].count("ultra_outcome") == 10
    assert {value for name, value in properties if name == "ultra_outcome"} <= {"full", "partial", "failed"}
    ids = {episode["case_id"] for episode in project.episodes()}
    assert {value for name, value in properties if name == "ultra_case_id"} == ids


ONE_NODEID = f"{SUITE}::test_workflow[demo/perfect-optimal-simple_task-easy-0]"


@pytest.mark.parametrize(
    ("args", "count"),
    [
        ((*NO_XDIST, "-m", "ultra(prompt_type='optimal')"), 1),
        ((*NO_XDIST, "--deselect", ONE_NODEID), 9),
        ((*NO_XDIST, f"/an/ide/makes/{ONE_NODEID}"), 1),
        (("-n2", "-k", "optimal or flawed_tool_misuse"), 2),
        (("-n2", ONE_NODEID), 1),
    ],
    ids=["m", "deselect", "path", "n2-k", "n2-nodeid"],
)
def test_only_selected_cases_are_run(project: Project, args: tuple[str, ...], count: int) -> None:
    result = project.run(*args, "--ultra-model=demo/perfect", TEN_CASES)
    assert result.parseoutcomes()["passed"] == count
    assert dict(project.outcomes()) == {"full": count}
    assert len(project.journaled_episodes()) == count


@pytest.mark.parametrize("args", [(*NO_XDIST, "-q"), ("-n2",)], ids=["no-xdist-q", "n2"])
def test_collect_only_starts_nothing_and_leaves_no_files(project: Project, args: tuple[str, ...]) -> None:
    result = project.run(*args, "--ultra-model=demo/perfect", TEN_CASES, "--collect-only")
    assert result.ret == 0
    lines = [line for line in result.outlines if "test_workflow[demo/perfect-" in line]
    assert len(lines) == 10
    assert "-q" not in args or all(line.startswith(f"{SUITE}::") for line in lines)
    assert not (project.path / ".ultra").exists()
    assert not (project.path / "out.json").exists()
