"""Flaws: each shows, each hurts, each damages as many steps as its severity says, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import ceil

import msgspec
import pytest

from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.prompts import opening, plan_text
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import find_violation
from pytest_ultra.core.axes import (
    FLAWED_PROMPT_TYPES,
    Difficulty,
    FlawKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    Visibility,
)
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import Damage, FlawedWorkflow
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, render
from pytest_ultra.errors import UnflawableError
from pytest_ultra.flaws.candidate import Candidate, renumber
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.proof import is_proved
from pytest_ultra.flaws.step_removal import remove
from tests.benchmark.agent_runs import make_case, make_task, make_tasks

INSTANCES = 2
Flawed = tuple[Task, Workflow, FlawedWorkflow]


@cache
def make_flawed(kind: FlawKind) -> tuple[Flawed, ...]:
    """A kind's flaws at all severities in tasks of all types and difficulties, without oddities beside them."""
    return tuple(_flaw(kind))


def _flaw(kind: FlawKind) -> Iterator[Flawed]:
    for number, task in enumerate(make_tasks(INSTANCES, very_hard=1)):
        optimal = perfect_plan(task)
        for severity in Severity:
            wanted = list(Visibility)[number % len(Visibility)]
            flawed = inject(TaskContext(task), optimal, kind, severity, visibility=wanted, with_oddities=False)
            assert flawed is not None
            assert (flawed.kind, flawed.severity, flawed.wanted_visibility) == (kind, severity, wanted)
            assert flawed.visibility is not None
            assert list(Visibility).index(flawed.visibility) <= list(Visibility).index(wanted)
            yield task, optimal, flawed


@pytest.mark.parametrize("kind", FlawKind)
def test_every_flaw_shows_and_hurts(kind: FlawKind) -> None:
    """What blind obedience comes to with perfect tools, found by following the plan as it is on paper."""
    for task, optimal, flawed in make_flawed(kind):
        assert render(flawed.workflow) != render(optimal)
        rehearsal = rehearse(task, flawed.workflow)
        if kind is FlawKind.REDUNDANT_OPERATIONS:
            assert rehearsal.has_delivered
            assert not rehearsal.has_harmed or flawed.visibility is Visibility.PLAN
            assert rehearsal.calls > len(optimal.steps)
        else:
            assert not rehearsal.has_delivered


