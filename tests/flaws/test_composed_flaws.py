"""Flaws of several kinds: what each damages, and that the whole is proved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import Difficulty, FlawKind, PromptType, Severity, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import FlawedWorkflow
from pytest_ultra.core.workflow import render
from pytest_ultra.flaws.injection import inject
from tests.benchmark.agent_runs import make_case, make_task

COMBINABLE = {FlawKind.TOOL_MISUSE, FlawKind.PARAMETER_ERROR, FlawKind.LOGICAL_INCONSISTENCY}


def composed(kind: FlawKind, flaws: int = 2) -> Iterator[tuple[Task, FlawedWorkflow]]:
    for task_type in (TaskType.DATA_PIPELINE, TaskType.MULTI_STAGE_PIPELINE):
        for instance in range(3):
            task = make_task(TaskKey(task_type, Difficulty.HARD, instance, 0))
            context, optimal = TaskContext(task), perfect_plan(task)
            flawed = inject(context, optimal, kind, Severity.LIGHT, flaws=flaws, with_oddities=False)
            if flawed is not None:
                yield task, flawed


@pytest.mark.parametrize("kind", FlawKind)
def test_each_further_kind_damages_one_more_sound_step(kind: FlawKind) -> None:
    found = list(composed(kind))
    assert found
    for task, flawed in found:
        optimal = perfect_plan(task)
        first, second = flawed.damages
        assert (flawed.kind, flawed.flaws, first.kind) == (kind, 2, kind)
        assert second.kind in COMBINABLE - {kind}
        assert second.flawed_step is not None
        assert second.flawed_step != first.flawed_step
        assert second.optimal_step is not None
        damaged = flawed.workflow.steps[second.flawed_step - 1]
        assert render(flawed.workflow) != render(optimal)
        # after a bypass in another order, the number of the input can be by chance the one that it had
        assert damaged != optimal.steps[second.optimal_step - 1] or second.way == "bypass"
        assert not TaskContext(task).rehearse(flawed.workflow).has_delivered


def test_three_kinds_damage_three_steps() -> None:
    found = list(composed(FlawKind.REDUNDANT_OPERATIONS, flaws=3))
    assert found
    for _, flawed in found:
        assert len({damage.kind for damage in flawed.damages}) == 3
        assert len({damage.flawed_step for damage in flawed.damages}) == 3


def test_a_cases_flaw_is_the_one_of_its_number_of_kinds() -> None:
    case = make_case(PromptType.FLAWED_PARAMETER_ERROR, TaskType.DATA_PIPELINE, severity=Severity.LIGHT)
    guidance = make_guidance(case)
    kind, severity = FlawKind.PARAMETER_ERROR, Severity.LIGHT
    assert guidance.flawed == inject(TaskContext(guidance.task), guidance.optimal, kind, severity)
    assert guidance.flawed != inject(TaskContext(guidance.task), guidance.optimal, kind, severity, flaws=2)
