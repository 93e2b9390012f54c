"""Gates in words: each figure with its limit, and the conclusion with the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_ultra.core.figures import PairedDifference, Rate
from pytest_ultra.core.gates import Decision, Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import ALL, GateOn
from pytest_ultra.reporting.figure_format import interval, percent
from pytest_ultra.reporting.text import count, neutralise

OBSTACLES: Mapping[Obstacle, str] = {
    Obstacle.NO_SCORED_CASE: "no scored case",
    Obstacle.NO_PAIR: "no pair of scored cases",
    Obstacle.NO_INTERVAL: "no interval, because all pairs belong to one task",
    Obstacle.MOSTLY_ERRORS: "more than were scored",
}
PYTEST_EXIT_REASONS: Mapping[int, str] = {
    2: "the run was interrupted",
    3: "pytest crashed",
    4: "pytest reported a usage error",
    5: "no tests were collected",
}


def gate_lines(decision: Decision) -> Iterator[tuple[str, bool]]:
    """Yield a line for each gate and whether it is met, then the conclusion and whether the run passed."""
    for verdict in decision.verdicts:
        yield verdict_line(verdict, decision.on), verdict.is_met
    yield conclusion(decision), decision.exit_code == 0


def verdict_line(verdict: Verdict, on: GateOn) -> str:
    return f"gate {gate_name(verdict.gate)}: {figure(verdict, on)}: {verdict_word(verdict)}"


def gate_name(gate: Gate) -> str:
    """Return a gate as the user wrote it: kind, group, limit."""
    limit = "" if gate.limit is None else f"{gate.limit:g}"
    group = "" if gate.group == ALL else f"{neutralise(gate.group)}="
    return f"{gate.kind} {group}{limit}".rstrip()


def verdict_word(verdict: Verdict) -> str:
    return "met" if verdict.is_met else "MISSED"


def figure(verdict: Verdict, on: GateOn) -> str:
    """Return what was measured, its denominator, and the limit."""
    return ", ".join(filter(None, (_measured(verdict), _left_out(verdict), _limit(verdict.gate, on))))


def _left_out(verdict: Verdict) -> str:
    """Return how many cases are missing from the figure."""
    if not verdict.left_out:
        return ""
    most = f" ({OBSTACLES[Obstacle.MOSTLY_ERRORS]})" if verdict.obstacle is Obstacle.MOSTLY_ERRORS else ""
    return f"{count(verdict.left_out, 'error')} left out{most}"


def conclusion(decision: Decision) -> str:
    """Return how many gates were missed or met, any other reason for the exit code, and the exit code."""
    missed, total = len(decision.missed), len(decision.verdicts)
    gates = f"{missed or total} of {count(total, 'gate')} {'missed' if missed else 'met'}"
    return f"{gates}{_other_reason(decision)}: exit code {decision.exit_code}"


def _other_reason(decision: Decision) -> str:
    """Return the most important reason for the exit code other than the gates; empty if there is none."""
    link = ", and" if decision.missed else ", but"
    if decision.exit_code in PYTEST_EXIT_REASONS:
        return f"{link} {PYTEST_EXIT_REASONS[decision.exit_code]}"
    if decision.other_failures:
        return f"{link} {count(decision.other_failures, 'test')} failed that no gate covers"
    if decision.is_stopped:
        return f"{link} the run was stopped early"
    if decision.interruption is not None:
        link = link if decision.exit_code else ", though"
        return f"{link} the run was interrupted ({neutralise(decision.interruption)})"
    return f"{link} the run failed for another reason" if decision.exit_code and not decision.missed else ""


def _measured(verdict: Verdict) -> str:
    if verdict.errors is not None:
        return count(verdict.errors, "error")
    flaw = f"{verdict.worst}: " if verdict.worst else ""
    if verdict.rate is not None:
        return f"{flaw}{success_rate(verdict.rate)}"
    if verdict.difference is not None:
        has_no_interval = verdict.obstacle is Obstacle.NO_INTERVAL
        obstacle = f" ({OBSTACLES[Obstacle.NO_INTERVAL]})" if has_no_interval else ""
        return f"{flaw}{loss(verdict.difference)}{obstacle}"
    return f"{flaw}{OBSTACLES[verdict.obstacle or Obstacle.NO_SCORED_CASE]}"


def _limit(gate: Gate, on: GateOn) -> str:
    bound = "" if on is GateOn.RATE else " by the interval's bound"
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
    is_gain = difference.won > difference.lost
    net = 100 * abs(difference.won - difference.lost) / difference.pairs
    text = f"{net:.1f} points {'won' if is_gain else 'lost'} over {count(difference.pairs, 'pair')}"
    if difference.low is None or difference.high is None:
        return text
    low, high = (difference.low, difference.high) if is_gain else (-difference.high, -difference.low)
    return f"{text}, 95% interval {100 * low:.1f} to {100 * high:.1f}"


def annotation(verdict: Verdict, on: GateOn) -> str:
    """Return the workflow command that makes GitHub show a missed gate at the top of a job."""
    return f"::error title=pytest-ultra::{verdict_line(verdict, on).replace('%', '%25')}"
