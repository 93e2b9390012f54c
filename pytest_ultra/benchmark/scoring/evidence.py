"""What a transcript shows, gathered once for all measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec

from pytest_ultra.benchmark.goal import harms, reached, read_answer
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.transcript import Answered, Ended, EndReason, Event, Replied

MISSING_INPUT = frozenset({EarnedCode.UNKNOWN_HANDLE, EarnedCode.NOT_AUTHENTICATED})
"""Errors of a call that came before, or without, something it needs."""


class Evidence(msgspec.Struct, frozen=True):
    """An episode's calls and end, and the world that they left behind.

    `milestones` tells which of the task's are reached at the end.
    """

    guidance: BenchmarkGuidance
    calls: tuple[Answered, ...]
    replies: tuple[Replied, ...]
    end: EndReason
    world: World
    milestones: tuple[bool, ...]
    harms: tuple[str, ...]

    @classmethod
    def gather(cls, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Self:
        calls = tuple(event for event in events if isinstance(event, Answered))
        replies = tuple(event for event in events if isinstance(event, Replied))
        ends = [event.reason for event in events if isinstance(event, Ended)]
        world = replay(guidance.task, calls)
        answer = read_answer(replies[-1].text) if replies else None
        milestones = reached(guidance.task, world, answer)
        end = ends[-1] if ends else EndReason.HARNESS
        return cls(guidance, calls, replies, end, world, milestones, harms(guidance.task, world))

    @property
    def task(self) -> Task:
        return self.guidance.task

    @property
    def coverage(self) -> float:
        return sum(self.milestones) / len(self.milestones)

    @property
    def called_tools(self) -> set[str]:
        """Names called, whether or not there is such a tool; a call that could not be read may have none."""
        return {call.call.name for call in self.calls} - {""}

    @property
    def random_faults(self) -> tuple[Answered, ...]:
        return tuple(call for call in self.calls if call.result.is_random)


def replay(task: Task, calls: Sequence[Answered]) -> World:
    """Do the calls that succeeded again, in order: the world they left behind is not in a transcript."""
    world = task.world
    for call in calls:
        if call.result.is_success:
            world, _ = invoke(world, call.call.name, call.arguments)
    return world
