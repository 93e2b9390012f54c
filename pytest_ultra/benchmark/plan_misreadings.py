"""What a plan looks like where a decision of the job was taken without looking at the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ultra.benchmark.decisions import Decision, Misreading, Skill
from pytest_ultra.benchmark.step_milestones import match_steps, on_steps
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.flaws.plan_context import PlanMisreading, StepChange


def find_misreadings(task: Task, workflow: Workflow) -> Sequence[PlanMisreading]:
    """Return the misreadings of the task's decisions, in terms of the steps of a workflow.

    A misreading about a milestone that no step of the workflow reaches is left out.
    """
    step_of = match_steps(task, workflow)
    found = (
        _translate(decision, misreading, step_of) for decision in task.decisions for misreading in decision.misreadings
    )
    return (*filter(None, found), *_sessions(task, workflow))


def find_look_ups(task: Task, workflow: Workflow) -> Sequence[Call]:
    """Return the calls that reveal what the job's decisions turn on, in terms of the steps of a workflow."""
    step_of = match_steps(task, workflow)
    calls = [on_steps(call, step_of) for decision in task.decisions for call in decision.look_ups]
    return [call for call in calls if call is not None]


def decided_steps(task: Task, workflow: Workflow) -> Mapping[int, Skill]:
    """Return the steps, by number, that somebody who does not look leaves out, each with the skill it takes to look."""
    step_of = match_steps(task, workflow)
    return {
        step_of[milestone]: decision.skill
        for decision in task.decisions
        if decision.skill is not Skill.BRANCH
        for misreading in decision.misreadings
        for milestone in misreading.dropped
        if milestone in step_of and not misreading.added
    }


def _translate(decision: Decision, misreading: Misreading, step_of: Mapping[int, int]) -> PlanMisreading | None:
    added = [on_steps(call, step_of) for call in misreading.added]
    touched = [*(change.milestone for change in misreading.changes), *misreading.dropped]
    if None in added or any(milestone not in step_of for milestone in touched):
        return None
    return PlanMisreading(
        decision.question,
        tuple(StepChange(step_of[change.milestone], change.argument, change.value) for change in misreading.changes),
        tuple(sorted(step_of[milestone] for milestone in misreading.dropped)),
        tuple(Step(call) for call in added if call is not None),
        is_branch=decision.skill is Skill.BRANCH,
    )


def _sessions(task: Task, workflow: Workflow) -> Iterator[PlanMisreading]:
    """Yield the sessions that the words do not ask for: only the service itself says that it wants one."""
    for number, step in enumerate(workflow.steps, start=1):
        service = step.call.arguments.get("service")
        if step.call.tool == "integration_authenticator" and str(service) not in task.words:
            yield PlanMisreading(f"is a session with {service} needed?", dropped=(number,))
