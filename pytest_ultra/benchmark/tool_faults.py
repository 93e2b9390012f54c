"""Calls a tool with the random fault drawn for the call: the same for every model and prompt type of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from pytest_ultra.benchmark.fault_proofs import find_down_target, find_wrong_result, is_doubtful
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.call_targets import DownTarget
from pytest_ultra.benchmark.tools.invoke import invoke, replace_artefact
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.core.transcript import HAPPENED, NOT_HAPPENED, Answered, Fault, ToolCall, ToolResult
from pytest_ultra.core.workflow import Call
from pytest_ultra.faults.fault_draw import FaultDraw, draw_fault
from pytest_ultra.faults.fault_texts import MESSAGES, NO_REPLY, OUT_OF_SERVICE
from pytest_ultra.faults.mutators import MUTATORS, mutate

Outcome = tuple[World, ToolResult]


class FaultyCall(msgspec.Struct, frozen=True):
    """A call that is to meet a fault, what was down before it, and the world after it and its result without one."""

    task: Task
    call: Call
    draw: FaultDraw
    down: Sequence[DownTarget]
    before: World
    after: World
    result: ToolResult


def call_tool(
    case: Case, task: Task, world: World, call: Call, *, k: int, down: Sequence[DownTarget] = ()
) -> tuple[World, ToolResult]:
    """Make the k-th call of a tool (from 1) in an episode in which some tools or targets are `down` already.

    An error that the agent earned goes before any fault. Of the kinds that are drawn for the call, the first that is
    proved to matter happens, else none.
    """
    after, result = invoke(world, call.tool, call.arguments)
    if not result.is_success:
        return after, result
    known = next((target for target in down if target.includes(call)), None)
    if known is not None:
        return world, _permanent_result(call, known)
    draw = _draw(case, call.tool, k)
    if draw is None:
        return after, result
    faulty = FaultyCall(task, call, draw, down, world, after, result)
    outcomes = (_FAULTS[kind](faulty) for kind in draw.kinds)
    return next((outcome for outcome in outcomes if outcome is not None), (after, result))


def repeat_call(world: World, event: Answered) -> World:
    """Return the world after a call of a transcript, with what its fault did to it."""
    fault = event.result.fault
    if not event.result.has_taken_effect:
        return world
    after, result = invoke(world, event.call.name, event.arguments)
    if fault is None or fault.effect not in MUTATORS or result.handle is None:
        return after
    wrong = mutate(fault.effect, after.artefacts[result.handle], fault.seed)
    return after if wrong is None else replace_artefact(after, result, wrong)[0]


def _draw(case: Case, tool: str, k: int) -> FaultDraw | None:
    task = "|".join(map(str, msgspec.structs.astuple(case.task_key)))
    return draw_fault(task, tool, k, TOOLS[tool].reliability(case.tool_success_rate), case.fault_kinds)


def down_target(call: ToolCall, result: ToolResult) -> DownTarget | None:
    """Return what a call found to be down; None for a call without a permanent fault."""
    return DownTarget(call.name, result.fault_effect) if result.fault_kind is FaultKind.PERMANENT else None


def _transient(faulty: FaultyCall) -> Outcome:
    codes = TOOLS[faulty.call.tool].transient_codes
    code = codes[faulty.draw.seed % len(codes)]
    message = MESSAGES[FaultKind.TRANSIENT].format(code=code)
    return faulty.before, _failed(code, message, Fault(FaultKind.TRANSIENT))


def _permanent(faulty: FaultyCall) -> Outcome | None:
    target = find_down_target(faulty.task, faulty.call, faulty.down)
    return None if target is None else (faulty.before, _permanent_result(faulty.call, target))


def _permanent_result(call: Call, down: DownTarget) -> ToolResult:
    what = f"{down.target} (by {call.tool})" if down.target else call.tool
    fault = Fault(FaultKind.PERMANENT, down.target)
    return _failed(OUT_OF_SERVICE, MESSAGES[FaultKind.PERMANENT].format(what=what), fault)


def _lose_reply(faulty: FaultyCall) -> Outcome | None:
    if not is_doubtful(faulty.task, faulty.call, faulty.before, faulty.after):
        return None
    has_happened = faulty.draw.seed % 2 == 0
    fault = Fault(FaultKind.LOST_REPLY, HAPPENED if has_happened else NOT_HAPPENED)
    world = faulty.after if has_happened else faulty.before
    return world, _failed(NO_REPLY, MESSAGES[FaultKind.LOST_REPLY], fault)


def _make_wrong(faulty: FaultyCall) -> Outcome | None:
    handle, seed = faulty.result.handle, faulty.draw.seed
    found = handle and find_wrong_result(faulty.task, faulty.call, faulty.after, handle, seed)
    if not found:
        return None
    name, wrong = found
    world, result = replace_artefact(faulty.after, faulty.result, wrong)
    return world, msgspec.structs.replace(result, fault=Fault(FaultKind.IMPLICIT, name, seed))


_FAULTS: Mapping[FaultKind, Callable[[FaultyCall], Outcome | None]] = {
    FaultKind.TRANSIENT: _transient,
    FaultKind.PERMANENT: _permanent,
    FaultKind.LOST_REPLY: _lose_reply,
    FaultKind.IMPLICIT: _make_wrong,
}


def _failed(code: str, message: str, fault: Fault) -> ToolResult:
    return ToolResult(code=code, message=message, is_random=True, fault=fault)
