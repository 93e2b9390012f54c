"""Verdicts on gates from episodes and limits, and the exit code that follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pytest_ultra.analysis.clusters import group_by_task
from pytest_ultra.analysis.gate_evidence import Judgement, judge_loss, judge_rate
from pytest_ultra.analysis.group_members import members
from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.mcnemar import ALPHA
from pytest_ultra.analysis.paired_difference import make_test, measure_difference
from pytest_ultra.analysis.pairs import Pairing, Reference, is_full
from pytest_ultra.analysis.run_comparison import choose_contrast
from pytest_ultra.core.axes import FLAWED_MARK, PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.gates import Decision, ExitStatus, Finding, Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import ALL, FLAWED, GateOn
from pytest_ultra.core.paired_evidence import Contrast


class GateEvaluator:
    """Evaluates gates on a run's episodes; `reference` is the earlier run, `on` the figure compared with the limit.

    `alpha` is the chance of a false alarm of each gate.
    """

    def __init__(
        self, episodes: Sequence[Episode], reference: Sequence[Episode], on: GateOn, *, alpha: float = ALPHA
    ) -> None:
        self._episodes = episodes
        self._reference = reference
        self._on = on
        self._alpha = alpha

    def evaluate(self, gate: Gate) -> Verdict:
        verdict = self._evaluate(gate)
        if self._on is GateOn.BOUND and verdict.is_undecided and gate.limit is not None:
            verdict = msgspec.structs.replace(verdict, finding=Finding.MISSED)
        has_figure = verdict.rate is not None or verdict.difference is not None
        return self._with_errors(verdict) if has_figure else verdict

    def _with_errors(self, verdict: Verdict) -> Verdict:
        """Count the errors that the figure leaves out; one over the few cases that were answered meets no gate."""
        outcomes = [episode.outcome for episode in self._in(verdict.gate.group)]
        errors, scored = outcomes.count(Outcome.ERROR), sum(outcome.is_scored for outcome in outcomes)
        verdict = msgspec.structs.replace(verdict, left_out=errors)
        if errors <= scored or verdict.obstacle is not None:
            return verdict
        return msgspec.structs.replace(verdict, finding=Finding.MISSED, obstacle=Obstacle.MOSTLY_ERRORS)

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
        rate = measure_rate(sum(map(is_full, scored)), len(scored))
        if rate is None or gate.limit is None:
            return Verdict(gate, Finding.MISSED, obstacle=Obstacle.NO_SCORED_CASE)
        found = judge_rate(
            group_by_task((e.case.task_key, int(is_full(e))) for e in scored), gate.limit, alpha=self._alpha
        )
        return self._verdict(gate, found, is_kept=rate.value >= gate.limit, rate=rate)

    def _drop_verdict(self, gate: Gate) -> Verdict:
        """Return the verdict on the flaw that costs most; a flaw without a pair counts as the worst.

        If all flaws together are shown to cost more than the limit, one of them must, though it may not be known which.
        So half of the 5 % is spent on their mean, and the other half on the single flaws.
        """
        if gate.group == FLAWED or gate.group.startswith(FLAWED_MARK):
            return self._flaw_verdict(gate, self._in(gate.group))
        by_flaw = _by_flaw(self._in(gate.group))
        n = len(by_flaw)
        verdicts = [self._flaw_verdict(gate, cases, flaw, n, 2 * n if n > 1 else 1) for flaw, cases in by_flaw]
        if not verdicts:
            return Verdict(gate, Finding.MISSED, obstacle=Obstacle.NO_SCORED_CASE)
        worst = max(verdicts, key=_badness)
        if n == 1 or worst.finding is Finding.MISSED or self._on is GateOn.RATE:
            return worst
        together = self._flaw_verdict(gate, [e for _, cases in by_flaw for e in cases], FLAWED, n, 2)
        return together if together.finding is Finding.MISSED else worst

    def _flaw_verdict(
        self, gate: Gate, flawed: Sequence[Episode], flaw: str | None = None, flaws: int = 1, family: int = 1
    ) -> Verdict:
        if not any(episode.outcome.is_scored for episode in flawed):
            return Verdict(gate, Finding.MISSED, worst=flaw, obstacle=Obstacle.NO_SCORED_CASE, flaws=flaws)
        controls = Reference(members(self._episodes, PromptType.OPTIMAL), Contrast.PROMPT_TYPE)
        return self._loss_verdict(gate, controls.pair(flawed), flaw, flaws, family)

    def _regression_verdict(self, gate: Gate) -> Verdict:
        sample, reference = self._in(gate.group), _members(self._reference, gate.group)
        if not any(episode.outcome.is_scored for episode in sample):
            return Verdict(gate, Finding.MISSED, obstacle=Obstacle.NO_SCORED_CASE)
        contrast = choose_contrast(self._episodes, self._reference)
        return self._loss_verdict(gate, Reference(reference, contrast).pair(sample))

    def _loss_verdict(
        self, gate: Gate, pairing: Pairing, worst: str | None = None, flaws: int = 1, family: int = 1
    ) -> Verdict:
        difference = measure_difference(pairing)
        if difference is None:
            return Verdict(gate, Finding.MISSED, worst=worst, obstacle=Obstacle.NO_PAIR, flaws=flaws)
        limit = gate.limit or 0.0
        loss = (difference.lost - difference.won) / difference.pairs  # an exact quotient, so that 2 of 10 are 0.2
        found = judge_loss(*make_test(pairing), limit, family, alpha=self._alpha)
        return self._verdict(gate, found, is_kept=loss <= limit, difference=difference, worst=worst, flaws=flaws)

    def _verdict(self, gate: Gate, found: Judgement, *, is_kept: bool, **fields: Any) -> Verdict:
        """Return the verdict on a figure; `is_kept` says whether the measured one is within the limit."""
        finding, needed = found.finding, found.tasks_needed
        if self._on is GateOn.RATE and gate.limit is not None:
            finding, needed = Finding.MET if is_kept else Finding.MISSED, None
        return Verdict(gate, finding, low=found.low, high=found.high, tasks=found.tasks, tasks_needed=needed, **fields)

    def _errors_verdict(self, gate: Gate) -> Verdict:
        errors = sum(episode.outcome is Outcome.ERROR for episode in self._episodes)
        return Verdict(gate, Finding.MET if errors <= (gate.limit or 0) else Finding.MISSED, errors=errors)

    def _in(self, group: str) -> Sequence[Episode]:
        return _members(self._episodes, group)


def decide(
    verdicts: Iterable[Verdict],
    status: int,
    *,
    on: GateOn = GateOn.EVIDENCE,
    undecided_fails: bool = False,
    other_failures: int = 0,
    interruption: str | None = None,
    is_stopped: bool = False,
) -> Decision:
    """Return the decision; a missed gate fails the run, and an undecided one if `undecided_fails`.

    `status` is the exit code without gates. It is kept if it is one of pytest's own (interrupted, ...).
    """
    all_verdicts = tuple(verdicts)
    is_pytests_own = status not in tuple(ExitStatus)
    failing = {Finding.MISSED, Finding.UNDECIDED} if undecided_fails else {Finding.MISSED}
    is_failed = any(verdict.finding in failing for verdict in all_verdicts)
    exit_code = ExitStatus.FAILED if is_failed and not is_pytests_own else status
    return Decision(all_verdicts, int(exit_code), other_failures, interruption, is_stopped, on, undecided_fails)


def _members(episodes: Sequence[Episode], group: str) -> Sequence[Episode]:
    return episodes if group == ALL else members(episodes, group)


def _by_flaw(episodes: Sequence[Episode]) -> list[tuple[str, Sequence[Episode]]]:
    flaws = {episode.case.prompt_type for episode in episodes if episode.case.prompt_type.flaw_kind}
    return [(flaw, members(episodes, flaw)) for flaw in sorted(flaws, key=lambda flaw: flaw.rank)]


def _badness(verdict: Verdict) -> tuple[int, float]:
    """Sort verdicts by what was found, then by what was lost; one without a figure is the worst."""
    difference = verdict.difference
    rank = (Finding.MET, Finding.UNDECIDED, Finding.MISSED).index(verdict.finding)
    return rank, math.inf if difference is None else -difference.value
