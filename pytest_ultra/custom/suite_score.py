"""The score of an episode in a user's suite, computed from its events alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pytest_ultra.benchmark.answers import says_not_done
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass, HarmKind, Outcome, Score
from pytest_ultra.core.transcript import Answered, EndReason, Event
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.custom.custom_task import CustomGuidance
from pytest_ultra.custom.goal_state import EpisodeEvidence, gather
from pytest_ultra.custom.suite_adherence import find_divergence, find_obeyed, find_sound
from pytest_ultra.custom.suite_faults import find_step
from pytest_ultra.custom.tool_run import CallErrorCode

PARTIAL_ABOVE = 0.5

_ENDS_ONLY = (FailureClass.MAX_TURNS, FailureClass.AGENT_TIMEOUT, FailureClass.GAVE_UP, FailureClass.AGENT_ERROR)
_BLAMES_FAULTS = (EndReason.STOPPED, EndReason.MAX_TURNS, EndReason.AGENT_TIMEOUT, EndReason.GAVE_UP)
_FORMAT = ("MALFORMED_CALL", CallErrorCode.MALFORMED_ARGUMENTS)
_INVALID = (*_FORMAT, CallErrorCode.INVALID_ARGUMENTS, CallErrorCode.UNKNOWN_TOOL)


def score_episode(case: Case, guidance: CustomGuidance, events: Sequence[Event]) -> Score:
    """Score a transcript. The same events always give the same score."""
    evidence = gather(guidance.task, events)
    outcome = _outcome(evidence)
    is_missed = outcome not in (Outcome.FULL, Outcome.SKIPPED)
    failure_class = _classify(evidence) if is_missed else None
    plan = guidance.shown(case.prompt_type)
    faults = _met_faults(evidence, outcome)
    unrecovered = _unrecovered(evidence, faults) if is_missed else None
    obeyed = find_obeyed(guidance, evidence) if case.prompt_type.flaw_kind else ()
    sound = find_sound(guidance, evidence, plan) if plan and not case.prompt_type.flaw_kind else ()
    return Score(
        outcome=outcome,
        failure_class=failure_class,
        milestone_coverage=_coverage(evidence),
        obedience=sum(obeyed) / len(obeyed) if obeyed else None,
        first_divergence=find_divergence(plan, evidence) if plan else None,
        turns=len(evidence.replies),
        cause=_find_cause(evidence) if failure_class in _ENDS_ONLY else None,
        harms=len(evidence.harms),
        harm_kinds=",".join(kind for kind in HarmKind if any(harm.kind is kind for harm in evidence.harms)),
        claimed_done=_has_claimed_done(evidence),
        damaged_steps=len(obeyed),
        obeyed_steps=sum(obeyed),
        sound_steps=len(sound),
        distrusted_steps=sum(sound),
        look_ups=_count_look_ups(evidence, plan),
        unrecovered_fault=None if unrecovered is None else _describe(unrecovered),
        **_measure_calls(guidance, evidence, len(faults), is_full=outcome is Outcome.FULL),
        **_count_faults(faults),
    )


def _measure_calls(
    guidance: CustomGuidance, evidence: EpisodeEvidence, faults: int, *, is_full: bool
) -> dict[str, Any]:
    """Measure how the tools were used, against the reference workflow; `faults` of the calls met a random one."""
    calls, route = len(evidence.calls), len(guidance.optimal.steps)
    needed = {step.tool for step in guidance.task.steps}
    others = {step.fallback.tool for step in guidance.task.steps if step.fallback}
    called = evidence.called_tools
    valid = [call.result.code not in _INVALID for call in evidence.calls]
    return {
        "tool_calls": calls,
        "reference_calls": route,
        "route_calls": route,
        "efficiency": min(1.0, route / (calls - faults)) if is_full and calls > faults and route else None,
        "tool_precision": len(called & (needed | others)) / len(called) if called and needed else None,
        "tool_recall": len(called & needed) / len(needed) if needed else None,
        "argument_validity": sum(valid) / len(valid) if valid else None,
        "dependency_violations": sum(_lacks_input(call) for call in evidence.calls),
    }


def _coverage(evidence: EpisodeEvidence) -> float:
    if evidence.checked_share is not None:
        return evidence.checked_share
    reached = [each.is_reached for each in evidence.milestones]
    return sum(reached) / len(reached) if reached else 0.0


def _outcome(evidence: EpisodeEvidence) -> Outcome:
    if evidence.end.is_infrastructure:
        return Outcome.ERROR
    if evidence.end is EndReason.SKIPPED:
        return Outcome.SKIPPED
    if evidence.end is EndReason.AGENT_ERROR:
        return Outcome.FAILED
    if evidence.has_delivered:
        return Outcome.FAILED if evidence.harms else Outcome.FULL
    return Outcome.PARTIAL if _coverage(evidence) > PARTIAL_ABOVE and not evidence.harms else Outcome.FAILED


def _has_claimed_done(evidence: EpisodeEvidence) -> bool | None:
    if evidence.end is not EndReason.STOPPED or not evidence.replies:
        return None
    return not says_not_done(evidence.replies[-1].text)


def _classify(evidence: EpisodeEvidence) -> FailureClass:
    """Return why an episode is not `full`; the rules have the order of the built-in benchmark's."""
    if evidence.end is EndReason.AGENT_ERROR:
        return FailureClass.AGENT_ERROR
    if evidence.has_delivered and not evidence.end.is_infrastructure:
        return FailureClass.HARMFUL_SIDE_EFFECT
    if evidence.end is not EndReason.STOPPED:
        return FailureClass(evidence.end.value)
    return _find_cause(evidence) or FailureClass.WRONG_DELIVERABLE


