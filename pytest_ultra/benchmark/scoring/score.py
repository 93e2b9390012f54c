"""The score of an episode: outcome, failure class and all measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ultra.benchmark.answers import says_not_done
from pytest_ultra.benchmark.goal import has_delivered
from pytest_ultra.benchmark.scoring.adherence import first_divergence, obeyed_damages, shown_plan
from pytest_ultra.benchmark.scoring.evidence import MISSING_INPUT, Evidence
from pytest_ultra.benchmark.scoring.failure_classes import classify, find_underlying_cause
from pytest_ultra.benchmark.scoring.look_ups import count_look_ups, find_needed_look_ups
from pytest_ultra.benchmark.scoring.recovery import MetFault, met_faults, unrecovered_fault
from pytest_ultra.benchmark.scoring.route import find_cheapest_route
from pytest_ultra.benchmark.scoring.sound_steps import find_sound_steps
from pytest_ultra.benchmark.task import Action, BenchmarkGuidance
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import HarmKind, Outcome, Score
from pytest_ultra.core.transcript import EndReason, Event
from pytest_ultra.core.workflow import Call

PARTIAL_ABOVE = 0.5

_NOT_FAILED = (Outcome.FULL, Outcome.SKIPPED)
"""The outcomes that have no failure class."""

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
    failure_class = None if outcome in _NOT_FAILED else classify(evidence)
    return Score(
        outcome=outcome,
        failure_class=failure_class,
        cause=find_underlying_cause(evidence, failure_class),
        milestone_coverage=evidence.coverage,
        turns=len(evidence.replies),
        harms=len(evidence.harms),
        harm_kinds=",".join(kind for kind in HarmKind if any(harm.kind is kind for harm in evidence.harms)),
        claimed_done=_has_claimed_done(evidence),
        **_measure_calls(evidence, outcome),
        **_measure_adherence(evidence, case),
        **_measure_recovery(evidence, outcome),
    )


Measures = dict[str, Any]
"""Some fields of a score, by name."""


def _measure_calls(evidence: Evidence, outcome: Outcome) -> Measures:
    route = find_cheapest_route(evidence.task, evidence.called_tools)
    path = [*(action.call for action in route), *find_needed_look_ups(evidence, route)]
    calls = len(evidence.calls)
    sound_calls = calls - len(evidence.random_faults)
    return {
        "tool_calls": calls,
        "reference_calls": len(evidence.guidance.optimal.steps),
        "route_calls": len(path),
        "efficiency": len(path) / sound_calls if outcome is Outcome.FULL and sound_calls else None,
        "tool_precision": _tool_precision(evidence, path),
        "tool_recall": _tool_recall(evidence, route),
        "argument_validity": _argument_validity(evidence),
        "dependency_violations": sum(call.result.code in MISSING_INPUT for call in evidence.calls),
    }


def _measure_adherence(evidence: Evidence, case: Case) -> Measures:
    plan = shown_plan(evidence.guidance, case.prompt_type)
    obeyed = obeyed_damages(evidence)
    sound = find_sound_steps(evidence, plan) if plan and not case.prompt_type.flaw_kind else ()
    return {
        "obedience": sum(obeyed) / len(obeyed) if obeyed else None,
        "damaged_steps": len(obeyed),
        "obeyed_steps": sum(obeyed),
        "first_divergence": first_divergence(evidence, plan) if plan else None,
        "sound_steps": len(sound),
        "distrusted_steps": sum(step.is_distrusted for step in sound),
        "look_ups": count_look_ups(evidence, plan),
    }


def _measure_recovery(evidence: Evidence, outcome: Outcome) -> Measures:
    faults = met_faults(evidence)
    unrecovered = None if outcome in _NOT_FAILED else unrecovered_fault(evidence, faults)
    return {
        "random_faults": len(faults),
        "recovered_faults": sum(fault.is_recovered for fault in faults),
        "unrecovered_fault": None if unrecovered is None else unrecovered.description,
        **_count_by_kind(faults),
    }


def _count_by_kind(faults: Sequence[MetFault]) -> Measures:
    """Return the score's counts of the kinds of faults that it has counts for."""
    counts: Measures = {}
    for kind in (FaultKind.PERMANENT, FaultKind.LOST_REPLY, FaultKind.IMPLICIT):
        met = [fault.is_recovered for fault in faults if fault.kind is kind]
        counts |= {f"{kind}_faults": len(met), f"recovered_{kind}_faults": sum(met)}
    return counts


def _outcome(evidence: Evidence) -> Outcome:
    if evidence.end.is_infrastructure:
        return Outcome.ERROR
    if evidence.end is EndReason.SKIPPED:
        return Outcome.SKIPPED
    if evidence.end is EndReason.AGENT_ERROR:
        return Outcome.FAILED  # whatever it delivered before
    if has_delivered(evidence.task, evidence.milestones):
        return Outcome.FAILED if evidence.harms else Outcome.FULL
    is_partial = evidence.coverage > PARTIAL_ABOVE and not evidence.harms
    return Outcome.PARTIAL if is_partial else Outcome.FAILED


def _has_claimed_done(evidence: Evidence) -> bool | None:
    """Return whether the last words claim that the job is done; None if the model did not end the episode itself."""
    if evidence.end is not EndReason.STOPPED or not evidence.replies:
        return None
    return not says_not_done(evidence.replies[-1].text)


def _tool_precision(evidence: Evidence, path: Sequence[Call]) -> float | None:
    """Return the share of the called tools that the route or a needed look-up takes."""
    called = evidence.called_tools
    needed = {call.tool for call in path}
    return len(called & needed) / len(called) if called else None


def _tool_recall(evidence: Evidence, route: Sequence[Action]) -> float | None:
    """Return the share of the route's calls whose tool was called."""
    called = evidence.called_tools
    return sum(action.call.tool in called for action in route) / len(route) if route else None


def _argument_validity(evidence: Evidence) -> float | None:
    """Return the share of the calls that name an existing tool and satisfy its schema."""
    valid = [call.result.code not in _INVALID for call in evidence.calls]
    return sum(valid) / len(valid) if valid else None
