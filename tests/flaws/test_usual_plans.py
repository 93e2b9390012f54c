"""What sound plans have: damage and oddities are drawn as often as they have it."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.careless_calls import careless_calls
from pytest_ultra.benchmark.idle_calls import idle_calls
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tools.invoke import find_violation, invoke
from pytest_ultra.benchmark.usual_calls import commonness, tool_commonness
from pytest_ultra.benchmark.usual_order import put_in_usual_order
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.json_types import Row
from pytest_ultra.core.workflow import Call, Workflow
from pytest_ultra.flaws.candidate import Draw, draw_usual, draw_weighted, is_as_usual
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.proof import adds_strange_literals
from pytest_ultra.flaws.redundant_operations import Extra, add_steps
from tests.benchmark.agent_runs import make_task

TASKS = [make_task(TaskKey(task_type, Difficulty.HARD, 0, 0)) for task_type in TaskType]
REQUIRED = Call("data_processing_validator", {"data": "data_1", "field": "cost", "rule": "required"})
POSITIVE = Call("data_processing_validator", {"data": "data_1", "field": "cost", "rule": "positive"})

rows = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["fig", " Fig", "plum", "rye", ""]), "cost": st.integers(-3, 9) | st.none()}
    ),
    min_size=1,
    max_size=8,
)


@given(st.lists(st.sampled_from([0.0, 0.5, 3.0]), min_size=1).filter(any), st.integers())
def test_what_has_no_weight_is_never_drawn(weights: list[float], seed: int) -> None:
    assert weights[draw_weighted(weights, Random(seed))] > 0


def test_calls_are_drawn_as_often_as_sound_plans_have_them() -> None:
    context, chance = TaskContext(TASKS[0]), Random(1)
    drawn = Counter(draw_usual(context, [POSITIVE, REQUIRED], chance) for _ in range(200))
    assert commonness(REQUIRED) > 100 * commonness(POSITIVE)
    assert drawn[1] > 190


def test_a_common_call_may_always_take_the_place_of_a_rare_one_and_seldom_the_other_way_round() -> None:
    draw = Draw(TaskContext(TASKS[0]), Visibility.JOB, Random(1))
    assert all(is_as_usual(draw, POSITIVE, REQUIRED) for _ in range(50))
    assert sum(is_as_usual(draw, REQUIRED, POSITIVE) for _ in range(200)) < 10


def test_the_table_of_calls_knows_those_of_sound_plans() -> None:
    """It was counted on other tasks. What it lacks is drawn too seldom, and shows."""
    calls = [step.call for task in TASKS for step in perfect_plan(task).steps]
    known = [call for call in calls if commonness(call) >= 1]
    assert len(known) >= 0.95 * len(calls)
    assert all(tool_commonness(call.tool) >= commonness(call) for call in calls)
    assert tool_commonness("no_such_tool") < 1


def sort_rows(table: list[Row]) -> list[Row]:
    return sorted(table, key=lambda row: [str(cell) for cell in row.values()])


@given(rows, rows)
def test_an_idle_call_keeps_all_rows_as_they_are(table: list[Row], before: list[Row]) -> None:
    world = World(artefacts={"data_1": table})
    for call in idle_calls(table, [*before, *table], "data_1"):
        after, result = invoke(world, call.tool, call.arguments)
        assert result.is_success, call
        made = after.artefacts[str(result.handle)]
        assert isinstance(made, list)
        assert sort_rows(made) == sort_rows(table), call


@given(rows, st.sampled_from(["kind", "cost"]))
def test_a_careless_call_is_of_another_tool_and_fits_its_schema(table: list[Row], field: str) -> None:
    call = Call("data_processing_validator", {"data": "data_1", "field": field, "rule": "unique"})
    for careless in careless_calls(call, table):
        assert careless.tool != call.tool
        assert find_violation(careless.tool, careless.arguments) is None


def test_the_usual_order_has_every_step_and_no_finding() -> None:
    for task in TASKS:
        context, plan = TaskContext(task), perfect_plan(task)
        ordered = put_in_usual_order(plan, context.tools)
        assert not lint(ordered, context.tools)
        assert Counter(step.call.tool for step in ordered.steps) == Counter(step.call.tool for step in plan.steps)


def test_few_disorders_are_undone_by_the_usual_order() -> None:
    undone = []
    for task in TASKS:
        context, optimal = TaskContext(task), perfect_plan(task)
        for severity in Severity:
            flawed = inject(context, optimal, FlawKind.SEQUENCE_DISORDER, severity)
            assert flawed is not None
            if flawed.visibility is Visibility.JOB:
                undone.append(context.rehearse(context.in_usual_order(flawed.workflow)).has_delivered)
    assert len(undone) > 5
    assert sum(undone) < len(undone) / 2


def add_filter(plan: Workflow, value: str) -> Workflow:
    call = Call(
        "data_processing_filter", {"data": "<output of step 1>", "field": "x", "operator": "ne", "value": value}
    )
    return add_steps(plan, [Extra("idle_step", 1, call, passes_on=True)]).workflow


def test_an_added_literal_is_strange_unless_the_sound_plan_has_others_that_the_words_do_not_name() -> None:
    task = TASKS[0]
    context = TaskContext(task)
    source = perfect_plan(task).steps[0]
    plain = Workflow((source,))
    assert adds_strange_literals(context, plain, add_filter(plain, "nowhere"))
    named = task.words.split()[0]
    unnamed = add_filter(plain, "elsewhere")
    assert not adds_strange_literals(context, plain, plain)
    assert adds_strange_literals(context, plain, add_filter(plain, named))  # the field is strange
    assert not adds_strange_literals(context, unnamed, add_filter(unnamed, "nowhere"))