def count_damage(severity: Severity, n: int) -> int:
    return min(6, {"light": 1, "medium": max(1, n // 2), "severe": max(1, n // 2, ceil(2 * n / 3))}[severity])


@pytest.mark.parametrize("kind", FlawKind)
def test_the_severity_says_how_many_steps_are_damaged(kind: FlawKind) -> None:
    for _, optimal, flawed in make_flawed(kind):
        n = len(optimal.steps)
        expected = count_damage(flawed.severity, n)
        assert len(flawed.damages) == (min(expected, n - 1) if kind is FlawKind.MISSING_STEP else expected)
        assert len({(damage.flawed_step, damage.optimal_step) for damage in flawed.damages}) == len(flawed.damages)


@pytest.mark.parametrize(
    "kind",
    [FlawKind.TOOL_MISUSE, FlawKind.PARAMETER_ERROR, FlawKind.LOGICAL_INCONSISTENCY, FlawKind.SEMANTIC_DRIFT],
)
def test_the_damaged_steps_are_those_that_differ(kind: FlawKind) -> None:
    for _, optimal, flawed in make_flawed(kind):
        pairs = list(zip(optimal.steps, flawed.workflow.steps, strict=True))
        differing = [number for number, (right, wrong) in enumerate(pairs, start=1) if right != wrong]
        assert [damage.flawed_step for damage in flawed.damages] == differing
        assert [damage.optimal_step for damage in flawed.damages] == differing
        assert flawed.workflow.answer == optimal.answer


def test_a_misused_tool_is_another_one_on_offer_and_its_arguments_fit_it() -> None:
    for task, optimal, flawed in make_flawed(FlawKind.TOOL_MISUSE):
        for damage in flawed.damages:
            assert damage.flawed_step
            right, wrong = optimal.steps[damage.flawed_step - 1], flawed.workflow.steps[damage.flawed_step - 1]
            assert wrong.call.tool in task.tools
            assert wrong.call.tool != right.call.tool
            if flawed.visibility is not Visibility.PLAN:
                assert find_violation(wrong.call.tool, wrong.call.arguments) is None


def test_a_wrong_parameter_is_one_of_the_same_call() -> None:
    for _, optimal, flawed in make_flawed(FlawKind.PARAMETER_ERROR):
        for damage in flawed.damages:
            assert damage.flawed_step
            right = optimal.steps[damage.flawed_step - 1].call
            wrong = flawed.workflow.steps[damage.flawed_step - 1].call
            assert wrong.tool == right.tool
            assert wrong.arguments.keys() <= right.arguments.keys()
            assert (wrong.arguments.keys() == right.arguments.keys()) is (damage.way != "left_out")
            different = sum(wrong.arguments.get(name) != right.arguments[name] for name in right.arguments)
            assert different == 1 or damage.way == "misread"


def test_what_a_drift_has_changed_stays_changed() -> None:
    for _, optimal, flawed in make_flawed(FlawKind.SEMANTIC_DRIFT):
        if flawed.visibility is Visibility.PLAN or any(damage.way == "misread" for damage in flawed.damages):
            continue
        replaced: dict[str, object] = {}
        for right, wrong in zip(optimal.steps, flawed.workflow.steps, strict=True):
            names = {name: value for name, value in right.call.arguments.items() if isinstance(value, str)}
            changed = {name for name, value in names.items() if wrong.call.arguments[name] != value}
            assert all(name in changed for name, value in names.items() if value in replaced)
            replaced |= {names[name]: wrong.call.arguments[name] for name in changed}


def test_missing_steps_are_gone_and_nothing_refers_to_them() -> None:
    for _, optimal, flawed in make_flawed(FlawKind.MISSING_STEP):
        gone = {damage.optimal_step for damage in flawed.damages}
        kept = [step.call.tool for number, step in enumerate(optimal.steps, start=1) if number not in gone]
        steps = flawed.workflow.steps
        assert [step.call.tool for step in steps] == kept
        assert len(kept) == len(optimal.steps) - len(gone) >= 1
        for number, step in enumerate(flawed.workflow.steps, start=1):
            assert all(used < number for used in step.call.references)


def test_redundant_steps_come_beside_all_others() -> None:
    for _, optimal, flawed in make_flawed(FlawKind.REDUNDANT_OPERATIONS):
        added = {damage.flawed_step for damage in flawed.damages}
        steps = flawed.workflow.steps
        assert len(steps) == len(optimal.steps) + len(added)
        kept = [step.call.tool for number, step in enumerate(steps, start=1) if number not in added]
        assert kept == [step.call.tool for step in optimal.steps]


def get_service(task: Task, call: Call) -> str | None:
    """The service whose session a call takes, seen from its address."""
    urls = [value for value in call.arguments.values() if isinstance(value, str) and value.startswith("https:")]
    urls += [url for value in call.arguments.values() if isinstance(value, dict) for url in value.values()]
    places = [task.world.resources.get(url) or task.world.sinks.get(url) for url in urls]
    return next((place.service for place in places if place), None)


def test_disordered_steps_are_all_those_that_stand_before_something_they_need() -> None:
    """Counted anew, from references and sessions alone."""
    for task, optimal, flawed in make_flawed(FlawKind.SEQUENCE_DISORDER):
        if flawed.visibility is not Visibility.PLAN:
            continue
        early = []
        calls = [step.call for step in flawed.workflow.steps]
        opened = {call.arguments.get("service"): number for number, call in enumerate(calls, start=1)}
        for number, call in enumerate(calls, start=1):
            needed = [*call.references]
            service = get_service(task, call)
            if service and not call.tool.endswith(("_validator", "_monitor")):
                needed.append(opened[service])
            if any(other > number for other in needed):
                early.append(number)
        assert [damage.flawed_step for damage in flawed.damages] == early
        assert sorted(call.tool for call in calls) == sorted(step.call.tool for step in optimal.steps)


@pytest.mark.parametrize("kind", FlawKind)
def test_injection_changes_nothing_that_it_is_given_and_always_comes_to_the_same(kind: FlawKind) -> None:
    for task_type in TaskType:
        task = make_task(TaskKey(task_type, Difficulty.HARD, 0, 0))
        optimal = perfect_plan(task)
        before = msgspec.json.encode([task, optimal])
        flaws = [inject(TaskContext(task), optimal, kind, severity) for severity in Severity for _ in range(2)]
        assert msgspec.json.encode([task, optimal]) == before
        assert flaws[::2] == flaws[1::2]


@pytest.mark.parametrize("prompt_type", FLAWED_PROMPT_TYPES)
@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("variant", PromptVariant)
def test_a_flawed_prompt_differs_from_the_optimal_one_in_the_plan_alone(
    prompt_type: PromptType, severity: Severity, variant: PromptVariant
) -> None:
    case = make_case(prompt_type, severity=severity, prompt_variant=variant)
    control_case = make_case(PromptType.OPTIMAL, prompt_variant=variant)
    flawed, control = make_guidance(case), make_guidance(control_case)
    assert (flawed.task, flawed.optimal) == (control.task, control.optimal)
    (system, user), (control_system, control_user) = opening(case, flawed), opening(control_case, control)
    plan, control_plan = plan_text(prompt_type, flawed), plan_text(PromptType.OPTIMAL, control)
    assert plan != control_plan
    assert system == control_system
    assert user["content"].replace(plan, "") == control_user["content"].replace(control_plan, "")
    assert not any(word in user["content"] for word in ("flaw", severity.value, str(prompt_type.flaw_kind)))


TASK = make_task(TaskKey(TaskType.API_INTEGRATION, Difficulty.EASY, 0, 0))
OPTIMAL = perfect_plan(TASK)
SHIFTED = {number: number + 1 for number in range(1, len(OPTIMAL.steps) + 1)}


def accepts(kind: FlawKind, candidate: Candidate) -> bool:
    """Whether a candidate passes the proof with some visibility."""
    return any(is_proved(TaskContext(TASK), OPTIMAL, kind, candidate, visibility) for visibility in Visibility)


def propose(*steps: Step) -> Candidate:
    damage = Damage(FlawKind.PARAMETER_ERROR, 1, 1, "tagged", "is said to be damaged")
    return Candidate(
        Workflow(steps, OPTIMAL.answer),
        (damage,),
        tuple(n if n <= len(OPTIMAL.steps) else None for n in range(1, len(steps) + 1)),
    )


@pytest.mark.parametrize("kind", FlawKind)
def test_an_injector_that_only_tags_a_step_is_refused(kind: FlawKind) -> None:
    assert not accepts(kind, propose(*OPTIMAL.steps))


@pytest.mark.parametrize("kind", FlawKind)
def test_a_change_that_is_seen_but_does_not_hurt_is_refused(kind: FlawKind) -> None:
    """A fallback that perfect tools never need; for redundancy, that is no call more."""
    first = OPTIMAL.steps[0]
    assert not accepts(kind, propose(Step(first.call, first.call), *OPTIMAL.steps[1:]))


def test_a_redundancy_reaches_the_goal_at_a_cost_or_with_harm() -> None:
    kind = FlawKind.REDUNDANT_OPERATIONS
    assert accepts(kind, propose(*OPTIMAL.steps, OPTIMAL.steps[0]))
    second_post = propose(*OPTIMAL.steps, OPTIMAL.steps[-1])
    assert is_proved(TaskContext(TASK), OPTIMAL, kind, second_post, Visibility.PLAN)
    assert not is_proved(TaskContext(TASK), OPTIMAL, kind, second_post, Visibility.JOB)
    assert not accepts(kind, propose(*[OPTIMAL.steps[0]] * 9))  # more calls, goal missed


@pytest.mark.parametrize("kind", [kind for kind in FlawKind if kind is not FlawKind.REDUNDANT_OPERATIONS])
def test_a_redundancy_is_no_flaw_of_another_kind(kind: FlawKind) -> None:
    assert not accepts(kind, propose(*OPTIMAL.steps, OPTIMAL.steps[0]))


def test_a_workflow_that_carries_no_flaw_is_refused() -> None:
    case = make_case(PromptType.FLAWED_SEQUENCE_DISORDER, TaskType.API_INTEGRATION)
    with pytest.raises(UnflawableError, match="no severe sequence_disorder can be proved on the workflow of TaskKey"):
        make_guidance(case, optimal=Workflow(OPTIMAL.steps[:1]))


@pytest.mark.parametrize("kind", [FlawKind.TOOL_MISUSE, FlawKind.PARAMETER_ERROR, FlawKind.SEMANTIC_DRIFT])
def test_a_plan_of_ones_own_may_name_a_tool_that_is_not_on_offer(kind: FlawKind) -> None:
    name = next(name for name in TOOLS if name not in TASK.tools)
    arguments = dict.fromkeys(TOOLS[name].parameters["required"], "x")
    plan = Workflow((Step(Call(name, arguments)), *(renumber(step, SHIFTED) for step in OPTIMAL.steps)), None)
    flawed = inject(TaskContext(TASK), plan, kind, Severity.SEVERE)
    assert flawed is not None
    offered = {*TASK.tools, *(step.call.tool for step in plan.steps)}
    assert {step.call.tool for step in flawed.workflow.steps} <= offered


def test_a_step_that_stays_keeps_its_advice_when_another_is_removed() -> None:
    steps = [Step(Call("network_fetcher", {"url": "u"}), Call("integration_connector", {"datastore": "d"}))]
    steps += [Step(Call("data_processing_aggregator", {"data": reference(1)}), Call("x", {"data": reference(1)}))]
    steps += [Step(Call("network_poster", {"data": reference(2)}), Call("y", {"data": reference(2)}))]
    removed = remove(Workflow(tuple(steps)), [2]).workflow
    assert removed.steps[0] == steps[0]
    assert removed.steps[1] == Step(Call("network_poster", {"data": reference(1)}), Call("y", {"data": reference(1)}))


@pytest.mark.parametrize(
    ("kind", "ways"),
    [
        (FlawKind.SEQUENCE_DISORDER, {"bring_forward", "other_order"}),
        (FlawKind.TOOL_MISUSE, {"sibling", "stranger", "misread"}),
        (
            FlawKind.PARAMETER_ERROR,
            {"misread", "wrong_type", "wrong_reference", "other_choice", "sibling_field", "sibling_name"},
        ),
        (FlawKind.MISSING_STEP, {"here_and_there", "in_a_row", "misread"}),
        (FlawKind.REDUNDANT_OPERATIONS, {"repeat", "useless_look_up", "repeated_look_up", "idle_step"}),
        (FlawKind.LOGICAL_INCONSISTENCY, {"contrary_condition", "contrary_value", "bypass", "opposite", "misread"}),
        (FlawKind.SEMANTIC_DRIFT, {"other_place", "other_question"}),
    ],
)
def test_a_kind_has_several_ways_to_go_wrong(kind: FlawKind, ways: set[str]) -> None:
    assert {damage.way for _, _, flawed in make_flawed(kind) for damage in flawed.damages} >= ways


@pytest.mark.parametrize("kind", [kind for kind in FlawKind if kind is not FlawKind.SEMANTIC_DRIFT])
def test_a_light_flaw_may_be_in_any_step_that_can_carry_it(kind: FlawKind) -> None:
    light = [flawed for _, _, flawed in make_flawed(kind) if flawed.severity is Severity.LIGHT]
    assert len({damage.optimal_step or damage.flawed_step for flawed in light for damage in flawed.damages}) >= 3
