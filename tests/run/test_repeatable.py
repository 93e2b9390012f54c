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
    first = project.run(*extreme, FOLLOWER, TEN)
    failed = {episode["nodeid"] for episode in project.episodes() if episode["outcome"] != "full"}
    assert 0 < len(failed) < 10
    assert first.ret == pytest.ExitCode.TESTS_FAILED
    again = project.run(*extreme, FOLLOWER, TEN, "--lf")
    assert set(project.repeatable()) == failed == set(project.lives_of_cases())
    again.assert_outcomes(failed=len(failed))
    project.run(*extreme, FOLLOWER, TEN, "--ff").assert_outcomes(failed=len(failed), passed=10 - len(failed))
    assert len(project.lives()) == 10


def test_stepwise_goes_on_from_the_failure(project: Project, extreme: tuple[str, ...]) -> None:
    project.run(*extreme, FOLLOWER, TEN, "--sw")
    again = project.run(*extreme, "--ultra-model=demo/follower", TEN, "--sw", "--sw-skip")
    counts = again.parseoutcomes()
    assert counts.get("failed") or counts.get("passed")
    assert "INTERNALERROR" not in again.stdout.str()


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (("-k", "optimal or flawed_tool_misuse"), 2),
        (("-m", "ultra(prompt_type='optimal')"), 1),
        (("--deselect", f"{SUITE}::test_workflow[demo/perfect-optimal-simple_task-easy-0]"), 9),
        ((f"{SUITE}::test_workflow[demo/perfect-optimal-simple_task-easy-0]",), 1),
        ((f"/an/ide/makes/{SUITE}::test_workflow[demo/perfect-optimal-simple_task-easy-0]",), 1),
    ],
    ids=["k", "m", "deselect", "nodeid", "path"],
)
def test_only_what_is_selected_is_lived(
    project: Project, extreme: tuple[str, ...], args: tuple[str, ...], count: int
) -> None:
    project.run(*extreme, "--ultra-model=demo/perfect", TEN, *args).assert_outcomes(
        passed=count, deselected=0 if "-n2" in extreme or "::" in args[0] else 10 - count
    )
    assert dict(project.outcomes()) == {"full": count}
    assert len(project.lives()) == count


@pytest.mark.parametrize("quiet", [(), ("-q",)], ids=["loud", "quiet"])
def test_collecting_only_starts_nothing_and_leaves_nothing(
    project: Project, extreme: tuple[str, ...], quiet: tuple[str, ...]
) -> None:
    result = project.run(*extreme, "--ultra-model=demo/perfect", TEN, "--collect-only", *quiet)
    assert result.ret == 0
    lines = [line for line in result.outlines if "test_workflow[demo/perfect-" in line]
    assert len(lines) == 10
    assert not quiet or all(line.startswith(f"{SUITE}::") for line in lines)
    assert not (project.path / ".ultra").exists()
    assert not (project.path / "out.json").exists()


def test_junit_has_small_readable_properties(project: Project, extreme: tuple[str, ...]) -> None:
    project.run(*extreme, FOLLOWER, TEN, "--junitxml=junit.xml")
    text = (project.path / "junit.xml").read_text()
    properties = re.findall(r'<property name="(\w+)" value="([^"]*)"', text)
    assert len(properties) == 20
    assert {name for name, _ in properties} == {"ultra_case_id", "ultra_outcome"}
    assert {value for name, value in properties if name == "ultra_outcome"} <= {"full", "partial", "failed"}
    ids = {episode["case_id"] for episode in project.episodes()}
    assert {value for name, value in properties if name == "ultra_case_id"} == ids
