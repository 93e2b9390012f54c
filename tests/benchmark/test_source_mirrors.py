"""Other ways of generated tasks: what a job reads has a copy, and the words or the world say where."""

from __future__ import annotations

import pytest

from pytest_ultra.benchmark.equivalent_calls import equivalent_calls
from pytest_ultra.benchmark.fault_proofs import find_down_target
from pytest_ultra.benchmark.generator.source_mirrors import COPIES
from pytest_ultra.benchmark.other_ways import with_other_ways
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.routes import find_route
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools.mirrors import mirrored_calls
from pytest_ultra.core.axes import Difficulty
from pytest_ultra.core.workflow import Call, reference
from tests.benchmark.agent_runs import make_tasks

INSTANCES = 2


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return make_tasks(INSTANCES, very_hard=1)


def test_from_easy_on_a_permanent_fault_can_fall_on_nine_tasks_of_ten(tasks: list[Task]) -> None:
    harder = [task for task in tasks if task.key.difficulty is not Difficulty.VERY_EASY]
    found = sum(any(find_down_target(task, action.call) for action in task.actions) for task in harder)
    assert found >= 0.9 * len(harder)


def test_what_is_down_can_be_done_in_another_way(tasks: list[Task]) -> None:
    seen = 0
    for task in tasks:
        for step in with_other_ways(task, perfect_plan(task)).steps:
            target = find_down_target(task, step.call)
            assert (step.fallback is not None) == (target is not None)
            if target is None:
                continue
            route = find_route(task, [target])
            assert route is not None
            assert not any(target.includes(other.call) for other in route.workflow.steps)
            end = rehearse(task, route.workflow)
            assert end.has_delivered
            assert not end.has_harmed
            seen += 1
    assert seen > len(tasks) / 2


def test_the_words_say_where_copies_are_or_a_topic_does(tasks: list[Task]) -> None:
    for task in tasks:
        rows = task.world.topics.get(COPIES, [])
        listed = [(row["names_begin_with"], row["copies_begin_with"]) for row in rows]
        mirrors = [(mirror.original, mirror.prefix) for mirror in task.world.mirrors]
        is_exact = task.key.difficulty.level <= Difficulty.EASY.level
        assert listed == ([] if is_exact else mirrors)
        assert not mirrors or task.key.difficulty is not Difficulty.VERY_EASY
        if is_exact:
            assert all(original in task.words and prefix in task.words for original, prefix in mirrors)
        else:
            assert mirrors
            assert "utility_helper" in task.tools


def test_no_copy_has_the_name_of_something_else(tasks: list[Task]) -> None:
    for task in tasks:
        world = task.world
        names = {*world.files, *world.resources, *world.sinks, *world.datastores, *world.cache, *world.topics}
        for action in task.actions:
            for call in mirrored_calls(world, action.call):
                assert not names & set(map(str, call.arguments.values()))


def test_a_filter_with_several_values_has_no_equivalent_call() -> None:
    several = {"data": reference(1), "field": "x", "operator": "in", "value": ["a", "b"]}
    assert not list(equivalent_calls(Call("data_processing_filter", several), []))


def test_a_rule_that_keys_are_unique_may_be_a_removal_of_equal_rows() -> None:
    unique = {"data": reference(1), "field": "x", "rule": "unique"}
    assert list(equivalent_calls(Call("data_processing_validator", unique), [])) == [
        Call("data_processing_transformer", {"data": reference(1), "operation": "deduplicate"})
    ]
