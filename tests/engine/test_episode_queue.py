"""The episode queue decides which episode runs next and which episode a test receives."""

from __future__ import annotations

import msgspec

from pytest_ultra.engine.episode_queue import EpisodeQueue, Priority
from tests.engine.engine_fakes import make_assignment, make_case

SHARD = [make_assignment(make_case(instance)) for instance in range(5)]


def start_all(queue: EpisodeQueue) -> list[int]:
    """Start all episodes, and return their instances."""
    instances = []
    while (queued := queue.start_next()) is not None:
        instances.append(queued.assignment.case.instance)
    return instances


def test_cases_start_in_the_given_order_each_once() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queue.add([*SHARD, *SHARD])

    assert start_all(queue) == [0, 1, 2, 3, 4]
    assert start_all(queue) == []


def test_awaited_cases_start_first_in_the_order_of_waiting() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queue.add(SHARD)
    queue.claim(SHARD[3])
    queue.claim(SHARD[1])
    queue.claim(SHARD[3])

    assert start_all(queue) == [3, 1, 0, 2, 4]


def test_fixed_priorities_hold_whichever_case_is_awaited() -> None:
    last, *others, first = SHARD
    queue = EpisodeQueue(is_lazy=False)
    fixed = (
        msgspec.structs.replace(last, priority=Priority.LAST),
        msgspec.structs.replace(first, priority=Priority.FIRST),
    )
    queue.add([fixed[0], *others, fixed[1]])
    for assignment in (last, SHARD[2], first):
        queue.claim(assignment)

    assert start_all(queue) == [4, 2, 1, 3, 0]


def test_a_case_that_may_not_start_blocks_all_later_ones() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queue.add(SHARD)

    assert queue.start_next(lambda assignment: assignment.case.instance != 0) is None
    assert start_all(queue) == [0, 1, 2, 3, 4]


def test_a_lazy_queue_holds_only_awaited_cases() -> None:
    queue = EpisodeQueue(is_lazy=True)
    queue.add(SHARD)
    queue.claim(SHARD[3])
    queue.claim(SHARD[1])

    assert start_all(queue) == [3, 1]


def test_an_episode_in_progress_is_not_started_again_for_a_second_waiter() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queued = queue.claim(SHARD[0])

    assert queue.start_next() is queued
    assert queue.claim(make_assignment(SHARD[0].case, "test_other")) is queued
    assert queue.start_next() is None


def test_a_closed_queue_starts_nothing() -> None:
    queue = EpisodeQueue(is_lazy=False)
    queue.add(SHARD)
    queue.close()

    assert start_all(queue) == []
