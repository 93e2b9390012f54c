"""The generator: tasks are sound, varied, unique, and the same on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.generator.generate import draw_task, generate_task, make_draft
from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.benchmark.goal import harms, has_delivered, reached_milestones
from pytest_ultra.benchmark.planner import perfect_plan, plan
from pytest_ultra.benchmark.rehearsal import rehearse, step_result
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, TaskType
from pytest_ultra.core.case import GENERATOR_VERSION, TaskKey
from pytest_ultra.core.plan_follower import advance, begin, next_call
from pytest_ultra.flaws.injection import inject
from tests.benchmark.agent_runs import make_task, make_tasks, run_in_subprocess

INSTANCES = 8


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES, very_hard=2)


def digest(instances: int) -> str:
    """Return a digest of everything generated for some instances: tasks and plans."""
    hashed = hashlib.sha256()
    for task in make_tasks(instances):
        hashed.update(msgspec.json.encode([task, plan(task, 0.8, 30)]))
    return hashed.hexdigest()


DIGESTS = {2: "1718c2c6f3aeba90cec5e54a953ba464dfc261c80a1123931ccec51fccf8c9e8"}
"""The expected digest, by version of the generator."""


def test_generation_is_the_same_on_every_machine() -> None:
    assert digest(1) == DIGESTS[GENERATOR_VERSION]


def test_generation_is_the_same_in_every_process() -> None:
    code = "from tests.benchmark.test_generator import digest; print(digest(1))"
    assert run_in_subprocess(code, "1").strip() == DIGESTS[GENERATOR_VERSION]


def test_another_seed_makes_other_tasks() -> None:
    keys = [TaskKey(TaskType.BASIC_TASK, Difficulty.EASY, 0, seed) for seed in range(20)]
    assert len({generate_task(key).words for key in keys}) == 20


def goal_text(task: Task) -> str:
    """Return a task's goal as text: its words and its deliverables."""
    return "\n".join([task.words, *sorted(f"{fact.kind} {fact.key} {fact.text}" for fact in task.deliverables)])


def test_no_two_tasks_have_the_same_goal(tasks: list[Task]) -> None:
    counted = Counter(map(goal_text, tasks))
    assert [goal for goal, count in counted.items() if count > 1] == []


def test_each_task_type_and_level_has_its_number_of_steps(tasks: list[Task]) -> None:
    for task in tasks:
        least, most = LEVELS[task.key.difficulty].steps_of(TaskType(task.key.task_type))
        assert least <= len(perfect_plan(task).steps) <= most


def test_each_task_type_has_its_shape(tasks: list[Task]) -> None:
    for task in tasks:
        kinds = [milestone.fact.kind for milestone in task.milestones]
        if task.key.task_type is TaskType.API_INTEGRATION:
            assert {FactKind.SESSION, FactKind.SINK} <= set(kinds)
        elif task.key.task_type is TaskType.MULTI_STAGE_PIPELINE:
            assert len(task.deliverables) > 1
        else:
            assert len(task.deliverables) in (1, 2)


def test_every_task_has_at_least_two_milestones_and_none_is_reached_initially(tasks: list[Task]) -> None:
    for task in tasks:
        assert len(task.milestones) >= 2
        assert not any(reached_milestones(task, task.world))


def follow_perfect_plan(task: Task) -> Iterator[tuple[bool, ...]]:
    """Yield which milestones are reached initially and after each call of the perfect plan."""
    workflow, world = perfect_plan(task), task.world
    progress = begin(workflow)
    yield reached_milestones(task, world)
    while (call := next_call(workflow, progress)) is not None:
        world, result = invoke(world, call.tool, call.arguments)
        progress = advance(workflow, progress, step_result(result))
        yield reached_milestones(task, world)


def test_the_calls_of_the_perfect_plan_reach_all_milestones_one_after_the_other(tasks: list[Task]) -> None:
    """Each call reaches one more; a deliverable implies what it needs, which is reached by then."""
    for task in tasks:
        if task.key.difficulty is Difficulty.VERY_HARD:
            continue  # many long tables
        held = [sum(holds) for holds in follow_perfect_plan(task)]
        assert held == list(range(len(perfect_plan(task).steps) + 1))
        has_answer = any(fact.kind is FactKind.ANSWER for fact in task.deliverables)
        assert held[-1] == len(task.milestones) - has_answer


