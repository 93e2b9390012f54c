"""Which milestone each step of a workflow reaches: of the task's own plan, of damaged ones, and of strange ones."""

from __future__ import annotations

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.other_ways import with_other_ways
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.step_milestones import match_steps, on_steps
from pytest_ultra.benchmark.task import Action, Milestone, Task
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from tests.benchmark.test_recovery import JOB

READ, READ_OTHER = (Call("file_operations_reader", {"path": path}) for path in ("a", "b"))


def count(step: int) -> Call:
    return Call("data_processing_aggregator", {"data": reference(step), "function": "count", "field": "id"})


def make_task(*calls: Call) -> Task:
    """Return a task whose milestones are reached by these calls, one each."""
    actions = tuple(Action(call, tuple(n - 1 for n in call.references), i) for i, call in enumerate(calls))
    milestones = tuple(Milestone(Fact.of(FactKind.FILE, f"{action.reaches}", "x"), action.needs) for action in actions)
    return Task(JOB.key, 0, World(), "", milestones, actions, ())


TASK = make_task(READ, READ_OTHER, count(1), count(2))


def matched(*calls: Call) -> dict[int, int]:
    return dict(match_steps(TASK, Workflow(tuple(map(Step, calls)))))


def test_a_step_is_matched_by_what_it_refers_to_where_the_literals_are_the_same() -> None:
    assert matched(READ, READ_OTHER, count(1), count(2)) == {0: 1, 1: 2, 2: 3, 3: 4}
    assert matched(READ_OTHER, READ, count(1), count(2)) == {1: 1, 0: 2, 3: 3, 2: 4}


def test_a_step_that_refers_to_something_else_has_the_first_milestone_of_its_literals() -> None:
    assert matched(READ, count(7)) == {0: 1, 2: 2}
    assert matched(count(7), count(7), count(7)) == {2: 1, 3: 2}


def test_a_repeated_step_and_one_that_the_task_does_not_know_reach_nothing() -> None:
    assert matched(READ, READ, Call("file_operations_reader", {"path": "c"})) == {0: 1}


def test_the_first_of_two_ways_to_a_milestone_reaches_it() -> None:
    both = Workflow(tuple(Step(action.call) for action in JOB.actions if action.reaches < 2))
    assert match_steps(JOB, both) == {0: 1, 1: 2}


def test_a_call_is_translated_only_if_all_that_it_needs_has_a_step() -> None:
    assert on_steps(count(2), {1: 7}) == count(7)
    assert on_steps(count(2), {0: 7, 2: 7}) is None
    assert on_steps(READ, {}) == READ


def test_a_step_that_can_be_down_gets_the_other_way_and_no_other_step() -> None:
    """The connector brings what the parser makes; a step that has a fallback, or that is unknown, stays as it is."""
    workflow = with_other_ways(JOB, perfect_plan(JOB))
    other = Call("integration_connector", {"datastore": "in_db"})
    tools = {step.call.tool: step.fallback for step in workflow.steps}
    assert tools.pop("integration_connector", None) is None
    assert {tool for tool, fallback in tools.items() if fallback == other} == {"data_processing_parser"}
    known = Step(JOB.actions[1].call, fallback=READ)
    strange = Step(Call("file_operations_reader", {"path": "c"}))
    assert with_other_ways(JOB, Workflow((known, strange))) == Workflow((known, strange))
