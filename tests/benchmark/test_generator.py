"""The generator: tasks are sound, varied, unique, harder at each level, and the same on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.generator.draft import RejectedError
from pytest_ultra.benchmark.generator.generate import draw_task, generate_task, is_minimal
from pytest_ultra.benchmark.generator.task_text import CONSTRAINTS
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
from pytest_ultra.flaws.step_removal import remove
from tests.benchmark.agent_runs import make_task, make_tasks, run_in_subprocess

INSTANCES = 40


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES)


def digest(instances: int) -> str:
    """Return a digest of everything generated for some instances: tasks, plans, and flawed plans."""
    hashed = hashlib.sha256()
    for task in make_tasks(instances):
        optimal = plan(task, 0.8, 30)
        flawed = [inject(TaskContext(task), optimal, kind, severity) for kind in FlawKind for severity in Severity]
        hashed.update(msgspec.json.encode([task, optimal, flawed]))
    return hashed.hexdigest()


DIGESTS = {2: "eca51f9bc706285627e2ee3f532b194f44fdbd27668304c2327822e3d26bd0f9"}
"""The expected digest, by version of the generator."""


def test_generation_is_the_same_on_every_machine() -> None:
    assert digest(2) == DIGESTS[GENERATOR_VERSION]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_generation_is_the_same_in_every_process(hash_seed: str) -> None:
    code = "from tests.benchmark.test_generator import digest; print(digest(2))"
    assert run_in_subprocess(code, hash_seed).strip() == digest(2)


def test_another_seed_makes_other_tasks() -> None:
    keys = [TaskKey(TaskType.BASIC_TASK, Difficulty.EASY, 0, seed) for seed in range(20)]
    assert len({generate_task(key).words for key in keys}) == 20


def goal_text(task: Task) -> str:
    """Return a task's goal as text: its words and its deliverables."""
    return "\n".join([task.words, *sorted(f"{fact.kind} {fact.key} {fact.text}" for fact in task.deliverables)])


def test_no_two_tasks_have_the_same_goal(tasks: list[Task]) -> None:
    counted = Counter(map(goal_text, tasks))
    assert [goal for goal, count in counted.items() if count > 1] == []


STEPS = {
    TaskType.SIMPLE_TASK: (2, 3),
    TaskType.BASIC_TASK: (3, 4),
    TaskType.DATA_PIPELINE: (3, 5),
    TaskType.API_INTEGRATION: (3, 5),
    TaskType.MULTI_STAGE_PIPELINE: (5, 8),
}


def test_each_task_type_has_its_number_of_steps(tasks: list[Task]) -> None:
    for task in tasks:
        least, most = STEPS[task.key.task_type]
        assert least <= len(perfect_plan(task).steps) <= most


def test_each_task_type_has_its_shape(tasks: list[Task]) -> None:
    for task in tasks:
        kinds = [milestone.fact.kind for milestone in task.milestones]
        if task.key.task_type is TaskType.API_INTEGRATION:
            assert {FactKind.SESSION, FactKind.SINK} <= set(kinds)
        elif task.key.task_type is TaskType.MULTI_STAGE_PIPELINE:
            assert len(task.deliverables) > 1
        else:
            assert len(task.deliverables) == 1


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


def test_each_call_of_the_perfect_plan_reaches_one_milestone_and_together_they_reach_all(tasks: list[Task]) -> None:
    for task in tasks:
        held = [sum(holds) for holds in follow_perfect_plan(task)]
        assert held == list(range(len(perfect_plan(task).steps) + 1))
        has_answer = any(fact.kind is FactKind.ANSWER for fact in task.deliverables)
        assert held[-1] == len(task.milestones) - has_answer


def test_no_reference_call_reaches_two_milestones_wherever_it_is_made(tasks: list[Task]) -> None:
    """Every call without references, alternatives included, in every state of the perfect run; not for deliverables."""
    for task in tasks:
        workflow, world = perfect_plan(task), task.world
        progress, handles = begin(workflow), {}
        while (call := next_call(workflow, progress)) is not None:
            before = reached_milestones(task, world)
            for action in task.actions:
                if not task.milestones[action.reaches].is_deliverable and not action.call.references:
                    after = reached_milestones(task, invoke(world, action.call.tool, action.call.arguments)[0])
                    assert sum(after) - sum(before) <= 1
            world, result = invoke(world, call.tool, call.arguments)
            handles[progress.step] = result.handle
            progress = advance(workflow, progress, step_result(result))