def test_the_perfect_plan_ends_in_the_goal_and_harms_nothing(tasks: list[Task]) -> None:
    for task in tasks:
        rehearsal = rehearse(task, perfect_plan(task))
        assert rehearsal.has_delivered
        assert harms(task, rehearsal.world) == ()


def test_every_tool_is_needed_by_some_task() -> None:
    used = {
        action.call.tool
        for task_type in TaskType
        for difficulty in (Difficulty.VERY_EASY, Difficulty.EASY, Difficulty.MEDIUM)
        for instance in range(20)
        if (draft := make_draft(TaskKey(task_type, difficulty, instance, 0), 0))
        for action in draft.actions
    }
    assert used == set(TOOLS)
    assert len(used) == 30


def test_tasks_use_many_tool_sequences(tasks: list[Task]) -> None:
    sequences = {tuple(step.call.tool for step in perfect_plan(task).steps) for task in tasks}
    assert len(sequences) > 0.8 * len(tasks)


@pytest.mark.parametrize("task_type", TaskType)
def test_no_tool_sequence_dominates(task_type: TaskType) -> None:
    """From `medium` on, no sequence makes up more than 5 % of a cell."""
    keys = [TaskKey(task_type, Difficulty.MEDIUM, instance, 11) for instance in range(160)]
    drafts = [draft for key in keys if (draft := make_draft(key, 0))]
    sequences = Counter(tuple(action.call.tool for action in draft.actions) for draft in drafts)
    assert sequences.most_common(1)[0][1] <= 0.05 * len(drafts)
    assert len({draft.text.skeleton for draft in drafts}) > 50


def count_spare_tools(task: Task) -> int:
    return len(set(task.tools) - {action.call.tool for action in task.actions})


def test_each_level_offers_more_tools_than_it_needs(tasks: list[Task]) -> None:
    for task in tasks:
        level, spare = LEVELS[task.key.difficulty], count_spare_tools(task)
        if level.spare_tools is None:
            assert len(task.tools) == 30
        elif level.is_exact:
            assert spare == level.spare_tools
        else:
            assert spare >= level.spare_tools


def test_needed_tools_are_offered_once_in_an_order_that_gives_nothing_away(tasks: list[Task]) -> None:
    firsts = 0
    for task in tasks:
        needed = {action.call.tool for action in task.actions}
        assert needed <= set(task.tools) <= set(TOOLS)
        assert len(set(task.tools)) == len(task.tools)
        firsts += task.tools[0] == perfect_plan(task).steps[0].call.tool
    assert firsts < len(tasks) / 2


@pytest.mark.parametrize("task_type", TaskType)
def test_an_easy_task_is_a_reproducible_draw_that_carries_every_flaw(task_type: TaskType) -> None:
    for instance in range(3):
        task = make_task(TaskKey(task_type, Difficulty.EASY, instance, 0))
        optimal = perfect_plan(task)
        assert draw_task(task.key, task.draw) == task
        assert all(inject(TaskContext(task), optimal, kind, severity) for kind in FlawKind for severity in Severity)


def test_draws_differ() -> None:
    key = TaskKey(TaskType.DATA_PIPELINE, Difficulty.EASY, 0, 0)
    draws = [task.words for draw in range(30) if (task := draw_task(key, draw))]
    assert len(draws) == len(set(draws)) > 10


def test_a_task_with_an_answer_is_not_done_without_it() -> None:
    keys = [TaskKey(TaskType.SIMPLE_TASK, Difficulty.EASY, instance, 0) for instance in range(60)]
    tasks = [generate_task(key) for key in keys]
    answering = [task for task in tasks if any(fact.kind is FactKind.ANSWER for fact in task.deliverables)]
    assert answering
    for task in answering:
        assert perfect_plan(task).answer == len(perfect_plan(task).steps)
        assert not has_delivered(task, reached_milestones(task, rehearse(task, perfect_plan(task)).world))
