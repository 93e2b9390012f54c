"""Failure classes: by rule, from typed events; never by searching text for words."""

from __future__ import annotations

from pytest_ultra.benchmark.goal import has_delivered
from pytest_ultra.benchmark.scoring.evidence import MISSING_INPUT, Evidence
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.transcript import Answered, EndReason

_BY_END = {
    EndReason.MAX_TURNS: FailureClass.MAX_TURNS,
    EndReason.AGENT_TIMEOUT: FailureClass.AGENT_TIMEOUT,
    EndReason.GAVE_UP: FailureClass.GAVE_UP,
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
    """Name the reason for which an episode is not `full`.

    A failure of the infrastructure comes first; then harm done beside a right result; then how it ended, if
    that was not the model's free choice; then the first earned error that was never mended (later ones follow
    from it); then needed tools that were passed over.
    """
    if has_delivered(evidence.task, evidence.milestones) and not evidence.end.is_infrastructure:
        return FailureClass.HARMFUL_SIDE_EFFECT
    if evidence.end in _BY_END:
        return _BY_END[evidence.end]
    unmended = [index for index, call in enumerate(evidence.calls) if _is_unmended(evidence, index, call)]
    if unmended:
        return _classify_error(evidence, unmended[0])
    return FailureClass.TOOL_SELECTION if _has_chosen_wrong_tools(evidence) else FailureClass.WRONG_DELIVERABLE


def _is_unmended(evidence: Evidence, index: int, call: Answered) -> bool:
    """Tell whether a call met an earned error and its tool (any, if it names none) never succeeded afterwards."""
    if call.result.is_success or call.result.is_random:
        return False
    later = evidence.calls[index + 1 :]
    return not any(call.call.name in ("", other.call.name) and other.result.is_success for other in later)


def _classify_error(evidence: Evidence, index: int) -> FailureClass:
    """A missing input that came up later on is a matter of order, one that never did of dependency."""
    code = EarnedCode(evidence.calls[index].result.code or "")
    if code not in MISSING_INPUT:
        return _BY_CODE[code]
    is_followed = any(call.result.is_success for call in evidence.calls[index + 1 :])
    return FailureClass.SEQUENCE_ORDER if is_followed else FailureClass.DEPENDENCY


def _has_chosen_wrong_tools(evidence: Evidence) -> bool:
    """Tell whether tools beside the point were called while some that the goal needs were not."""
    called = evidence.called_tools
    needed = {action.call.tool for action in evidence.task.actions}
    missed = [action for action in evidence.task.actions if not evidence.milestones[action.reaches]]
    return bool(called - needed) and any(action.call.tool not in called for action in missed)