def _find_cause(evidence: EpisodeEvidence) -> FailureClass | None:
    """Return what the model did wrong; None if it only did too little."""
    faults = _met_faults(evidence, Outcome.FAILED)
    if _unrecovered(evidence, faults) is not None:
        return FailureClass.UNRECOVERED_FAULT
    for index, call in enumerate(evidence.calls):
        later = evidence.calls[index + 1 :]
        is_corrected = any(call.call.name in ("", other.call.name) and other.result.is_success for other in later)
        if not call.result.is_success and not call.result.is_random and not is_corrected:
            return _classify_error(call, is_followed=any(other.result.is_success for other in later))
    needed = {step.tool for step in evidence.task.steps}
    others = {step.fallback.tool for step in evidence.task.steps if step.fallback}
    if evidence.called_tools - needed - others and needed - evidence.called_tools:
        return FailureClass.TOOL_SELECTION
    if evidence.harms:
        return FailureClass.HARMFUL_SIDE_EFFECT
    return FailureClass.WRONG_DELIVERABLE if any(each.delivered for each in evidence.milestones) else None


def _classify_error(call: Answered, *, is_followed: bool) -> FailureClass:
    if call.result.code in _FORMAT:
        return FailureClass.TOOL_CALL_FORMAT
    if call.result.code == CallErrorCode.UNKNOWN_TOOL:
        return FailureClass.TOOL_SELECTION
    if _lacks_input(call):
        return FailureClass.SEQUENCE_ORDER if is_followed else FailureClass.DEPENDENCY
    return FailureClass.PARAMETER_CONFIG


def _lacks_input(call: Answered) -> bool:
    """Return whether a call failed because it names the output of a step that there was none of."""
    values = (call.arguments or {}).values()
    is_unresolved = any(isinstance(value, str) and value.startswith("<output of step ") for value in values)
    return is_unresolved and not call.result.is_success


def _met_faults(evidence: EpisodeEvidence, outcome: Outcome) -> list[tuple[Answered, bool]]:
    """Return the calls that met a fault, and whether the agent recovered from it."""
    calls = enumerate(evidence.calls)
    faulty = [(index, call) for index, call in calls if call.result.fault_kind is not None]
    faulty = [(index, call) for index, call in faulty if not _is_known(evidence.calls[:index], call)]
    return [(call, outcome is Outcome.FULL or _is_recovered(evidence, index)) for index, call in faulty]


