"""Visibility: what must be looked at to notice a flaw is proved for each of them."""

from __future__ import annotations

import re
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.benchmark.decisions import ArgumentChange, Decision, Misreading, Skill
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import Difficulty, FlawKind, PromptType, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.guidance import FlawedWorkflow
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Workflow, referenced_step
from pytest_ultra.flaws.alternative import make_alternative
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.linter import lint
from tests.benchmark.agent_runs import get_guidance, make_case, make_task, run_in_subprocess, score_agent

keys = st.builds(TaskKey, st.sampled_from(TaskType), st.sampled_from(Difficulty), st.integers(0, 40), st.integers(0, 3))


@settings(deadline=None, max_examples=50)  # new ones in each run; test_flaws.py has a fixed sample
@given(keys, st.sampled_from(FlawKind), st.sampled_from(Severity), st.sampled_from(Visibility))
def test_every_flaw_has_a_cost_and_the_visibility_it_is_said_to_have(
    key: TaskKey, kind: FlawKind, severity: Severity, wanted: Visibility
) -> None:
    """A task that is too small for the visibility gets a more visible flaw, and that is recorded."""
    task = make_task(key)
    context, optimal = TaskContext(task), perfect_plan(task)
    flawed = inject(context, optimal, kind, severity, visibility=wanted)
    assert flawed == inject(TaskContext(task), optimal, kind, severity, visibility=wanted)
    assert flawed is not None
    assert flawed.visibility is not None
    order = list(Visibility)
    assert order.index(flawed.visibility) <= order.index(wanted)
    assert bool(lint(flawed.workflow, context.tools)) is (flawed.visibility is Visibility.PLAN)
    rehearsal = rehearse(task, flawed.workflow)
    assert rehearsal.has_delivered is (kind is FlawKind.REDUNDANT_OPERATIONS)
    if flawed.visibility is Visibility.WORLD:
        assert not names_contradicted(task, optimal, flawed)


def names_contradicted(task: Task, optimal: Workflow, flawed: FlawedWorkflow) -> list[str]:
    """The names in damaged steps that the words do not have, where they have the one of the sound step."""
    pairs = [(damage.optimal_step, damage.flawed_step) for damage in flawed.damages]
    steps = [(optimal.steps[a - 1].call, flawed.workflow.steps[b - 1].call) for a, b in pairs if a and b]
    return [
        str(wrong.literals[name])
        for right, wrong in steps
        for name in sorted(right.literals.keys() & wrong.literals.keys())
        if right.literals[name] != wrong.literals[name]
        and is_name(right.literals[name], task.words)
        and not is_name(wrong.literals[name], task.words)
    ]


def is_name(value: Json, words: str) -> bool:
    return isinstance(value, str) and re.search(r"\w[/@:]|\d", value) is not None and value in words


@settings(deadline=None, max_examples=10)
@given(keys)
def test_an_alternative_plan_reaches_the_goal_without_harm(key: TaskKey) -> None:
    task = make_task(key)
    optimal = perfect_plan(task)
    alternative = make_alternative(TaskContext(task), optimal)
    assert alternative is not None
    assert alternative == make_alternative(TaskContext(task), optimal)
    assert alternative != optimal
    rehearsal = rehearse(task, alternative)
    assert rehearsal.has_delivered
    assert not rehearsal.has_harmed


def test_no_flaw_that_hides_has_a_name_that_gives_it_away() -> None:
    for task_type in TaskType:
        for instance in range(2):
            task = make_task(TaskKey(task_type, Difficulty.HARD, instance, 0))
            optimal = perfect_plan(task)
            for kind in FlawKind:
                flawed = inject(TaskContext(task), optimal, kind, Severity.MEDIUM, visibility=Visibility.JOB)
                assert flawed is not None
                if flawed.visibility is Visibility.JOB and kind is not FlawKind.REDUNDANT_OPERATIONS:
                    texts = " ".join(str(step.call.arguments) for step in flawed.workflow.steps)
                    assert not re.search(r"_old|_copy|-test|archive-|sandbox|retired|last.year|about ", texts)


TASK = make_task(TaskKey(TaskType.MULTI_STAGE_PIPELINE, Difficulty.EASY, 0, 0))
OPTIMAL = perfect_plan(TASK)


