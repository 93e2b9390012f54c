"""The evidence of a transcript, gathered once for all measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import msgspec

from pytest_ultra.benchmark.goal import reached_milestones, read_answer
from pytest_ultra.benchmark.harm import Harm, harms
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.benchmark.tool_faults import repeat_call
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Answered, Ended, EndReason, Event, Replied

MISSING_INPUT = frozenset({EarnedCode.UNKNOWN_HANDLE, EarnedCode.NOT_AUTHENTICATED})
"""Errors of a call that lacks a needed input or session."""


class Evidence(msgspec.Struct, frozen=True):
    """The calls and the end of an episode, and the world at its end.

    `milestones` holds, for each milestone of the task, whether it is reached at the end; `only_looked`, for each call,
    whether it succeeded and changed nothing but the artefacts. `answer` is what the last words give, None without one.
    """

    guidance: BenchmarkGuidance
    calls: tuple[Answered, ...]
    replies: tuple[Replied, ...]
    end: EndReason
    world: World
    milestones: tuple[bool, ...]
    harms: tuple[Harm, ...]
    only_looked: tuple[bool, ...] = ()
    answer: Json = None

    @classmethod
    def gather(cls, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Self:
        calls = tuple(event for event in events if isinstance(event, Answered))
        replies = tuple(event for event in events if isinstance(event, Replied))
        ends = [event.reason for event in events if isinstance(event, Ended)]
        worlds = tuple(replay(guidance.task, calls))
        world = worlds[-1]
        end = ends[-1] if ends else EndReason.HARNESS
        answer = read_answer(replies[-1].text, is_final=end is EndReason.STOPPED) if replies else None
        milestones = reached_milestones(guidance.task, world, answer)
        only_looked = tuple(
            call.result.is_success and _differ_in_artefacts_only(before, after)
            for call, before, after in zip(calls, worlds, worlds[1:], strict=False)
        )
        found = harms(guidance.task, world)
        return cls(guidance, calls, replies, end, world, milestones, found, only_looked, answer)

    @property
    def task(self) -> Task:
        return self.guidance.task

    @property
    def coverage(self) -> float:
        return sum(self.milestones) / len(self.milestones)

    @property
    def called_tools(self) -> set[str]:
        """The names called, existing or not, without unreadable calls that have no name."""
        return {call.call.name for call in self.calls} - {""}

    @property
    def random_faults(self) -> tuple[Answered, ...]:
        """The calls that met a random fault, whether they failed or not."""
        return tuple(call for call in self.calls if call.result.fault_kind is not None)


def replay(task: Task, calls: Sequence[Answered]) -> Iterator[World]:
    """Yield the world at the beginning and after each call, by repeating the calls that took effect.

    A transcript does not contain the worlds.
    """
    world = task.world
    yield world
    for call in calls:
        world = repeat_call(world, call)
        yield world


def _differ_in_artefacts_only(before: World, after: World) -> bool:
    """Return whether a call changed nothing but the artefacts. Tools replace what they change, and keep the rest."""
    names = (name for name in World.__struct_fields__ if name != "artefacts")
    return all(getattr(before, name) is getattr(after, name) for name in names)