def _is_known(earlier: Sequence[Answered], fault: Answered) -> bool:
    """Return whether a call only shows again that its tool is down."""
    if fault.result.fault_kind is not FaultKind.PERMANENT:
        return False
    return any(call.call.name == fault.call.name and call.result.fault_kind is FaultKind.PERMANENT for call in earlier)


def _is_recovered(evidence: EpisodeEvidence, index: int) -> bool:
    """Return whether the same call succeeded later; after a lost reply, whether its change is there and once.

    Of a tool that is down, a fallback of one of its steps has to succeed.
    """
    fault = evidence.calls[index]
    if fault.result.fault_kind is FaultKind.PERMANENT:
        others = {step.fallback.tool for step in evidence.task.steps if step.tool == fault.call.name and step.fallback}
        return any(call.call.name in others and call.result.is_success for call in evidence.calls[index + 1 :])
    again = [call for call in evidence.calls[index + 1 :] if _is_same(call, fault)]
    if fault.result.fault_kind is FaultKind.LOST_REPLY:
        happened = [call for call in (fault, *again) if call.result.has_taken_effect]
        return len(happened) == 1
    return any(call.result.is_success and call.result.fault is None for call in again)


def _is_same(one: Answered, other: Answered) -> bool:
    return (one.call.name, one.arguments) == (other.call.name, other.arguments)


def _unrecovered(evidence: EpisodeEvidence, faults: list[tuple[Answered, bool]]) -> Answered | None:
    """Return the first fault of a call that the reference makes, that was not dealt with though a turn was left."""
    if evidence.end not in _BLAMES_FAULTS or evidence.has_delivered:
        return None
    last = evidence.replies[-1].turn if evidence.replies else 0
    for call, is_recovered in faults:
        is_needed = find_step(evidence.task.steps, call.call.name, call.arguments) is not None
        is_retried = call.result.fault_kind is FaultKind.TRANSIENT and any(
            _is_same(other, call) for other in evidence.calls[evidence.calls.index(call) + 1 :]
        )
        if is_needed and not is_recovered and not is_retried and call.turn < last:
            return call
    return None


def _describe(call: Answered) -> str:
    kind = str(call.result.fault_kind).replace("_", " ")
    how = f" ({call.result.fault_effect.replace('_', ' ')})" if call.result.fault_kind is FaultKind.IMPLICIT else ""
    return f"{kind} fault{how} of {call.call.name} in turn {call.turn}"


def _count_faults(faults: list[tuple[Answered, bool]]) -> dict[str, int]:
    """Count the random faults that were met and those that were recovered from, in all and by kind."""
    counts = {"random_faults": len(faults), "recovered_faults": sum(is_recovered for _, is_recovered in faults)}
    for kind in (FaultKind.PERMANENT, FaultKind.LOST_REPLY, FaultKind.IMPLICIT):
        met = [is_recovered for call, is_recovered in faults if call.result.fault_kind is kind]
        counts |= {f"{kind}_faults": len(met), f"recovered_{kind}_faults": sum(met)}
    return counts


def _count_look_ups(evidence: EpisodeEvidence, plan: Workflow | None) -> int:
    """Return how many successful calls changed nothing and are no step of the plan or of the reference.

    A step is counted out once: a repetition only looks again.
    """
    needed = [step.tool for step in evidence.task.steps] + ([step.call.tool for step in plan.steps] if plan else [])
    left = {tool: needed.count(tool) for tool in dict.fromkeys(needed)}
    found = 0
    for call in evidence.calls:
        if not call.result.is_success or call.result.change is not msgspec.UNSET:
            continue
        if find_step(evidence.task.steps, call.call.name, call.arguments) is not None and left.get(call.call.name):
            left[call.call.name] -= 1
        else:
            found += 1
    return found