def decide(*misreadings: Misreading, skill: Skill = Skill.LOOK_UP) -> TaskContext:
    """The context of a task whose last delivery is to be found out."""
    decision = Decision(skill, "where does it go?", (), misreadings)
    return TaskContext(msgspec.structs.replace(TASK, decisions=(decision,)))


def last_delivery() -> tuple[int, str, str]:
    """The index of the last deliverable's milestone, and the argument that names its place, with the name."""
    index = max(index for index, milestone in enumerate(TASK.milestones) if milestone.is_deliverable)
    call = next(action.call for action in TASK.actions if action.reaches == index)
    name, value = next((n, v) for n, v in call.arguments.items() if isinstance(v, str) and referenced_step(v) is None)
    return index, name, value


def test_a_decision_taken_without_looking_makes_a_flaw_that_only_the_world_shows() -> None:
    index, name, value = last_delivery()
    sibling = TASK.words.split()[0]  # what the words name, so that they contradict nothing
    context = decide(Misreading((ArgumentChange(index, name, sibling),)))
    flawed = inject(context, OPTIMAL, FlawKind.PARAMETER_ERROR, Severity.LIGHT, visibility=Visibility.WORLD)
    assert flawed is not None
    assert flawed.visibility is Visibility.WORLD
    (damage,) = flawed.damages
    assert damage.way == "misread"
    assert damage.flawed_step
    assert flawed.workflow.steps[damage.flawed_step - 1].call.arguments[name] == sibling != value


def test_a_literal_that_contradicts_the_words_is_not_left_to_the_world() -> None:
    index, name, value = last_delivery()
    assert value in TASK.words
    context = decide(Misreading((ArgumentChange(index, name, f"{value}9"),)))
    flawed = inject(context, OPTIMAL, FlawKind.PARAMETER_ERROR, Severity.LIGHT, visibility=Visibility.WORLD)
    assert flawed is not None
    assert flawed.visibility is Visibility.JOB


def test_a_step_that_a_wrong_decision_leaves_out_is_missing() -> None:
    index, _, _ = last_delivery()
    context = decide(Misreading(dropped=(index,)), skill=Skill.BRANCH)
    flawed = inject(context, OPTIMAL, FlawKind.MISSING_STEP, Severity.LIGHT, visibility=Visibility.WORLD)
    assert flawed is not None
    if flawed.visibility is Visibility.WORLD:
        assert [damage.way for damage in flawed.damages] == ["misread"]
    else:
        assert lint(flawed.workflow, context.tools) == ()  # what it worked on has no other use


def test_flaws_are_the_same_in_all_processes() -> None:
    code = """
from tests.flaws.test_visibility import digest_flaws
print(digest_flaws())
"""
    assert run_in_subprocess(code, "1").strip() == digest_flaws()


def digest_flaws() -> str:
    context = TaskContext(TASK)
    flaws = [
        inject(context, OPTIMAL, kind, severity, visibility=visibility)
        for kind in FlawKind
        for severity in Severity
        for visibility in Visibility
    ]
    return str(hash_of(msgspec.json.encode([flaws, make_alternative(context, OPTIMAL)])))


def hash_of(content: bytes) -> int:
    return int.from_bytes(content, "big") % (2**61 - 1)


@pytest.mark.parametrize("prompt_type", [PromptType.OPTIMAL, PromptType.ALTERNATIVE])
def test_followers_of_sound_plans_reach_the_goal(prompt_type: PromptType) -> None:
    for agent in ("follower", "linter"):
        for task_type in TaskType:
            assert score_agent(agent, make_case(prompt_type, task_type)).outcome == "full"


def test_the_linter_gains_nothing_on_what_it_does_not_flag() -> None:
    gained = 0
    for task_type, kind, wanted in product(TaskType, FlawKind, (Visibility.PLAN, Visibility.JOB)):
        case = make_case(
            PromptType(f"flawed_{kind}"), task_type, Difficulty.HARD, severity=Severity.LIGHT, flaw_visibility=wanted
        )
        guidance = get_guidance(case)
        flawed = guidance.flawed
        assert flawed is not None
        outcomes = [score_agent(agent, case, guidance).outcome for agent in ("follower", "linter")]
        if flawed.visibility is Visibility.PLAN:
            gained += outcomes[0] != outcomes[1]
        else:
            assert outcomes[0] == outcomes[1]
    assert gained
