"""Decisions: what the words leave open is found out by look-ups, and each way of getting it wrong costs the goal."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.misreadings import misread_workflow, naive_workflow
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Action, Milestone, Task
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from tests.benchmark.agent_runs import make_tasks

INSTANCES = 4


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES, very_hard=2)


def chain(*calls: Call) -> Task:
    """Return a task whose milestones are reached by these calls, whose references count milestones."""
    actions = tuple(
        Action(call, tuple(number - 1 for number in call.references), index) for index, call in enumerate(calls)
    )
    milestones = tuple(Milestone(Fact.of(FactKind.FILE, f"{action.reaches}", "x"), action.needs) for action in actions)
    key = TaskKey(TaskType.SIMPLE_TASK, Difficulty.EASY, 0, 0)
    return Task(key, 0, World(), "", milestones, actions, ())


READ = Call("file_operations_reader", {"path": "a"})
PARSE = Call("data_processing_parser", {"data": reference(1), "format": "csv"})
SORT = Call("data_processing_transformer", {"data": reference(2), "operation": "sort", "field": "x"})
WRITE = Call("file_operations_writer", {"data": reference(3), "path": "b"})
TASK = chain(READ, PARSE, SORT, WRITE)


def calls_of(workflow: Workflow) -> list[Call]:
    return [step.call for step in workflow.steps]


def test_without_misreadings_the_workflow_is_the_reference_one() -> None:
    assert misread_workflow(TASK, []) == Workflow(tuple(map(Step, (READ, PARSE, SORT, WRITE))))


def test_a_change_replaces_one_argument() -> None:
    changed = misread_workflow(TASK, [Misreading((ArgumentChange(0, "path", "other"),))])
    assert calls_of(changed) == [Call(READ.tool, {"path": "other"}), PARSE, SORT, WRITE]


def test_what_builds_on_a_dropped_milestone_works_on_its_input() -> None:
    dropped = misread_workflow(TASK, [Misreading(dropped=(1, 2))])
    assert calls_of(dropped) == [READ, Call(WRITE.tool, {"data": reference(1), "path": "b"})]


def test_what_builds_on_a_dropped_first_call_has_no_input() -> None:
    dropped = misread_workflow(TASK, [Misreading(dropped=(0,))])
    assert calls_of(dropped)[0].arguments["data"] == "the input"


def test_added_calls_come_last_and_refer_to_steps() -> None:
    added = Call("utility_tracker", {"name": "n", "data": reference(3)})
    workflow = misread_workflow(TASK, [Misreading(dropped=(0,), added=(added,))])
    assert calls_of(workflow)[-1].arguments == {"name": "n", "data": reference(2)}


def test_an_answer_follows_its_milestone() -> None:
    answer = Milestone(Fact.of(FactKind.ANSWER, "", 1), (2,), is_deliverable=True)
    task = msgspec.structs.replace(TASK, milestones=(*TASK.milestones, answer))
    assert misread_workflow(task, []).answer == 3
    assert misread_workflow(task, [Misreading(dropped=(2,))]).answer == 2


def test_every_misreading_of_a_generated_task_misses_the_goal(tasks: list[Task]) -> None:
    """Found by carrying out the whole workflow, where the generator takes short cuts."""
    count = 0
    for task in tasks:
        assert rehearse(task, misread_workflow(task, [])).has_delivered
        for decision in task.decisions:
            assert decision.misreadings
            for misreading in decision.misreadings:
                rehearsal = rehearse(task, misread_workflow(task, [misreading]))
                assert rehearsal.has_harmed or not rehearsal.has_delivered
                count += 1
    assert count > 5 * INSTANCES * len(TaskType)


def test_without_any_step_the_goal_is_missed(tasks: list[Task]) -> None:
    for task in tasks:
        for index in {action.reaches for action in task.actions}:
            assert not rehearse(task, misread_workflow(task, [Misreading(dropped=(index,))])).has_delivered


def test_the_look_ups_of_a_decision_can_be_made_with_the_offered_tools(tasks: list[Task]) -> None:
    for task in tasks:
        rehearsal = rehearse(task, perfect_plan(task))
        handles = {number: result.output for number, result in rehearsal.done.items()}
        for decision in task.decisions:
            assert decision.look_ups
            for call in decision.look_ups:
                assert call.tool in task.tools
                numbers = {name: referenced_step(value) for name, value in call.arguments.items()}
                arguments = {
                    name: value if (number := numbers[name]) is None else handles[number]
                    for name, value in call.arguments.items()
                }
                assert invoke(rehearsal.world, call.tool, arguments)[1].is_success


def test_what_is_made_only_in_one_case_is_made_by_an_offered_tool(tasks: list[Task]) -> None:
    for task in tasks:
        added = [
            call for decision in task.decisions for misreading in decision.misreadings for call in misreading.added
        ]
        assert {call.tool for call in added} <= set(task.tools)


SKILLS = {
    Difficulty.VERY_EASY: set[Skill](),
    Difficulty.EASY: set[Skill](),
    Difficulty.MEDIUM: {Skill.LOOK_UP, Skill.CHECK_DATA, Skill.BRANCH},
    Difficulty.HARD: set(Skill),
    Difficulty.VERY_HARD: set(Skill),
}


@pytest.mark.parametrize("difficulty", Difficulty)
def test_each_level_needs_its_skills(tasks: list[Task], difficulty: Difficulty) -> None:
    of_level = [task for task in tasks if task.key.difficulty is difficulty]
    assert {decision.skill for task in of_level for decision in task.decisions} == SKILLS[difficulty]


@pytest.mark.parametrize("skill", Skill)
def test_an_agent_without_a_skill_loses_the_tasks_that_need_it(tasks: list[Task], skill: Skill) -> None:
    needing = [task for task in tasks if any(d.skill is skill and d.naive for d in task.decisions)]
    assert len(needing) > INSTANCES
    for task in needing:
        decisions = [decision for decision in task.decisions if decision.skill is skill]
        rehearsal = rehearse(task, naive_workflow(task, decisions))
        assert rehearsal.has_harmed or not rehearsal.has_delivered


def test_an_agent_that_never_looks_does_the_exact_levels_and_nothing_from_hard_on(tasks: list[Task]) -> None:
    for task in tasks:
        rehearsal = rehearse(task, naive_workflow(task, task.decisions))
        is_done = rehearsal.has_delivered and not rehearsal.has_harmed
        if task.key.difficulty.level <= Difficulty.EASY.level:
            assert is_done
        elif task.key.difficulty.level >= Difficulty.HARD.level:
            assert not is_done
