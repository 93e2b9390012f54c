"""Oddities: sound and flawed plans have them, and they change nothing of what a plan comes to."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tools.invoke import find_violation
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import FlawedWorkflow
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import referenced_step
from pytest_ultra.flaws.candidate import Candidate
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.oddities import add_oddities, unchanged
from tests.benchmark.agent_runs import make_task

TASK = make_task(TaskKey(TaskType.MULTI_STAGE_PIPELINE, Difficulty.MEDIUM, 0, 0))
OPTIMAL = perfect_plan(TASK)
CONTEXT = TaskContext(TASK)


def is_unflagged(plan: Candidate) -> bool:
    return not lint(plan.workflow, CONTEXT.tools)


def strange_values(task: Task, flawed: FlawedWorkflow) -> list[Json]:
    """The literals of undamaged steps that neither the sound plan nor the words nor a tool's schema lists.

    Where the sound plan has such a literal itself, the words do not show that another is wrong.
    """
    context, optimal = TaskContext(task), perfect_plan(task)
    left_open = {
        (step.call.tool, name)
        for step in optimal.steps
        for name, value in step.call.literals.items()
        if not context.is_named(value)
    }
    known = [value for step in optimal.steps for value in step.call.arguments.values()]
    damaged = {damage.flawed_step for damage in flawed.damages}
    calls = [step.call for number, step in enumerate(flawed.workflow.steps, start=1) if number not in damaged]
    return [
        value
        for call in calls
        for name, value in call.arguments.items()
        if referenced_step(value) is None
        and value not in known
        and (call.tool, name) not in left_open
        and not context.is_named(value)
        and "enum" not in context.tools[call.tool].parameters["properties"].get(name, {})
    ]


@pytest.mark.parametrize("kind", FlawKind)
def test_no_oddity_makes_a_flaw_visible_that_only_the_world_shows(kind: FlawKind) -> None:
    seen = 0
    for task_type, (instance, severity) in product(TaskType, enumerate(Severity)):
        task = make_task(TaskKey(task_type, Difficulty.HARD, instance, 0))
        flawed = inject(TaskContext(task), perfect_plan(task), kind, severity, visibility=Visibility.WORLD)
        assert flawed is not None
        if flawed.visibility is Visibility.WORLD:
            assert strange_values(task, flawed) == []
            seen += 1
    assert seen > 5


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_with_oddities_has_the_same_effects(seed: int) -> None:
    plan = add_oddities(CONTEXT, unchanged(OPTIMAL), Random(seed), is_unflagged)
    assert lint(plan.workflow, CONTEXT.tools) == ()
    assert CONTEXT.rehearse(plan.workflow).effects == CONTEXT.rehearse(OPTIMAL).effects
    assert sorted(number for number in plan.origin if number) == list(range(1, len(OPTIMAL.steps) + 1))


@pytest.mark.parametrize("seed", range(8))
def test_beside_redundant_steps_a_plan_gets_none_but_the_second_try_of_a_delivery(seed: int) -> None:
    plan = add_oddities(CONTEXT, unchanged(OPTIMAL), Random(seed), is_unflagged, beside=FlawKind.REDUNDANT_OPERATIONS)
    second_tries = [step for step in plan.workflow.steps if step.only_if_failed]
    assert len(plan.workflow.steps) - len(second_tries) == len(OPTIMAL.steps)
    assert len(second_tries) <= 1


@pytest.mark.parametrize("kind", [FlawKind.PARAMETER_ERROR, FlawKind.SEMANTIC_DRIFT, FlawKind.TOOL_MISUSE])
def test_oddities_leave_the_damage_as_it_is(kind: FlawKind) -> None:
    for severity in Severity:
        flawed = [
            inject(CONTEXT, OPTIMAL, kind, severity, visibility=Visibility.JOB, with_oddities=with_oddities)
            for with_oddities in (False, True)
        ]
        plain, odd = flawed
        assert plain is not None
        assert odd is not None
        for damage in odd.damages:
            assert damage.flawed_step
            assert damage.optimal_step
            right = OPTIMAL.steps[damage.optimal_step - 1].call
            assert odd.workflow.steps[damage.flawed_step - 1].call != right
        assert len(plain.damages) == len(odd.damages)


@pytest.mark.parametrize("difficulty", [Difficulty.MEDIUM, Difficulty.HARD])
@pytest.mark.parametrize("severity", Severity)
def test_the_arguments_of_a_wrong_tool_fit_its_schema(difficulty: Difficulty, severity: Severity) -> None:
    for task_type in TaskType:
        task = make_task(TaskKey(task_type, difficulty, 1, 0))
        for visibility in (Visibility.JOB, Visibility.WORLD):
            flawed = inject(
                TaskContext(task), perfect_plan(task), FlawKind.TOOL_MISUSE, severity, visibility=visibility
            )
            assert flawed is not None
            if flawed.visibility is not Visibility.PLAN:
                calls = [step.call for step in flawed.workflow.steps]
                assert all(find_violation(call.tool, call.arguments) is None for call in calls)


def test_orders_and_tools_that_only_the_data_show_to_be_wrong_are_found() -> None:
    """At hard, most tasks have a decision whose step can come too late or be done by another tool."""
    for kind in (FlawKind.SEQUENCE_DISORDER, FlawKind.TOOL_MISUSE):
        found = []
        for task_type in TaskType:
            for instance in range(2):
                task = make_task(TaskKey(task_type, Difficulty.HARD, instance, 0))
                optimal = perfect_plan(task)
                found.append(inject(TaskContext(task), optimal, kind, Severity.LIGHT, visibility=Visibility.WORLD))
        assert sum(flawed is not None and flawed.visibility is Visibility.WORLD for flawed in found) > len(found) / 2
