"""Failure classes: assigned by rule from typed events, never by searching text."""

from __future__ import annotations

from pytest_ultra.benchmark.facts import Fact
from pytest_ultra.benchmark.goal import has_delivered
from pytest_ultra.benchmark.scoring.delivered import delivered_instead
from pytest_ultra.benchmark.scoring.evidence import MISSING_INPUT, Evidence
from pytest_ultra.benchmark.scoring.recovery import unrecovered_fault
from pytest_ultra.benchmark.scoring.route import find_cheapest_route
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.transcript import Answered, EndReason

_BY_END = {
    EndReason.MAX_TURNS: FailureClass.MAX_TURNS,
    EndReason.AGENT_TIMEOUT: FailureClass.AGENT_TIMEOUT,
    EndReason.GAVE_UP: FailureClass.GAVE_UP,
    EndReason.MALFORMED_GENERATION: FailureClass.MALFORMED_GENERATION,
    EndReason.CONTEXT_OVERFLOW: FailureClass.CONTEXT_OVERFLOW,
    EndReason.TRUNCATED: FailureClass.TRUNCATED,
    EndReason.REFUSED: FailureClass.REFUSED,
    EndReason.AGENT_ERROR: FailureClass.AGENT_ERROR,
    EndReason.ENDPOINT: FailureClass.ENDPOINT,
    EndReason.RATE_LIMIT: FailureClass.RATE_LIMIT,
    EndReason.AGENT_SETUP: FailureClass.AGENT_SETUP,
    EndReason.HARNESS: FailureClass.HARNESS,
}
_ENDS_ONLY = (FailureClass.MAX_TURNS, FailureClass.AGENT_TIMEOUT, FailureClass.GAVE_UP, FailureClass.AGENT_ERROR)
_BY_CODE = {
    EarnedCode.MALFORMED_CALL: FailureClass.TOOL_CALL_FORMAT,
    EarnedCode.MALFORMED_ARGUMENTS: FailureClass.TOOL_CALL_FORMAT,
    EarnedCode.NOT_DESCRIBED: FailureClass.TOOL_SELECTION,
    EarnedCode.UNKNOWN_TOOL: FailureClass.TOOL_SELECTION,
    EarnedCode.INVALID_ARGUMENTS: FailureClass.PARAMETER_CONFIG,
    EarnedCode.NOT_FOUND: FailureClass.PARAMETER_CONFIG,
    EarnedCode.UNKNOWN_FIELD: FailureClass.PARAMETER_CONFIG,
    EarnedCode.WRONG_DATA: FailureClass.DEPENDENCY,
}


def classify(evidence: Evidence) -> FailureClass:
    """Return why an episode is not `full`.

    The order of the rules: an exception of the agent; an infrastructure failure; harm beside a correct result, which
    may come from a random fault; an end that the model did not choose; the cause (`find_cause`).
    """
    if evidence.end is EndReason.AGENT_ERROR:
        return FailureClass.AGENT_ERROR
    if has_delivered(evidence.task, evidence.milestones) and not evidence.end.is_infrastructure:
        is_from_fault = unrecovered_fault(evidence) is not None
        return FailureClass.UNRECOVERED_FAULT if is_from_fault else FailureClass.HARMFUL_SIDE_EFFECT
    if evidence.end in _BY_END:
        return _BY_END[evidence.end]
    return find_cause(evidence) or FailureClass.WRONG_DELIVERABLE


def find_underlying_cause(evidence: Evidence, failure_class: FailureClass | None) -> FailureClass | None:
    """Return what lies under a class that names only how the episode ended; None if nothing does."""
    return find_cause(evidence) if failure_class in _ENDS_ONLY else None


def find_cause(evidence: Evidence) -> FailureClass | None:
    """Return what the model did wrong; None if it only did too little.

    The order of the rules: a random fault that was not dealt with; the first earned error that was never corrected
    (later ones follow from it); needed tools that were not called, with others in their place; a wrong value where the
    goal wants another.
    """
    if unrecovered_fault(evidence) is not None:
        return FailureClass.UNRECOVERED_FAULT
    uncorrected = [index for index, call in enumerate(evidence.calls) if _is_uncorrected(evidence, index, call)]
    if uncorrected:
        return _classify_error(evidence, uncorrected[0])
    if _has_chosen_wrong_tools(evidence):
        return FailureClass.TOOL_SELECTION
    is_wrong = any(delivered_instead(fact, evidence) for fact in _missed(evidence))
    return FailureClass.WRONG_DELIVERABLE if is_wrong else None


def _is_uncorrected(evidence: Evidence, index: int, call: Answered) -> bool:
    """Return whether a call got an earned error and its tool (any tool, if it names none) never succeeded later."""
    if call.result.is_success or call.result.is_random:
        return False
    later = evidence.calls[index + 1 :]
    return not any(call.call.name in ("", other.call.name) and other.result.is_success for other in later)


def _classify_error(evidence: Evidence, index: int) -> FailureClass:
    """Classify an earned error. A missing input is a wrong order if a later call succeeded, else a dependency error."""
    code = EarnedCode(evidence.calls[index].result.code or "")
    if code not in MISSING_INPUT:
        return _BY_CODE[code]
    is_followed = any(call.result.is_success for call in evidence.calls[index + 1 :])
    return FailureClass.SEQUENCE_ORDER if is_followed else FailureClass.DEPENDENCY


def _has_chosen_wrong_tools(evidence: Evidence) -> bool:
    """Return whether the model called unneeded tools and did not call some that the goal needs."""
    called = evidence.called_tools
    needed = {action.call.tool for action in evidence.task.actions}
    missed = [
        action for action in find_cheapest_route(evidence.task, called) if not evidence.milestones[action.reaches]
    ]
    return bool(called - needed) and any(action.call.tool not in called for action in missed)


def _missed(evidence: Evidence) -> list[Fact]:
    milestones = zip(evidence.task.milestones, evidence.milestones, strict=True)
    return [milestone.fact for milestone, is_reached in milestones if milestone.is_deliverable and not is_reached]
