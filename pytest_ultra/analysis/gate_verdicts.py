"""Verdicts on gates from episodes and limits, and the exit code that follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from pytest_ultra.analysis.group_members import members
from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.mcnemar import ALPHA
from pytest_ultra.analysis.paired_difference import compare
from pytest_ultra.analysis.run_comparison import choose_contrast
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Contrast, PairedDifference
from pytest_ultra.core.gates import Decision, ExitStatus, Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import ALL, FLAWED, GateOn


class GateEvaluator:
    """Evaluates gates on a run's episodes; `reference` is the earlier run, `on` the figure compared with the limit."""

    def __init__(self, episodes: Sequence[Episode], reference: Sequence[Episode], on: GateOn) -> None:
        self._episodes = episodes
        self._reference = reference
        self._on = on

    def evaluate(self, gate: Gate) -> Verdict:
        verdict = self._evaluate(gate)
        has_figure = verdict.rate is not None or verdict.difference is not None
        return self._with_errors(verdict) if has_figure else verdict

    def _with_errors(self, verdict: Verdict) -> Verdict:
        """Count the errors that the figure leaves out; one over the few cases that were answered meets no gate."""
        outcomes = [episode.outcome for episode in self._in(verdict.gate.group)]
        errors, scored = outcomes.count(Outcome.ERROR), sum(outcome.is_scored for outcome in outcomes)
        verdict = msgspec.structs.replace(verdict, left_out=errors)
        if errors <= scored or verdict.obstacle is not None:
            return verdict
        return msgspec.structs.replace(verdict, is_met=False, obstacle=Obstacle.MOSTLY_ERRORS)

    def _evaluate(self, gate: Gate) -> Verdict:
        match gate.kind:
            case GateKind.FAIL_UNDER:
                return self._rate_verdict(gate)
            case GateKind.MAX_DROP:
                return self._drop_verdict(gate)
            case GateKind.MAX_REGRESSION:
                return self._regression_verdict(gate)
            case GateKind.MAX_ERRORS:
                return self._errors_verdict(gate)

    def _rate_verdict(self, gate: Gate) -> Verdict:
        scored = [episode for episode in self._in(gate.group) if episode.outcome.is_scored]
        rate = measure_rate(sum(episode.outcome is Outcome.FULL for episode in scored), len(scored))
        if rate is None or gate.limit is None:
            return Verdict(gate, is_met=False, obstacle=Obstacle.NO_SCORED_CASE)
        figure = rate.low if self._on is GateOn.BOUND else rate.value
        return Verdict(gate, is_met=figure >= gate.limit, rate=rate)

    def _drop_verdict(self, gate: Gate) -> Verdict:
        """Return the verdict on the flaw that costs most; a flaw without a pair counts as the worst."""
        if gate.group in (*FLAWED_PROMPT_TYPES, FLAWED):
            return self._flaw_verdict(gate, self._in(gate.group))
        group = self._in(gate.group)
        verdicts = [self._flaw_verdict(gate, cases, flaw) for flaw, cases in _by_flaw(group)]
        return max(verdicts, key=self._badness, default=Verdict(gate, is_met=False, obstacle=Obstacle.NO_SCORED_CASE))

    def _flaw_verdict(self, gate: Gate, flawed: Sequence[Episode], flaw: str | None = None) -> Verdict:
        if not any(episode.outcome.is_scored for episode in flawed):
            return Verdict(gate, is_met=False, worst=flaw, obstacle=Obstacle.NO_SCORED_CASE)
        difference = compare(flawed, members(self._episodes, PromptType.OPTIMAL), Contrast.PROMPT_TYPE)
        return self._loss_verdict(gate, difference, flaw)

    def _regression_verdict(self, gate: Gate) -> Verdict:
        sample, reference = self._in(gate.group), _members(self._reference, gate.group)
        if not any(episode.outcome.is_scored for episode in sample):
            return Verdict(gate, is_met=False, obstacle=Obstacle.NO_SCORED_CASE)
        return self._loss_verdict(gate, compare(sample, reference, choose_contrast(self._episodes, self._reference)))

    def _loss_verdict(self, gate: Gate, difference: PairedDifference | None, worst: str | None = None) -> Verdict:
        if difference is None:
            return Verdict(gate, is_met=False, worst=worst, obstacle=Obstacle.NO_PAIR)
        if gate.limit is None:
            return Verdict(gate, is_met=not is_significant_loss(difference), difference=difference)
        loss = _find_loss(difference, self._on)
        obstacle = Obstacle.NO_INTERVAL if loss is None else None
        is_met = loss is not None and loss <= gate.limit
        return Verdict(gate, is_met=is_met, difference=difference, worst=worst, obstacle=obstacle)

    def _errors_verdict(self, gate: Gate) -> Verdict:
        errors = sum(episode.outcome is Outcome.ERROR for episode in self._episodes)
        return Verdict(gate, is_met=errors <= (gate.limit or 0), errors=errors)

    def _badness(self, verdict: Verdict) -> float:
        loss = None if verdict.difference is None else _find_loss(verdict.difference, self._on)
        return math.inf if loss is None else loss

    def _in(self, group: str) -> Sequence[Episode]:
        return _members(self._episodes, group)


def is_significant_loss(difference: PairedDifference) -> bool:
    """Return whether the loss is significant, by McNemar's test and by the interval if there is one."""
    is_below = difference.high is None or difference.high < 0
    return difference.value < 0 and difference.p_value < ALPHA and is_below


def decide(
    verdicts: Iterable[Verdict],
    status: int,
    *,
    on: GateOn = GateOn.RATE,
    other_failures: int = 0,
    interruption: str | None = None,
    is_stopped: bool = False,
) -> Decision:
    """Return the decision; a missed gate fails the run.

    `status` is the exit code without gates. It is kept if it is one of pytest's own (interrupted, ...).
    """
    all_verdicts = tuple(verdicts)
    is_pytests_own = status not in tuple(ExitStatus)
    is_missed = not all(verdict.is_met for verdict in all_verdicts)
    exit_code = ExitStatus.FAILED if is_missed and not is_pytests_own else status
    return Decision(all_verdicts, int(exit_code), other_failures, interruption, is_stopped, on)


def _members(episodes: Sequence[Episode], group: str) -> Sequence[Episode]:
    return episodes if group == ALL else members(episodes, group)


def _by_flaw(episodes: Sequence[Episode]) -> list[tuple[str, Sequence[Episode]]]:
    flaws = {episode.case.prompt_type for episode in episodes}
    return [(flaw, members(episodes, flaw)) for flaw in FLAWED_PROMPT_TYPES if flaw in flaws]


def _find_loss(difference: PairedDifference, on: GateOn) -> float | None:
    """Return the share that was lost, or its upper bound, None without an interval.

    The share is an exact quotient, so that 2 of 10 are 0.2.
    """
    if on is GateOn.RATE:
        return (difference.lost - difference.won) / difference.pairs
    return None if difference.low is None else -difference.low
