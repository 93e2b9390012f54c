"""The score of an episode: outcome, failure class and all measures."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.benchmark.goal import has_delivered
from pytest_ultra.benchmark.scoring.adherence import first_divergence, obedience, shown_plan
from pytest_ultra.benchmark.scoring.evidence import MISSING_INPUT, Evidence
from pytest_ultra.benchmark.scoring.failure_classes import classify
from pytest_ultra.benchmark.scoring.recovery import MetFault, met_faults, unrecovered_fault
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import FailureClass, Outcome, Score
from pytest_ultra.core.transcript import EndReason, Event

PARTIAL_ABOVE = 0.5

_INVALID = frozenset(
    {
        EarnedCode.MALFORMED_CALL,
        EarnedCode.MALFORMED_ARGUMENTS,
        EarnedCode.INVALID_ARGUMENTS,
        EarnedCode.UNKNOWN_TOOL,
    }
)


def score(case: Case, guidance: BenchmarkGuidance, events: Sequence[Event]) -> Score:
    """Score a transcript. The same events always give the same score."""
    evidence = Evidence.gather(guidance, events)
    outcome = _outcome(evidence)
    plan = shown_plan(guidance, case.prompt_type)
    calls, faulty_calls = len(evidence.calls), len(evidence.random_faults)
    faults = met_faults(evidence)
    unrecovered = None if outcome in (Outcome.FULL, Outcome.SKIPPED) else unrecovered_fault(evidence, faults)
    reference_calls = len(guidance.optimal.steps)
    return Score(
        outcome=outcome,
        failure_class=_failure_class(evidence, outcome),
        milestone_coverage=evidence.coverage,
        tool_calls=calls,
        reference_calls=reference_calls,
        efficiency=_efficiency(reference_calls, calls - faulty_calls, outcome),
        random_faults=len(faults),
        recovered_faults=sum(fault.is_recovered for fault in faults),
        tool_precision=_tool_precision(evidence),
        tool_recall=_tool_recall(evidence),
        argument_validity=_argument_validity(evidence),
        dependency_violations=sum(call.result.code in MISSING_INPUT for call in evidence.calls),
        obedience=obedience(evidence) if evidence.calls else None,
        first_divergence=first_divergence(evidence, plan) if plan else None,
        turns=len(evidence.replies),
        unrecovered_fault=None if unrecovered is None else unrecovered.description,
        **_count_by_kind(faults),
    )


def _efficiency(reference_calls: int, calls: int, outcome: Outcome) -> float | None:
    return reference_calls / calls if outcome is Outcome.FULL and calls > 0 else None


def _count_by_kind(faults: Sequence[MetFault]) -> dict[str, int]:
    """Return the score's counts of the kinds of faults that it has counts for."""
    counts: dict[str, int] = {}
    for kind in (FaultKind.PERMANENT, FaultKind.LOST_REPLY, FaultKind.IMPLICIT):
        met = [fault.is_recovered for fault in faults if fault.kind is kind]
        counts |= {f"{kind}_faults": len(met), f"recovered_{kind}_faults": sum(met)}
    return counts


def _outcome(evidence: Evidence) -> Outcome:
    if evidence.end.is_infrastructure:
        return Outcome.ERROR
    if evidence.end is EndReason.SKIPPED:
        return Outcome.SKIPPED
    if has_delivered(evidence.task, evidence.milestones):
        return Outcome.FAILED if evidence.harms else Outcome.FULL
    return Outcome.PARTIAL if evidence.coverage > PARTIAL_ABOVE else Outcome.FAILED


def _failure_class(evidence: Evidence, outcome: Outcome) -> FailureClass | None:
    return None if outcome in (Outcome.FULL, Outcome.SKIPPED) else classify(evidence)


def _tool_precision(evidence: Evidence) -> float | None:
    """Return the share of the called tools that some milestone needs."""
    called = evidence.called_tools
    needed = {action.call.tool for action in evidence.task.actions}
    return len(called & needed) / len(called) if called else None


def _tool_recall(evidence: Evidence) -> float | None:
    """Return the share of the milestones for which a tool that reaches them was called."""
    called = evidence.called_tools
    reachable = {action.reaches for action in evidence.task.actions}
    served = {action.reaches for action in evidence.task.actions if action.call.tool in called}
    return len(served) / len(reachable)


def _argument_validity(evidence: Evidence) -> float | None:
    """Return the share of the calls that name an existing tool and satisfy its schema."""
    valid = [call.result.code not in _INVALID for call in evidence.calls]
    return sum(valid) / len(valid) if valid else None
