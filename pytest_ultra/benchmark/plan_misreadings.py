"""What a plan looks like where a decision of the job was taken without looking at the world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.flaws.plan_context import PlanMisreading, StepChange


def find_misreadings(task: Task, workflow: Workflow) -> Sequence[PlanMisreading]:
    """Return the misreadings of the task's decisions, in terms of the steps of a workflow."""
    return tuple(_taken_paths(task, workflow))


def _taken_paths(task: Task, workflow: Workflow) -> Iterator[PlanMisreading]:
    """Yield a write to the file that the job names first, where that is there already and must stay as it is."""
    for number, step in enumerate(workflow.steps, start=1):
        path = str(step.call.arguments.get("path", ""))
        stem, new, suffix = path.rpartition("_new.")
        taken = f"{stem}.{suffix}"
        if new and taken in task.world.files and taken in task.words:
            change = StepChange(number, "path", taken)
            yield PlanMisreading(f"is there a file {taken} already?", (change,), is_branch=True)