def test_the_perfect_plan_ends_in_the_goal_and_harms_nothing(tasks: list[Task]) -> None:
    for task in tasks:
        rehearsal = rehearse(task, perfect_plan(task))
        assert rehearsal.has_delivered
        assert harms(task, rehearsal.world) == ()


def test_every_step_of_a_task_is_needed(tasks: list[Task]) -> None:
    for task in tasks:
        assert is_minimal(task)
        optimal = perfect_plan(task)
        for number in range(1, len(optimal.steps) + 1):
            assert not rehearse(task, remove(optimal, [number]).workflow).has_delivered


def test_every_tool_is_needed_by_some_task(tasks: list[Task]) -> None:
    used = {step.call.tool for task in tasks for step in perfect_plan(task).steps}
    assert used == set(TOOLS)
    assert len(used) == 30


def test_every_alternative_reaches_its_milestone(tasks: list[Task]) -> None:
    several = 0
    for task in tasks:
        for action in task.actions:
            if not action.call.references and not action.needs:
                world, _ = invoke(task.world, action.call.tool, action.call.arguments)
                assert reached_milestones(task, world)[action.reaches]
        several += len({action.reaches for action in task.actions}) < len(task.actions)
    assert several > len(tasks) / 50


def test_tasks_use_many_tool_sequences(tasks: list[Task]) -> None:
    """The earlier benchmark had 78 tool sequences in 5,040 tasks."""
    sequences = {tuple(step.call.tool for step in perfect_plan(task).steps) for task in tasks}
    assert len(sequences) > 4 * 78


def count_old_files(task: Task) -> int:
    return sum(path.startswith("old/") for path in task.world.files)


def count_spare_tools(task: Task) -> int:
    return len(set(task.tools) - {action.call.tool for action in task.actions})


def count_constraints(task: Task) -> int:
    return sum(constraint in task.words for constraint in CONSTRAINTS)


def test_each_difficulty_adds_distractors_and_constraints(tasks: list[Task]) -> None:
    by_difficulty = {difficulty: [t for t in tasks if t.key.difficulty is difficulty] for difficulty in Difficulty}
    for count in (count_old_files, count_spare_tools, count_constraints):
        counts = [[count(task) for task in by_difficulty[difficulty]] for difficulty in Difficulty]
        assert [min(harder) > max(easier) for harder, easier in zip(counts[1:], counts, strict=False)] == [True] * 4
        assert max(counts[0]) == 0
    assert all(len(set(task.tools)) == 30 for task in by_difficulty[Difficulty.VERY_HARD])


def test_needed_tools_are_offered_once_in_an_order_that_gives_nothing_away(tasks: list[Task]) -> None:
    firsts = 0
    for task in tasks:
        needed = {action.call.tool for action in task.actions}
        assert needed <= set(task.tools) <= set(TOOLS)
        assert len(set(task.tools)) == len(task.tools)
        firsts += task.tools[0] == perfect_plan(task).steps[0].call.tool
    assert firsts < len(tasks) / 2


@pytest.mark.parametrize("task_type", TaskType)
def test_a_task_is_a_reproducible_draw_that_carries_every_flaw(task_type: TaskType) -> None:
    for instance in range(20):
        task = make_task(TaskKey(task_type, Difficulty.MEDIUM, instance, 0))
        optimal = perfect_plan(task)
        assert draw_task(task.key, task.draw) == task
        assert all(inject(TaskContext(task), optimal, kind, severity) for kind in FlawKind for severity in Severity)


def test_draws_differ() -> None:
    key = TaskKey(TaskType.DATA_PIPELINE, Difficulty.EASY, 0, 0)
    draws = [task.words for draw in range(30) if (task := draw_task(key, draw))]
    assert len(draws) == len(set(draws)) > 10
    assert issubclass(RejectedError, Exception)


def test_a_task_with_an_answer_is_not_done_without_it(tasks: list[Task]) -> None:
    answering = [task for task in tasks if any(fact.kind is FactKind.ANSWER for fact in task.deliverables)]
    assert len(answering) > len(tasks) / 20
    for task in answering:
        assert perfect_plan(task).answer == len(perfect_plan(task).steps)
        assert not has_delivered(task, reached_milestones(task, rehearse(task, perfect_plan(task)).world))
