"""The runs of two jobs, merged, are what one run would have been."""

from __future__ import annotations

import sys

from pytest_ultra.core.axes import TaskType
from tests.run.running import NO_XDIST, Project


def test_two_jobs_merged_are_what_one_would_have_been(project: Project) -> None:
    types = (TaskType.SIMPLE_TASK, TaskType.BASIC_TASK)
    options = (*NO_XDIST, "--ultra-model=demo", "--ultra-prompt-type=optimal,flawed_tool_misuse")
    for name in types:
        project.run(*options, f"--ultra-task-type={name}", f"--ultra-dir=jobs/{name}")
    project.run(*options, f"--ultra-task-type={','.join(types)}", "--ultra-dir=whole")
    command = (sys.executable, "-m", "pytest_ultra")
    assert project.pytester.run(*command, "merge", "jobs").ret == 0
    rescored = project.pytester.run(*command, "rescore", "-o", "merged.json")
    assert rescored.ret == 0, "its workflows are there, and its scores hold"
    assert len(project.episodes("merged.json")) == 4
    assert project.repeatable("merged.json") == project.repeatable()
