"""Gates in words: each figure with its limit, and the conclusion with the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_ultra.core.figures import Rate
from pytest_ultra.core.gates import Decision, Finding, Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import ALL, FLAWED, GateOn
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.figure_format import interval, percent
from pytest_ultra.reporting.text import count, neutralise
from pytest_ultra.reporting.text_table import TerminalLine

OBSTACLES: Mapping[Obstacle, str] = {
    Obstacle.NO_SCORED_CASE: "no scored case",
    Obstacle.NO_PAIR: "no pair of scored cases",
    Obstacle.MOSTLY_ERRORS: "more than were scored",
}
PYTEST_EXIT_REASONS: Mapping[int, str] = {
    2: "the run was interrupted",
    3: "pytest crashed",
    4: "pytest reported a usage error",
    5: "no tests were collected",
}


_COLOURS: Mapping[Finding, str] = {Finding.MET: "green", Finding.MISSED: "red", Finding.UNDECIDED: "yellow"}
_MOST_TASKS = 100_000
"""More tasks than this are not worth a number."""


def gate_lines(decision: Decision) -> Iterator[TerminalLine]:
    """Yield a line for each gate, then the conclusion."""
    for verdict in decision.verdicts:
        yield TerminalLine(verdict_line(verdict, decision.on), (_COLOURS[verdict.finding],))
    yield TerminalLine(conclusion(decision), ("red" if decision.exit_code else "green",))


def verdict_line(verdict: Verdict, on: GateOn) -> str:
    return f"gate {gate_name(verdict.gate)}: {figure(verdict, on)}: {verdict_word(verdict)}"


def gate_name(gate: Gate) -> str:
    """Return a gate as the user wrote it: kind, group, limit."""
    limit = "" if gate.limit is None else f"{gate.limit:g}"
    group = "" if gate.group == ALL else f"{neutralise(gate.group)}="
    return f"{gate.kind} {group}{limit}".rstrip()


def verdict_word(verdict: Verdict) -> str:
    if verdict.finding is not Finding.UNDECIDED:
        return "met" if verdict.is_met else "MISSED"
    if verdict.tasks_needed is None:
        return "undecided (no number of tasks would decide it if the figure holds)"
    if verdict.tasks_needed > _MOST_TASKS:
        return f"undecided (more than {_MOST_TASKS:,} tasks would decide it)"
    return f"undecided (about {verdict.tasks_needed:,} tasks would decide it)"


def figure(verdict: Verdict, on: GateOn) -> str:
    """Return what was measured, its denominator, and the limit."""
    return ", ".join(filter(None, (_measured(verdict, on), _left_out(verdict), _limit(verdict.gate, on))))


def _left_out(verdict: Verdict) -> str:
    """Return how many cases are missing from the figure."""
    if not verdict.left_out:
        return ""
    most = f" ({OBSTACLES[Obstacle.MOSTLY_ERRORS]})" if verdict.obstacle is Obstacle.MOSTLY_ERRORS else ""
    return f"{count(verdict.left_out, 'error')} left out{most}"


def conclusion(decision: Decision) -> str:
    """Return how many gates were missed, met or undecided, any other reason for the exit code, and the exit code."""
    missed, undecided, total = len(decision.missed), len(decision.undecided), len(decision.verdicts)
    gates = f"{missed or total - undecided} of {count(total, 'gate')} {'missed' if missed else 'met'}"
    if undecided:
        fails = ", which fails" if decision.undecided_fails else ""
        gates = f"{gates}, {undecided} undecided{fails}"
    return f"{gates}{_other_reason(decision)}: exit code {decision.exit_code}"


def _other_reason(decision: Decision) -> str:
    """Return the most important reason for the exit code other than the gates; empty if there is none."""
    is_failed = bool(decision.missed or (decision.undecided_fails and decision.undecided))
    link = ", and" if is_failed else ", but"
    if decision.exit_code in PYTEST_EXIT_REASONS:
        return f"{link} {PYTEST_EXIT_REASONS[decision.exit_code]}"
    if decision.other_failures:
        return f"{link} {count(decision.other_failures, 'test')} failed that no gate covers"
    if decision.is_stopped:
        return f"{link} the run was stopped early"
    if decision.interruption is not None:
        link = link if decision.exit_code else ", though"
        return f"{link} the run was interrupted ({neutralise(decision.interruption)})"
    return f"{link} the run failed for another reason" if decision.exit_code and not is_failed else ""


def _measured(verdict: Verdict, on: GateOn) -> str:
    if verdict.errors is not None:
        return count(verdict.errors, "error")
    flaw = f"{_flaw_name(verdict)}: " if verdict.worst else ""
    if verdict.rate is not None:
        return f"{success_rate(verdict.rate) if on is GateOn.RATE else _rate_by_task(verdict.rate, verdict)}"
    if verdict.difference is not None:
        return f"{flaw}{loss(verdict.difference) if on is GateOn.RATE else _loss_by_task(verdict.difference, verdict)}"
    return f"{flaw}{OBSTACLES[verdict.obstacle or Obstacle.NO_SCORED_CASE]}"


def _flaw_name(verdict: Verdict) -> str:
    if verdict.flaws == 1:
        return f"{verdict.worst}"
    flaws = f"{verdict.flaws} flaws"
    return f"the {flaws} together" if verdict.worst == FLAWED else f"{verdict.worst} (of {flaws})"


def _rate_by_task(rate: Rate, verdict: Verdict) -> str:
    """Return the rate with both of its one-sided 95 % bounds, which decide."""
    low, high = verdict.low or 0.0, 1.0 if verdict.high is None else verdict.high
    share = f"{rate.successes:,} of {rate.n:,} full, {percent(rate.value)}"
    return f"{share}, 90% interval {100 * low:.1f}-{100 * high:.1f} over {count(verdict.tasks, 'task')}"


def _loss_by_task(difference: PairedDifference, verdict: Verdict) -> str:
    """Return the loss with both of its one-sided 95 % bounds, which decide."""
    where = f"{count(difference.pairs, 'pair')} of {count(difference.tasks, 'task')}"
    interval_ = _loss_interval(difference, verdict.low, verdict.high)
    return f"{_net(difference)} over {where}, 90% interval {interval_}"


def _limit(gate: Gate, on: GateOn) -> str:
    bound = " by the interval's bound" if on is GateOn.BOUND else ""
    if gate.kind is GateKind.MAX_ERRORS:
        return f"at most {gate.limit or 0:g}"
    if gate.limit is None:
        return "no significant loss allowed"
    if gate.kind.is_minimum:
        return f"at least {percent(gate.limit)}{bound}"
    return f"at most {100 * gate.limit:g} points{bound}"


def success_rate(rate: Rate) -> str:
    return f"{rate.successes:,} of {rate.n:,} full, {percent(rate.value)}, 95% interval {interval(rate)}"


def loss(difference: PairedDifference) -> str:
    """Return what was lost or won, in percentage points, with its 95 % interval."""
    text = f"{_net(difference)} over {count(difference.pairs, 'pair')}"
    if difference.low is None or difference.high is None:
        return text
    return f"{text}, 95% interval {_loss_interval(difference, difference.low, difference.high)}"


def _net(difference: PairedDifference) -> str:
    net = 100 * abs(difference.won - difference.lost) / difference.pairs
    return f"{net:.1f} points {'won' if difference.won > difference.lost else 'lost'}"


def _loss_interval(difference: PairedDifference, low: float | None, high: float | None) -> str:
    """Return an interval of a difference, in points, in the direction of the net loss or gain."""
    bounds = (-1.0 if low is None else low, 1.0 if high is None else high)
    lower, upper = bounds if difference.won > difference.lost else (-bounds[1], -bounds[0])
    return f"{100 * lower + 0.0:.1f} to {100 * upper + 0.0:.1f}"


def github_commands(decision: Decision) -> Iterator[str]:
    """Yield the workflow commands that make GitHub show missed and undecided gates at the top of a job."""
    for verdict in decision.verdicts:
        if not verdict.is_met:
            level = "warning" if verdict.is_undecided and not decision.undecided_fails else "error"
            text = neutralise(verdict_line(verdict, decision.on))  # leaves no line break to escape
            yield f"::{level} title=pytest-ultra::{text.replace('%', '%25')}"
