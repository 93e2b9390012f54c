"""What reference agents do that do not decide as the perfect one does: without a skill, or with every look-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_ultra.benchmark.decisions import Decision, Skill
from pytest_ultra.benchmark.misreadings import naive_workflow
from pytest_ultra.benchmark.step_milestones import match_steps, on_steps
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.workflow import Call, Step, Workflow, reference

LACKING: Mapping[ReferenceAgent, frozenset[Skill]] = {
    ReferenceAgent.LITERAL: frozenset(Skill),
    ReferenceAgent.NO_LOOK_UP: frozenset({Skill.LOOK_UP}),
    ReferenceAgent.NO_DATA_CHECK: frozenset({Skill.CHECK_DATA}),
    ReferenceAgent.NO_BRANCH: frozenset({Skill.BRANCH}),
    ReferenceAgent.NO_RULES: frozenset({Skill.APPLY_RULE}),
}
"""The skills that agents lack. They have all others, and do not look at the plan."""


def agent_workflows(task: Task, optimal: Workflow, *, has_plan: bool) -> dict[str, Workflow]:
    """Return the workflows of agents that do not follow the optimal one, by the agent's name.

    None of them does anything else where the words leave nothing to be found out.
    """
    if not task.decisions:
        return {}
    workflows = {
        agent.value: naive_workflow(task, [decision for decision in task.decisions if decision.skill in skills])
        for agent, skills in LACKING.items()
    }
    return {**workflows, ReferenceAgent.CAUTIOUS.value: with_look_ups(task, optimal, has_plan=has_plan)}


def with_look_ups(task: Task, workflow: Workflow, *, has_plan: bool) -> Workflow:
    """Return a workflow with the look-ups of the task's decisions, each as soon as it can be made.

    With a plan, the state of the data needs no look-up: the plan cleans them, and the words say that they may be dirty.
    A look-up that is a step of the workflow is not made twice.
    """
    decisions = [decision for decision in task.decisions if not (has_plan and decision.skill is Skill.CHECK_DATA)]
    after: dict[int, list[Call]] = {}
    for place, call in _place_look_ups(task, workflow, decisions):
        after.setdefault(place, []).append(call)
    return _insert(workflow, after)


def _place_look_ups(task: Task, workflow: Workflow, decisions: list[Decision]) -> Iterator[tuple[int, Call]]:
    """Yield the look-ups, each once, with the number of the step after which it can be made (0: at once).

    Their references count the workflow's steps. One about a milestone that no step reaches is left out.
    """
    step_of = match_steps(task, workflow)
    known = [step.call for step in workflow.steps]
    for decision in decisions:
        for look_up in decision.look_ups:
            call = on_steps(look_up, step_of)
            if call is not None and call not in known:
                known.append(call)
                yield max(call.references, default=0), call


def _insert(workflow: Workflow, after: Mapping[int, list[Call]]) -> Workflow:
    steps = [Step(call) for call in after.get(0, ())]
    moved: dict[int, int] = {}
    for number, step in enumerate(workflow.steps, start=1):
        steps.append(_moved_step(step, moved))
        moved[number] = len(steps)
        steps += [Step(_moved_call(call, moved)) for call in after.get(number, ())]
    return Workflow(tuple(steps), None if workflow.answer is None else moved[workflow.answer])


def _moved_step(step: Step, moved: Mapping[int, int]) -> Step:
    fallback = None if step.fallback is None else _moved_call(step.fallback, moved)
    condition = None if step.only_if_failed is None else moved[step.only_if_failed]
    return Step(_moved_call(step.call, moved), fallback, condition)


def _moved_call(call: Call, moved: Mapping[int, int]) -> Call:
    """Return the call with references to the new numbers of steps; one to a later step stays as it is."""
    return call.with_references(lambda number: reference(moved.get(number, number)))
