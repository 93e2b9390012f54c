"""The merged runs of two jobs equal one run over all their cases."""

from __future__ import annotations

from pytest_ultra.commands.cli import main
from pytest_ultra.core.axes import TaskType
from tests.run.project import NO_XDIST, Project


def test_two_merged_jobs_equal_one_run(project: Project) -> None:
    types = (TaskType.SIMPLE_TASK, TaskType.BASIC_TASK)
    options = (*NO_XDIST, "--ultra-model=demo", "--ultra-prompt-type=optimal,flawed_tool_misuse")
    for name in types:
        project.run(*options, f"--ultra-task-type={name}", f"--ultra-dir=jobs/{name}")
    project.run(*options, f"--ultra-task-type={','.join(types)}", "--ultra-dir=whole")
    assert main(["merge", "jobs"]) == 0
    assert main(["rescore", "-o", "merged.json"]) == 0, (
        "the merged run has its workflows, and its scores are reproduced"
    )
    assert len(project.episodes("merged.json")) == 4
    assert project.comparable_episodes("merged.json") == project.comparable_episodes()
