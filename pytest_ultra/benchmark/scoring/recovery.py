"""Which random faults an episode met, and which of them it recovered from."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.goal import count_copies, deliverables_on, has_delivered, is_reached_by
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tool_faults import repeat_call
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.episode import HarmKind
from pytest_ultra.core.transcript import Answered, EndReason

_BLAMES_FAULTS = frozenset({EndReason.STOPPED, EndReason.MAX_TURNS, EndReason.AGENT_TIMEOUT, EndReason.GAVE_UP})
"""Ends that can come from a fault; the others have a cause of their own."""


class MetFault(msgspec.Struct, frozen=True):
    """A random fault of an episode. A permanent one counts once, at the first call that met it.

    `purposes` are the indices of the milestones that the call would have reached without the fault.
    """

    call: Answered
    kind: FaultKind
    purposes: tuple[int, ...]
    is_recovered: bool

    @property
    def description(self) -> str:
        kind = str(self.kind).replace("_", " ")
        how = f" ({self.call.result.fault_effect.replace('_', ' ')})" if self.kind is FaultKind.IMPLICIT else ""
        return f"{kind} fault{how} of {self.call.call.name} in turn {self.call.turn}"


def met_faults(evidence: Evidence) -> tuple[MetFault, ...]:
    """Return the faults of an episode in order."""
    return tuple(_find_faults(evidence))


def unrecovered_fault(evidence: Evidence, faults: tuple[MetFault, ...] | None = None) -> MetFault | None:
    """Return the first fault for which an episode missed its goal, because the agent did not deal with it.

    The fault kept a deliverable from being right, or had something delivered twice. None if there is no such fault, or
    if no turn was left to deal with it.
    """
    if evidence.end not in _BLAMES_FAULTS:
        return None
    last_turn = evidence.replies[-1].turn if evidence.replies else 0
    for fault in met_faults(evidence) if faults is None else faults:
        if fault.is_recovered or fault.call.turn >= last_turn or _is_tried_again(evidence, fault):
            continue
        if _costs_a_deliverable(evidence, fault) or _is_duplicated(evidence, fault.purposes):
            return fault
    return None


def _find_faults(evidence: Evidence) -> Iterator[MetFault]:
    world, down = evidence.task.world, set[tuple[str, str]]()
    for index, call in enumerate(evidence.calls):
        kind, place = call.result.fault_kind, (call.call.name, call.result.fault_effect)
        if kind is not None and not (kind is FaultKind.PERMANENT and place in down):
            purposes = tuple(_find_purposes(evidence.task, world, call))
            yield MetFault(call, kind, purposes, _is_recovered(evidence, index, kind, purposes))
            if kind is FaultKind.PERMANENT:
                down.add(place)
        world = repeat_call(world, call)


def _find_purposes(task: Task, world: World, call: Answered) -> list[int]:
    """Return the milestones that the call reaches in this world without a fault."""
    after, result = invoke(world, call.call.name, call.arguments)
    return [index for index in range(len(task.milestones)) if is_reached_by(task, index, world, after, result.handle)]


def _is_recovered(evidence: Evidence, index: int, kind: FaultKind, purposes: tuple[int, ...]) -> bool:
    """Return whether the agent dealt with the fault of the call with this index.

    `transient`, `permanent`: the same call, or another for the same purpose, succeeded afterwards, or what it was for
    was reached. `lost_reply`: what it was for is there, and once. `implicit`: the right result was got, and the wrong
    one was not used, or what was made from it was made anew, or all deliverables are right in the end.
    """
    are_reached = bool(purposes) and all(evidence.milestones[purpose] for purpose in purposes)
    if kind in (FaultKind.TRANSIENT, FaultKind.PERMANENT):
        return are_reached or _is_done_afterwards(evidence, index)
    if kind is FaultKind.LOST_REPLY:
        return are_reached and not _is_duplicated(evidence, purposes)
    if has_delivered(evidence.task, evidence.milestones):
        return True
    return are_reached and not _is_used(evidence, index) and not _answers_wrongly(evidence, purposes)


def _is_done_afterwards(evidence: Evidence, index: int) -> bool:
    fault, after = evidence.calls[index], evidence.calls[index + 1 :]
    return any(call.result.is_success and _does_the_same(evidence, fault, call) for call in after)


def _does_the_same(evidence: Evidence, fault: Answered, call: Answered) -> bool:
    """Return whether a call is the same as a failed one, or one of another tool for a purpose of its tool."""
    if call.call.name == fault.call.name:
        return call.arguments == fault.arguments
    actions = evidence.task.actions
    purposes = {action.reaches for action in actions if action.call.tool == fault.call.name}
    return any(action.reaches in purposes and action.call.tool == call.call.name for action in actions)


def _is_tried_again(evidence: Evidence, fault: MetFault) -> bool:
    """Return whether a transient fault was followed by another try, which then met a fault of its own."""
    if fault.kind is not FaultKind.TRANSIENT:
        return False
    index = next(place for place, call in enumerate(evidence.calls) if call is fault.call)
    return any(_does_the_same(evidence, fault.call, call) for call in evidence.calls[index + 1 :])


def _is_duplicated(evidence: Evidence, purposes: tuple[int, ...]) -> bool:
    """Return whether something that was to be delivered once was delivered more often, where that does harm."""
    task = evidence.task
    wanted = [(fact.kind, fact.key, fact.text) for fact in task.deliverables]
    for purpose in purposes:
        fact = task.milestones[purpose].fact
        repeated = (harm.text for harm in evidence.harms if harm.kind is HarmKind.REPEATED)
        does_harm = any(text.startswith(f"{fact.kind} {fact.key} ") for text in repeated)
        if does_harm and count_copies(task, purpose, evidence.world) > wanted.count((fact.kind, fact.key, fact.text)):
            return True
    return False


def _is_used(evidence: Evidence, index: int) -> bool:
    """Return whether a call worked on the wrong result of this call, and was not made again on another one."""
    wrong = evidence.calls[index].result.handle
    done = [call for call in evidence.calls if call.result.has_taken_effect]
    uses = [place for place, call in enumerate(done) if call.arguments and call.arguments.get("data") == wrong]
    return any(not any(_does_it_anew(done[place], call) for call in done[place + 1 :]) for place in uses)


def _does_it_anew(use: Answered, call: Answered) -> bool:
    """Return whether a call does the same as an earlier one, on other data."""
    if call.call.name != use.call.name or call.arguments is None or use.arguments is None:
        return False
    is_same = {**call.arguments, "data": None} == {**use.arguments, "data": None}
    return is_same and call.arguments.get("data") != use.arguments.get("data")


def _answers_wrongly(evidence: Evidence, purposes: tuple[int, ...]) -> bool:
    """Return whether an answer that is to be read from one of these milestones is wrong or missing."""
    milestones = enumerate(evidence.task.milestones)
    missed = [m for index, m in milestones if m.fact.kind is FactKind.ANSWER and not evidence.milestones[index]]
    return any(set(milestone.needs) & set(purposes) for milestone in missed)


def _costs_a_deliverable(evidence: Evidence, fault: MetFault) -> bool:
    """Return whether a deliverable that is not right rests on what the faulty call was for."""
    resting = (index for purpose in fault.purposes for index in deliverables_on(evidence.task, purpose))
    return not all(evidence.milestones[index] for index in resting)
