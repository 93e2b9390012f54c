"""Random faults of a user's tools: drawn for the k-th call of a tool, and proved to matter before they happen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import HAPPENED, NOT_HAPPENED, Answered, Fault, ToolResult
from pytest_ultra.custom.custom_task import CustomTask, StepRecord
from pytest_ultra.custom.suite_definition import Suite
from pytest_ultra.custom.tool_run import Stage
from pytest_ultra.faults.fault_draw import FaultDraw, draw_fault
from pytest_ultra.faults.fault_texts import MESSAGES, NO_REPLY, OUT_OF_SERVICE
from pytest_ultra.faults.mutators import MUTATORS, mutate, mutator_names
from pytest_ultra.faults.record_mutators import RECORD_MUTATORS
from pytest_ultra.faults.result_mutation import mutate_result

MissesGoal = Callable[[int, Json], bool]
"""Whether the reference misses the goal if the step with this number brings this value."""
HasOtherWay = Callable[[str], bool]
"""Whether the goal can be reached without a tool, and only by another way."""


_MOST_PLACES = 3
"""In how many places within a result a built-in mutator is tried."""

MadeCall = tuple[str, dict[str, Json]]
"""A tool and its arguments."""


class _FaultyCall(msgspec.Struct, frozen=True):
    """A call that is to meet a fault of a kind, the world before and after it, and its result without the fault.

    `known` are the results that the same call had before.
    """

    kind: FaultKind
    draw: FaultDraw
    before: Any
    after: Any
    call: MadeCall
    result: ToolResult
    known: Sequence[Json]


class FaultyCalls:
    """Makes the calls of an episode, with the random faults that are drawn for them."""

    def __init__(
        self, suite: Suite, case: Case, task: CustomTask, misses_goal: MissesGoal, has_other_way: HasOtherWay
    ) -> None:
        self._suite = suite
        self._case = case
        self._task = task
        self._misses_goal = misses_goal
        self._has_other_way = has_other_way

    def __call__(
        self, stage: Stage, name: str, arguments: dict[str, Json] | None, earlier: Sequence[Answered]
    ) -> tuple[Stage, ToolResult]:
        """Make a call after `earlier` ones of the tool. An error that the agent earned goes before any fault.

        Of the kinds that are drawn, the first happens that is proved to matter. A world that cannot be copied has no
        calls on trial: its tools have transient and permanent faults, and implicit ones if they only read.
        """
        draw = self._draw(name, arguments, len(earlier) + 1)
        if arguments is not None and any(event.result.fault_kind is FaultKind.PERMANENT for event in earlier):
            return stage, _permanent(name)
        if draw is None or arguments is None:
            return stage.call(name, arguments)
        if not stage.is_copied and not self._suite.tools[name].read_only:
            explicit = (self._explicit(kind, draw, (name, arguments)) for kind in draw.kinds)
            result = next(filter(None, explicit), None)
            return stage.call(name, arguments) if result is None else (stage, result)
        after, result = stage.call(name, arguments)
        if not result.is_success:
            return after, result
        known = [event.result.value for event in earlier if event.arguments == arguments]
        for kind in draw.kinds:
            outcome = self._outcome(_FaultyCall(kind, draw, stage, after, (name, arguments), result, known))
            if outcome is not None:
                return outcome
        return after, result

    def _draw(self, name: str, arguments: dict[str, Json] | None, k: int) -> FaultDraw | None:
        tool = self._suite.tools.get(name)
        if tool is None or arguments is None or tool.violation(arguments) is not None:
            return None
        key = "|".join(map(str, msgspec.structs.astuple(self._case.task_key)))
        return draw_fault(key, name, k, tool.reliability(self._case.tool_success_rate), self._case.fault_kinds)

    def _outcome(self, faulty: _FaultyCall) -> tuple[Stage, ToolResult] | None:
        """Return what a fault makes of a call; None if it cannot be proved to matter."""
        explicit = self._explicit(faulty.kind, faulty.draw, faulty.call)
        if explicit is not None:
            return faulty.before, explicit
        if faulty.kind is FaultKind.LOST_REPLY and self._is_doubtful(faulty):
            return _lose_reply(faulty)
        found = self._find_wrong(faulty) if faulty.kind is FaultKind.IMPLICIT else None
        if found is None:
            return None
        name, wrong = found
        fault = Fault(faulty.kind, name, faulty.draw.seed)
        return faulty.after, msgspec.structs.replace(faulty.result, value=wrong, fault=fault)

    def _explicit(self, kind: FaultKind, draw: FaultDraw, call: MadeCall) -> ToolResult | None:
        """Return what a call answers that is not made; None for a kind that does not happen so."""
        if kind is FaultKind.TRANSIENT:
            return self._transient(call[0], draw)
        is_down = kind is FaultKind.PERMANENT and self._find_step(call) is not None and self._has_other_way(call[0])
        return _permanent(call[0]) if is_down else None

    def _transient(self, name: str, draw: FaultDraw) -> ToolResult:
        codes = self._suite.tools[name].transient
        code = codes[draw.seed % len(codes)]
        fault = Fault(FaultKind.TRANSIENT)
        return ToolResult(
            code=code, message=MESSAGES[FaultKind.TRANSIENT].format(code=code), is_random=True, fault=fault
        )

    def _is_doubtful(self, faulty: _FaultyCall) -> bool:
        """Return whether a second call would change the world again, and a look-up shows whether the first did.

        Look-ups are those of the reference before this call: their results were known.
        """
        before, after, number = faulty.before, faulty.after, self._find_step(faulty.call)
        if not before.is_copied or number is None:
            return False
        if after.call(*faulty.call)[1].change is msgspec.UNSET:
            return False
        earlier = self._task.steps[: number - 1]
        looks = [(step.tool, step.arguments) for step in earlier if step.tool in self._task.read_only]
        return any(before.call(*look)[1] != after.call(*look)[1] for look in looks)

    def _find_wrong(self, faulty: _FaultyCall) -> tuple[str, Json] | None:
        """Return a mutator and what it makes of a result that the goal needs; the same call brings the right one.

        No two wrong results of a call are equal, so that two equal ones are right.
        """
        number, right = self._find_step(faulty.call), faulty.result.value
        if number is None or faulty.result.change is not msgspec.UNSET:
            return None
        if faulty.after.call(*faulty.call)[1].value != right:
            return None
        tool = self._suite.tools[faulty.call[0]]
        for name, wrong in _wrong_values(self._suite.mutators, right, faulty.draw.seed):
            is_new = wrong is not None and wrong != right and wrong not in faulty.known
            if is_new and tool.may_return(wrong) and self._misses_goal(number, wrong):
                return name, wrong
        return None

    def _find_step(self, call: MadeCall) -> int | None:
        return find_step(self._task.steps, *call)


def _permanent(name: str) -> ToolResult:
    message = MESSAGES[FaultKind.PERMANENT].format(what=name)
    return ToolResult(code=OUT_OF_SERVICE, message=message, is_random=True, fault=Fault(FaultKind.PERMANENT))


def _lose_reply(faulty: _FaultyCall) -> tuple[Stage, ToolResult]:
    has_happened = faulty.draw.seed % 2 == 0
    lost = ToolResult(
        code=NO_REPLY,
        message=MESSAGES[FaultKind.LOST_REPLY],
        is_random=True,
        fault=Fault(FaultKind.LOST_REPLY, HAPPENED if has_happened else NOT_HAPPENED),
        change=faulty.result.change if has_happened else msgspec.UNSET,
    )
    return (faulty.after if has_happened else faulty.before), lost


def find_step(steps: tuple[StepRecord, ...], tool: str, arguments: Mapping[str, Any] | None) -> int | None:
    """Return the number of the step of the reference that makes this call; None if none does."""
    numbered = enumerate(steps, start=1)
    return next((number for number, step in numbered if (step.tool, step.arguments) == (tool, arguments)), None)


def _wrong_values(own: Mapping[str, Callable[..., Json]], value: Json, seed: int) -> Iterator[tuple[str, Json]]:
    """Yield mutators with the values that they make: the suite's own first, then the built-in ones.

    Those change the whole value, then values within it.
    """
    for name, change in own.items():
        yield name, change(msgspec.json.decode(msgspec.json.encode(value)), Random(f"{name}|{seed}"))
    for name in mutator_names(seed):
        yield name, mutate(name, value, seed)
    for name, mutator in {**MUTATORS, **RECORD_MUTATORS}.items():
        for wrong in islice(mutate_result(mutator, value, seed), _MOST_PLACES):
            yield name, wrong
