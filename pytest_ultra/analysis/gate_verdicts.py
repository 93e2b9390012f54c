"""Judging gates: episodes and limits go in, verdicts and an exit code come out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pytest_ultra.analysis.group_members import members
from pytest_ultra.analysis.intervals import measure_rate
from pytest_ultra.analysis.mcnemar import ALPHA
from pytest_ultra.analysis.paired_difference import compare
from pytest_ultra.analysis.run_comparison import choose_contrast
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.figures import Contrast, PairedDifference
from pytest_ultra.core.gates import Decision, ExitStatus, Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import ALL, GateOn


class Judge:
    """Holds the figures of episodes against limits."""

    def __init__(self, episodes: Sequence[Episode], reference: Sequence[Episode], on: GateOn) -> None:
        self._episodes = episodes
        self._reference = reference
        self._on = on

    def judge(self, gate: Gate) -> Verdict:
        match gate.kind:
            case GateKind.FAIL_UNDER:
                return self._judge_rate(gate)
            case GateKind.MAX_DROP:
                return self._judge_drop(gate)
            case GateKind.MAX_REGRESSION:
                return self._judge_regression(gate)
            case GateKind.MAX_ERRORS:
                return self._judge_errors(gate)

    def _judge_rate(self, gate: Gate) -> Verdict:
        scored = [episode for episode in self._in(gate.group) if episode.outcome.is_scored]
        rate = measure_rate(sum(episode.outcome is Outcome.FULL for episode in scored), len(scored))
        if rate is None or gate.limit is None:
            return Verdict(gate, is_met=False, obstacle=Obstacle.NO_SCORED_CASE)
        figure = rate.low if self._on is GateOn.BOUND else rate.value
        return Verdict(gate, is_met=figure >= gate.limit, rate=rate)

    def _judge_drop(self, gate: Gate) -> Verdict:
        """Judge the flaw that costs most; one that was asked for and has no pair is not known to cost little."""
        if gate.group in (*FLAWED_PROMPT_TYPES, "flawed"):
            return self._judge_flaw(gate, self._in(gate.group))
        group = self._in(gate.group)
        verdicts = [self._judge_flaw(gate, cases, flaw) for flaw, cases in _by_flaw(group)]
        return max(verdicts, key=self._badness, default=Verdict(gate, is_met=False, obstacle=Obstacle.NO_SCORED_CASE))

    def _judge_flaw(self, gate: Gate, flawed: Sequence[Episode], flaw: str | None = None) -> Verdict:
        if not any(episode.outcome.is_scored for episode in flawed):
            return Verdict(gate, is_met=False, worst=flaw, obstacle=Obstacle.NO_SCORED_CASE)
        difference = compare(flawed, members(self._episodes, PromptType.OPTIMAL), Contrast.PROMPT_TYPE)
        return self._judge_loss(gate, difference, flaw)

    def _judge_regression(self, gate: Gate) -> Verdict:
        sample, reference = self._in(gate.group), _members(self._reference, gate.group)
        if not any(episode.outcome.is_scored for episode in sample):
            return Verdict(gate, is_met=False, obstacle=Obstacle.NO_SCORED_CASE)
        return self._judge_loss(gate, compare(sample, reference, choose_contrast(self._episodes, self._reference)))

    def _judge_loss(self, gate: Gate, difference: PairedDifference | None, worst: str | None = None) -> Verdict:
        if difference is None:
            return Verdict(gate, is_met=False, worst=worst, obstacle=Obstacle.NO_PAIR)
        if gate.limit is None:
            return Verdict(gate, is_met=not is_significant_loss(difference), difference=difference)
        loss = _find_loss(difference, self._on)
        obstacle = Obstacle.NO_INTERVAL if loss is None else None
        is_met = loss is not None and loss <= gate.limit
        return Verdict(gate, is_met=is_met, difference=difference, worst=worst, obstacle=obstacle)

    def _judge_errors(self, gate: Gate) -> Verdict:
        errors = sum(episode.outcome is Outcome.ERROR for episode in self._episodes)
        return Verdict(gate, is_met=errors <= (gate.limit or 0), errors=errors)

    def _badness(self, verdict: Verdict) -> float:
        loss = None if verdict.difference is None else _find_loss(verdict.difference, self._on)
        return math.inf if loss is None else loss

    def _in(self, group: str) -> Sequence[Episode]:
        return _members(self._episodes, group)


def is_significant_loss(difference: PairedDifference) -> bool:
    """Tell whether chance does not explain what was lost: by McNemar's test, and by the interval where there is one."""
    is_below = difference.high is None or difference.high < 0
    return difference.value < 0 and difference.p_value < ALPHA and is_below


def settle(
    verdicts: Iterable[Verdict],
    status: int,
    *,
    on: GateOn = GateOn.RATE,
    other_failures: int = 0,
    cut_off: str | None = None,
    is_stopped: bool = False,
) -> Decision:
    """Return the decision, given the exit code without gates: one of pytest's own (interrupted, ...) is not masked."""
    all_verdicts = tuple(verdicts)
    is_pytests_own = status not in tuple(ExitStatus)
    is_missed = not all(verdict.is_met for verdict in all_verdicts)
    exit_code = ExitStatus.FAILED if is_missed and not is_pytests_own else status
    return Decision(all_verdicts, int(exit_code), other_failures, cut_off, is_stopped, on)


def _members(episodes: Sequence[Episode], group: str) -> Sequence[Episode]:
    return episodes if group == ALL else members(episodes, group)


def _by_flaw(episodes: Sequence[Episode]) -> list[tuple[str, Sequence[Episode]]]:
    flaws = {episode.case.prompt_type for episode in episodes}
    return [(flaw, members(episodes, flaw)) for flaw in FLAWED_PROMPT_TYPES if flaw in flaws]


def _find_loss(difference: PairedDifference, on: GateOn) -> float | None:
    """Return the share that was lost, or its upper bound; exact as written, so that 2 of 10 are 0.2."""
    if on is GateOn.RATE:
        return (difference.lost - difference.won) / difference.pairs
    return None if difference.low is None else -difference.low
