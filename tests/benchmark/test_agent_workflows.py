"""Agents without a skill lose what needs it and nothing else; the cautious one loses nothing and pays in calls."""

from __future__ import annotations

from collections import Counter
from itertools import product
from statistics import mean

import pytest

from pytest_ultra.benchmark.agent_workflows import LACKING, agent_workflows, with_look_ups
from pytest_ultra.benchmark.decisions import Decision, Skill
from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task import Action, Milestone, Task
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, PromptType, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from tests.benchmark.agent_runs import make_case, make_task, score_agent

READ = Call("file_operations_reader", {"path": "a"})
PARSE = Call("data_processing_parser", {"data": reference(1), "format": "csv"})
WRITE = Call("file_operations_writer", {"data": reference(2), "path": "b"})
CATALOGUE = Call("utility_helper", {"topic": "data catalogue"})
COUNT = Call("data_processing_aggregator", {"data": reference(2), "function": "count", "field": "x"})


def task_with(*decisions: Decision) -> Task:
    actions = tuple(
        Action(call, tuple(n - 1 for n in call.references), i) for i, call in enumerate((READ, PARSE, WRITE))
    )
    milestones = tuple(Milestone(Fact.of(FactKind.FILE, f"{action.reaches}", "x"), action.needs) for action in actions)
    key = TaskKey(TaskType.SIMPLE_TASK, Difficulty.HARD, 0, 0)
    return Task(key, 0, World(), "", milestones, actions, (), decisions)


def decision(skill: Skill, *look_ups: Call) -> Decision:
    return Decision(skill, "?", look_ups, ())


PLAN = Workflow((Step(READ), Step(PARSE), Step(WRITE)), answer=2)


def calls_of(workflow: Workflow) -> list[Call]:
    return [step.call for step in workflow.steps]


def test_look_ups_are_made_as_soon_as_they_can_be() -> None:
    task = task_with(
        decision(Skill.BRANCH, COUNT), decision(Skill.LOOK_UP, CATALOGUE), decision(Skill.LOOK_UP, CATALOGUE)
    )
    looked = with_look_ups(task, PLAN, has_plan=False)
    assert calls_of(looked) == [
        CATALOGUE,
        READ,
        Call(PARSE.tool, {"data": reference(2), "format": "csv"}),
        Call(COUNT.tool, {**COUNT.arguments, "data": reference(3)}),
        Call(WRITE.tool, {"data": reference(3), "path": "b"}),
    ]
    assert looked.answer == 3


def test_a_look_up_that_is_a_step_is_not_made_twice() -> None:
    task = task_with(decision(Skill.CHECK_DATA, PARSE), decision(Skill.LOOK_UP, READ))
    assert with_look_ups(task, PLAN, has_plan=False) == PLAN


def test_a_plan_makes_a_check_of_the_data_needless_and_no_other_look_up() -> None:
    task = task_with(decision(Skill.CHECK_DATA, COUNT), decision(Skill.APPLY_RULE, CATALOGUE))
    assert calls_of(with_look_ups(task, PLAN, has_plan=True))[0] == CATALOGUE
    assert len(with_look_ups(task, PLAN, has_plan=True).steps) == len(PLAN.steps) + 1
    assert len(with_look_ups(task, PLAN, has_plan=False).steps) == len(PLAN.steps) + 2


def test_other_ways_and_conditions_move_with_the_steps() -> None:
    other = Call("integration_queue", {"data": reference(2), "name": "q"})
    plan = Workflow((Step(READ), Step(PARSE), Step(WRITE, fallback=other), Step(other, only_if_failed=3)))
    looked = with_look_ups(task_with(decision(Skill.LOOK_UP, CATALOGUE)), plan, has_plan=True)
    moved = Call(other.tool, {"data": reference(3), "name": "q"})
    assert (looked.steps[3].fallback, looked.steps[4]) == (moved, Step(moved, only_if_failed=4))


def test_a_look_up_about_a_step_that_a_plan_lacks_is_left_out() -> None:
    plan = Workflow((Step(READ),))
    assert with_look_ups(task_with(decision(Skill.BRANCH, COUNT)), plan, has_plan=True) == plan


TASKS = [
    make_task(TaskKey(task_type, difficulty, instance, 0))
    for task_type, difficulty, instance in product(
        TaskType, (Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD), (0, 1)
    )
]


def is_full(agent: str, task: Task, prompt_type: PromptType = PromptType.BASELINE) -> bool:
    key = task.key
    case = make_case(prompt_type, TaskType(key.task_type), key.difficulty, instance=key.instance)
    return score_agent(agent, case, make_guidance(case, task=task)).outcome is Outcome.FULL


@pytest.mark.parametrize("agent", LACKING)
def test_an_agent_without_skills_loses_what_needs_them_and_no_other_task(agent: ReferenceAgent) -> None:
    seen = Counter[bool]()
    for task in TASKS:
        is_lost = any(made.naive for made in task.decisions if made.skill in LACKING[agent])
        assert is_full(agent, task) is not is_lost
        seen[is_lost] += 1
    assert min(seen[False], seen[True]) >= 5


def test_where_nothing_is_to_be_found_out_no_agent_does_anything_else() -> None:
    for task in TASKS:
        own = agent_workflows(task, perfect_plan(task), has_plan=True)
        assert bool(own) == (task.key.difficulty is not Difficulty.EASY)


def test_an_agent_that_never_looks_does_all_easy_tasks_and_none_that_is_hard() -> None:
    for task in TASKS:
        if task.key.difficulty is not Difficulty.MEDIUM:
            assert is_full("literal", task) == (task.key.difficulty is Difficulty.EASY)


def test_a_right_plan_saves_a_quarter_of_the_calls_of_a_reader_that_looks_everything_up() -> None:
    calls: dict[str, list[int]] = {"without": [], "checked": [], "trusted": []}
    for task in TASKS:
        if task.key.difficulty is Difficulty.HARD:
            for how, agent, prompt_type in (
                ("without", "cautious", PromptType.BASELINE),
                ("checked", "cautious", PromptType.OPTIMAL),
                ("trusted", "follower", PromptType.OPTIMAL),
            ):
                case = make_case(prompt_type, TaskType(task.key.task_type), Difficulty.HARD, instance=task.key.instance)
                scored = score_agent(agent, case, make_guidance(case, task=task))
                assert scored.outcome is Outcome.FULL
                calls[how].append(scored.tool_calls)
    assert mean(calls["trusted"]) <= 0.75 * mean(calls["without"])
    assert mean(calls["trusted"]) < mean(calls["checked"]) < mean(calls["without"])


@pytest.mark.parametrize("prompt_type", FLAWED_PROMPT_TYPES)
def test_a_flaw_costs_the_cautious_agent_nothing_and_a_linter_gains_nothing_on_what_it_cannot_see(
    prompt_type: PromptType,
) -> None:
    for task in TASKS[::3]:
        for visibility in (Visibility.JOB, Visibility.WORLD):
            key = task.key
            case = make_case(
                prompt_type,
                TaskType(key.task_type),
                key.difficulty,
                severity=Severity.LIGHT,
                instance=key.instance,
                flaw_visibility=visibility,
            )
            guidance = make_guidance(case, task=task)
            outcomes = [score_agent(agent, case, guidance).outcome for agent in ("cautious", "follower", "linter")]
            assert outcomes[0] is Outcome.FULL
            assert guidance.flawed is not None
            assert outcomes[1] is outcomes[2] or guidance.flawed.visibility is Visibility.PLAN
