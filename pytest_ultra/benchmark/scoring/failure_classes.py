"""Failure classes: assigned by rule from typed events, never by searching text."""

from __future__ import annotations

from pytest_ultra.benchmark.goal import has_delivered
from pytest_ultra.benchmark.scoring.evidence import MISSING_INPUT, Evidence
from pytest_ultra.benchmark.scoring.recovery import unrecovered_fault
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
    EndReason.ENDPOINT: FailureClass.ENDPOINT,
    EndReason.RATE_LIMIT: FailureClass.RATE_LIMIT,
    EndReason.HARNESS: FailureClass.HARNESS,
}
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

    The order of the rules: a random fault that was not dealt with; harm beside a correct result; an end that the
    model did not choose; the first earned error that was never corrected (later ones follow from it); needed tools
    that were not called.
    """
    if unrecovered_fault(evidence) is not None:
        return FailureClass.UNRECOVERED_FAULT
    if has_delivered(evidence.task, evidence.milestones) and not evidence.end.is_infrastructure:
        return FailureClass.HARMFUL_SIDE_EFFECT
    if evidence.end in _BY_END:
        return _BY_END[evidence.end]
    uncorrected = [index for index, call in enumerate(evidence.calls) if _is_uncorrected(evidence, index, call)]
    if uncorrected:
        return _classify_error(evidence, uncorrected[0])
    return FailureClass.TOOL_SELECTION if _has_chosen_wrong_tools(evidence) else FailureClass.WRONG_DELIVERABLE


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
    missed = [action for action in evidence.task.actions if not evidence.milestones[action.reaches]]
    return bool(called - needed) and any(action.call.tool not in called for action in missed)
