"""The same command gives the same outcomes, case by case, however it is shared out; selection works as ever."""

from __future__ import annotations

import re

import pytest

from tests.run.running import NO_XDIST, TEN, Project

SUITE = "pytest_ultra/suite/test_workflows.py"
FOLLOWER = "--ultra-model=demo/follower"


def test_outcomes_are_the_same_again_and_on_any_number_of_workers(project: Project) -> None:
    two_types = "--ultra-task-type=simple_task,api_integration"
    ways = {"one": NO_XDIST, "again": NO_XDIST, "n0": ("-n0",), "n1": ("-n1",), "n3": ("-n3",)}
    for name, way in ways.items():
        project.run(*way, "--ultra-model=demo", two_types, f"--ultra-json={name}.json")
    one, *others = (project.repeatable(f"{name}.json") for name in ways)
    assert len(one) == 20
    assert len({episode["outcome"] for episode in one.values()}) > 1
    assert all(other == one for other in others)
    assert {episode["worker"] for episode in project.episodes("one.json")} == {"main"}
    assert {episode["worker"] for episode in project.episodes("n3.json")} == {"gw0", "gw1", "gw2"}


def test_what_failed_is_lived_again_by_last_failed(project: Project, extreme: tuple[str, ...]) -> None:
    first = project.run(*extreme, FOLLOWER, TEN, "--junitxml=junit.xml")
    check_junit(project)
    failed = {episode["nodeid"] for episode in project.episodes() if episode["outcome"] != "full"}
    assert 0 < len(failed) < 10
    assert first.ret == pytest.ExitCode.TESTS_FAILED
    again = project.run(*extreme, FOLLOWER, TEN, "--lf")
    assert set(project.repeatable()) == failed == set(project.lives_of_cases())
    again.assert_outcomes(failed=len(failed))


def test_what_failed_is_lived_first_by_failed_first(project: Project) -> None:
    project.run(*NO_XDIST, FOLLOWER, TEN, "--maxfail=2").assert_outcomes(failed=2)
    first = project.run(*NO_XDIST, FOLLOWER, TEN, "--ff", "-v")
    lines = [line for line in first.outlines if "%]" in line]
    assert len(lines) == 10
    assert ["-baseline-" in lines[0], "-cot-" in lines[1]] == [True, True]


def check_junit(project: Project) -> None:
    """Check that each case has small, readable properties."""
    text = (project.path / "junit.xml").read_text()
    cases = text.partition("<testcase ")[2]  # the suite has properties of its own before them
    properties = re.findall(r'<property name="(\w+)" value="([^"]*)"', cases)
    assert max(len(value) for _, value in properties) < 40
    assert [name for name, _ in properties].count("ultra_outcome") == 10
    assert {value for name, value in properties if name == "ultra_outcome"} <= {"full", "partial", "failed"}
    ids = {episode["case_id"] for episode in project.episodes()}
    assert {value for name, value in properties if name == "ultra_case_id"} == ids


ONE_ID = f"{SUITE}::test_workflow[demo/perfect-optimal-simple_task-easy-0]"


@pytest.mark.parametrize(
    ("args", "count"),
    [
        ((*NO_XDIST, "-m", "ultra(prompt_type='optimal')"), 1),
        ((*NO_XDIST, "--deselect", ONE_ID), 9),
        ((*NO_XDIST, f"/an/ide/makes/{ONE_ID}"), 1),
        (("-n2", "-k", "optimal or flawed_tool_misuse"), 2),
        (("-n2", ONE_ID), 1),
    ],
    ids=["m", "deselect", "path", "n2-k", "n2-nodeid"],
)
def test_only_what_is_selected_is_lived(project: Project, args: tuple[str, ...], count: int) -> None:
    result = project.run(*args, "--ultra-model=demo/perfect", TEN)
    assert result.parseoutcomes()["passed"] == count
    assert dict(project.outcomes()) == {"full": count}
    assert len(project.lives()) == count


@pytest.mark.parametrize("args", [(*NO_XDIST, "-q"), ("-n2",)], ids=["no-xdist-q", "n2"])
def test_collecting_only_starts_nothing_and_leaves_nothing(project: Project, args: tuple[str, ...]) -> None:
    result = project.run(*args, "--ultra-model=demo/perfect", TEN, "--collect-only")
    assert result.ret == 0
    lines = [line for line in result.outlines if "test_workflow[demo/perfect-" in line]
    assert len(lines) == 10
    assert "-q" not in args or all(line.startswith(f"{SUITE}::") for line in lines)
    assert not (project.path / ".ultra").exists()
    assert not (project.path / "out.json").exists()
