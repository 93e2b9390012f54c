"""Difficulty is what a capable agent must do: steps, names, data, conditions and rules grow with each level."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean

import pytest

from pytest_ultra.benchmark.decisions import Skill
from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.axes import Difficulty, TaskType
from tests.benchmark.agent_runs import make_tasks

INSTANCES = 5

STEPS = {
    TaskType.SIMPLE_TASK: ((2, 3), (3, 3), (3, 4), (4, 6), (6, 9)),
    TaskType.BASIC_TASK: ((3, 4), (3, 4), (4, 6), (6, 9), (9, 13)),
    TaskType.DATA_PIPELINE: ((3, 5), (4, 6), (5, 8), (8, 12), (12, 18)),
    TaskType.API_INTEGRATION: ((3, 5), (4, 6), (5, 8), (8, 12), (12, 18)),
    TaskType.MULTI_STAGE_PIPELINE: ((4, 6), (5, 8), (7, 11), (11, 16), (16, 26)),
}
"""The published steps of the optimal workflow, from `very_easy` to `very_hard`."""


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES, very_hard=2)


@pytest.mark.parametrize("task_type", TaskType)
def test_the_table_of_levels_is_the_published_one(task_type: TaskType) -> None:
    assert tuple(LEVELS[difficulty].steps_of(task_type) for difficulty in Difficulty) == STEPS[task_type]


def of_level(tasks: list[Task], difficulty: Difficulty) -> list[Task]:
    return [task for task in tasks if task.key.difficulty is difficulty]


def mean_steps(tasks: list[Task]) -> float:
    return mean(len({action.reaches for action in task.actions}) for task in tasks)


def test_steps_grow_with_each_level(tasks: list[Task]) -> None:
    for task_type in TaskType:
        of_type = [task for task in tasks if task.key.task_type is task_type]
        means = [mean_steps(of_level(of_type, difficulty)) for difficulty in Difficulty]
        assert all(easier <= harder for easier, harder in pairwise(means)), means
        assert means[-1] > 2 * means[0]


def longest_table(task: Task) -> int:
    """Return the number of rows of the longest table with business data that is not in a file."""
    contents = [resource.content for resource in task.world.resources.values()]
    tables = [*contents, *task.world.datastores.values(), *task.world.cache.values()]
    return max((len(table) for table in tables if isinstance(table, list) and len(table[0]) > 3), default=0)


def test_data_grow_with_each_level(tasks: list[Task]) -> None:
    sizes = [max(map(longest_table, of_level(tasks, difficulty))) for difficulty in Difficulty]
    assert all(easier < harder for easier, harder in pairwise(sizes)), sizes


def test_decisions_grow_with_each_level(tasks: list[Task]) -> None:
    counts = [mean(len(task.decisions) for task in of_level(tasks, difficulty)) for difficulty in Difficulty]
    assert counts[0] == counts[1] == 0
    assert counts[1] < counts[2] < counts[3] < counts[4], counts


def test_both_outcomes_of_a_condition_are_drawn(tasks: list[Task]) -> None:
    """An agent that takes what is named first is wrong in many cases, and right in many."""
    branches = [decision for task in tasks for decision in task.decisions if decision.skill is Skill.BRANCH]
    wrong = sum(decision.naive is not None for decision in branches)
    assert 0.25 * len(branches) < wrong < 0.75 * len(branches)


def test_names_of_look_alikes_come_from_one_distribution(tasks: list[Task]) -> None:
    for task in tasks:
        world = task.world
        names = [*world.files, *world.resources, *world.sinks, *world.queues, *world.datastores, *world.cache]
        assert not [name for name in names if any(word in name for word in ("_old", "sandbox", "last_year", "test"))]
