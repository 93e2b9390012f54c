"""Injection on a hand-made job, so small that every kind, severity and visibility is drawn many times in a second."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from msgspec.structs import replace

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task import Action, Milestone
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import FlawKind, Severity, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import FlawedWorkflow
from pytest_ultra.core.workflow import Call, reference, render
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from tests.benchmark.test_recovery import JOB, SINK, TEXT

WORDS = f"Read in.csv and keep the rows whose status is paid. Post them to {SINK} and write them to out.json. How many?"
TASK = replace(JOB, words=WORDS, business="billing.example", period="2027-07")
OPTIMAL = perfect_plan(TASK)
STEPS = len(OPTIMAL.steps)
VISIBILITIES = list(Visibility)
COMBINABLE = {FlawKind.TOOL_MISUSE, FlawKind.PARAMETER_ERROR, FlawKind.LOGICAL_INCONSISTENCY}


def context(instance: int = 0) -> TaskContext:
    key = TaskKey(TASK.key.task_type, TASK.key.difficulty, instance, 0)
    return TaskContext(replace(TASK, key=key))


def make(
    kind: FlawKind,
    severity: Severity = Severity.LIGHT,
    visibility: Visibility | None = None,
    *,
    instance: int = 0,
    flaws: int = 1,
    with_oddities: bool = True,
) -> FlawedWorkflow:
    found = inject(
        context(instance), OPTIMAL, kind, severity, visibility=visibility, flaws=flaws, with_oddities=with_oddities
    )
    assert found is not None
    return found


def added_steps(kind: FlawKind, instances: int) -> list[int]:
    """Return by how many steps plans of different seeds, with a light flaw, are longer than one flaw makes them."""
    change = {FlawKind.MISSING_STEP: -1, FlawKind.REDUNDANT_OPERATIONS: 1}.get(kind, 0)
    return [len(make(kind, instance=instance).workflow.steps) - STEPS - change for instance in range(instances)]


@pytest.mark.parametrize("kind", FlawKind)
def test_a_flaw_has_its_size_its_cost_and_the_visibility_it_is_said_to_have(kind: FlawKind) -> None:
    for severity, wanted in product(Severity, Visibility):
        flawed = make(kind, severity, wanted)
        assert (flawed.kind, flawed.severity, flawed.flaws, flawed.wanted_visibility) == (kind, severity, 1, wanted)
        most = STEPS - 1 if kind is FlawKind.MISSING_STEP else STEPS
        assert len(flawed.damages) == min(severity.damaged_steps(STEPS), most)
        assert {damage.kind for damage in flawed.damages} == {kind}
        assert flawed.visibility in VISIBILITIES[: VISIBILITIES.index(wanted) + 1]
        assert bool(lint(flawed.workflow, context().tools)) is (flawed.visibility is Visibility.PLAN)
        delivers = context().rehearse(flawed.workflow).has_delivered
        assert delivers is (kind is FlawKind.REDUNDANT_OPERATIONS)
        assert flawed == make(kind, severity, wanted), "the same arguments give the same flaw"


COPY = replace(
    TASK,
    words="Copy in.csv to out.csv.",
    milestones=(
        JOB.milestones[0],
        Milestone(Fact.of(FactKind.FILE, "out.csv", TEXT), needs=(0,), is_deliverable=True),
    ),
    actions=(
        JOB.actions[0],
        Action(Call("file_operations_writer", {"path": "out.csv", "data": reference(1)}), (0,), 1),
    ),
)


@pytest.mark.parametrize("kind", FlawKind)
def test_a_severe_flaw_damages_both_steps_of_two_but_leaves_one_of_them(kind: FlawKind) -> None:
    optimal = perfect_plan(COPY)
    assert len(optimal.steps) == 2
    for visibility in Visibility:
        flawed = inject(TaskContext(COPY), optimal, kind, Severity.SEVERE, visibility=visibility)
        if kind in (FlawKind.MISSING_STEP, FlawKind.PARAMETER_ERROR):
            assert flawed is not None
        if flawed is not None:
            assert len(flawed.damages) == (1 if kind is FlawKind.MISSING_STEP else 2)
            assert flawed.workflow.steps


def test_job_is_the_visibility_where_none_is_asked_for() -> None:
    for kind in FlawKind:
        flawed = make(kind)
        assert (flawed.visibility, flawed.wanted_visibility) == (Visibility.JOB, None)
        assert flawed.workflow == make(kind, visibility=Visibility.JOB).workflow


def test_a_visibility_that_a_task_is_too_small_for_becomes_the_next_more_visible_one() -> None:
    """The words of this job name everything, so that hardly anything is left to the world."""
    fallen = Counter((make(kind, severity, Visibility.WORLD).visibility) for kind in FlawKind for severity in Severity)
    assert fallen[Visibility.WORLD]
    assert fallen[Visibility.JOB] > fallen[Visibility.PLAN] > 0


@pytest.mark.parametrize("kind", FlawKind)
def test_a_plan_that_shows_its_flaw_has_no_oddities(kind: FlawKind) -> None:
    for instance in range(10):
        with_oddities, without = (
            make(kind, visibility=Visibility.PLAN, instance=instance, with_oddities=wanted) for wanted in (True, False)
        )
        assert with_oddities == without


def test_some_plans_that_hide_their_flaw_get_steps_as_oddities_and_redundant_ones_a_second_try() -> None:
    added = [number > 0 for number in added_steps(FlawKind.PARAMETER_ERROR, 40)]
    assert 5 <= sum(added) <= 25
    assert set(added_steps(FlawKind.REDUNDANT_OPERATIONS, 40)) == {0, 1}
    plain = (make(FlawKind.PARAMETER_ERROR, instance=instance, with_oddities=False) for instance in range(20))
    assert {len(flawed.workflow.steps) for flawed in plain} == {STEPS}


def test_most_gaps_of_missing_steps_are_filled_with_steps_that_change_nothing() -> None:
    added = added_steps(FlawKind.MISSING_STEP, 60)
    assert sum(number > 0 for number in added) / len(added) >= 0.6
    plain = (make(FlawKind.MISSING_STEP, instance=instance, with_oddities=False) for instance in range(20))
    assert {len(flawed.workflow.steps) for flawed in plain} == {STEPS - 1}


@pytest.mark.parametrize(("kind", "flaws"), list(product(FlawKind, (2, 3))))
def test_further_kinds_damage_one_more_sound_step_each(kind: FlawKind, flaws: int) -> None:
    for instance in range(6):
        found = inject(context(instance), OPTIMAL, kind, Severity.LIGHT, flaws=flaws, with_oddities=False)
        if found is None:
            continue
        first, *others = found.damages
        assert (found.flaws, first.kind, len(others)) == (flaws, kind, flaws - 1)
        kinds = [damage.kind for damage in others]
        assert set(kinds) <= COMBINABLE - {kind}
        assert len(set(kinds)) == len(kinds)
        damaged = [damage.flawed_step for damage in found.damages if damage.flawed_step]
        assert len(set(damaged)) == len(damaged)
        for damage in others:
            assert damage.flawed_step
            assert damage.optimal_step
            if len(found.workflow.steps) == STEPS:
                assert found.workflow.steps[damage.flawed_step - 1] != OPTIMAL.steps[damage.optimal_step - 1]
        assert not context().rehearse(found.workflow).has_delivered
        assert render(found.workflow) != render(OPTIMAL)


def test_a_second_kind_damages_what_is_left_of_a_plan_with_a_missing_step() -> None:
    """The numbers of the optimal plan are kept where those of the plan have moved."""
    moved = 0
    for instance in range(20):
        flawed = inject(context(instance), OPTIMAL, FlawKind.MISSING_STEP, Severity.LIGHT, flaws=2, with_oddities=False)
        if flawed is not None:
            missing, second = flawed.damages
            assert missing.optimal_step
            assert second.optimal_step
            assert second.flawed_step == second.optimal_step - (second.optimal_step > missing.optimal_step)
            moved += second.flawed_step != second.optimal_step
    assert moved
