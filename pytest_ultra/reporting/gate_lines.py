"""What gates say: each figure beside its limit, and what follows from them all."""

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
    Obstacle.NO_INTERVAL: "no interval, as all pairs are of one task",
}
PYTESTS_OWN: Mapping[int, str] = {
    2: "the run was interrupted",
    3: "pytest has crashed",
    4: "pytest was used in a wrong way",
    5: "no tests were collected",
}


def gate_lines(decision: Decision) -> Iterator[tuple[str, bool]]:
    """Yield a line for each gate and whether it is met, then the line that says what follows."""
    for verdict in decision.verdicts:
        yield verdict_line(verdict, decision.on), verdict.is_met
    yield conclusion(decision), decision.exit_code == 0


def verdict_line(verdict: Verdict, on: GateOn) -> str:
    return f"gate {gate_name(verdict.gate)}: {figure(verdict, on)}: {word(verdict)}"


def gate_name(gate: Gate) -> str:
    """Name a gate as it was asked for."""
    limit = "" if gate.limit is None else f"{gate.limit:g}"
    group = "" if gate.group == ALL else f"{neutralise(gate.group)}="
    return f"{gate.kind} {group}{limit}".rstrip()


def word(verdict: Verdict) -> str:
    return "met" if verdict.is_met else "MISSED"


def figure(verdict: Verdict, on: GateOn) -> str:
    """Say what was measured, over how much, and what it had to be."""
    return ", ".join(filter(None, (_measured(verdict), _wanted(verdict.gate, on))))


def conclusion(decision: Decision) -> str:
    """Say what follows, and why, in the words that go with the exit code."""
    missed, total = len(decision.missed), len(decision.verdicts)
    gates = f"{missed or total} of {count(total, 'gate')} {'missed' if missed else 'met'}"
    return f"{gates}{_other_reason(decision)}: exit code {decision.exit_code}"


def _other_reason(decision: Decision) -> str:
    """Say what else there is to know of the exit code, the weightiest thing first."""
    link = ", and" if decision.missed else ", but"
    if decision.exit_code in PYTESTS_OWN:
        return f"{link} {PYTESTS_OWN[decision.exit_code]}"
    if decision.other_failures:
        return f"{link} {count(decision.other_failures, 'test')} failed that no gate answers for"
    if decision.is_stopped:
        return f"{link} the run was stopped before its end"
    if decision.interruption is not None:
        return f"{link if decision.exit_code else ', though'} the run was cut off ({neutralise(decision.interruption)})"
    return f"{link} something else has failed the run" if decision.exit_code and not decision.missed else ""


def _measured(verdict: Verdict) -> str:
    if verdict.errors is not None:
        return count(verdict.errors, "error")
    of = f"{verdict.worst}: " if verdict.worst else ""
    if verdict.rate is not None:
        return f"{of}{reached(verdict.rate)}"
    if verdict.difference is not None:
        noted = f" ({OBSTACLES[verdict.obstacle]})" if verdict.obstacle else ""
        return f"{of}{loss(verdict.difference)}{noted}"
    return f"{of}{OBSTACLES[verdict.obstacle or Obstacle.NO_SCORED_CASE]}"


def _wanted(gate: Gate, on: GateOn) -> str:
    bound = "" if on is GateOn.RATE else " by the interval's bound"
    if gate.kind is GateKind.MAX_ERRORS:
        return f"at most {gate.limit or 0:g}"
    if gate.limit is None:
        return "no more than chance explains"
    if gate.kind is GateKind.FAIL_UNDER:
        return f"at least {percent(gate.limit)}{bound}"
    return f"at most {100 * gate.limit:g} points{bound}"


def reached(rate: Rate) -> str:
    return f"{rate.successes:,} of {rate.n:,} full, {percent(rate.value)}, 95% interval {interval(rate)}"


def loss(difference: PairedDifference) -> str:
    """Say in percentage points what was lost, or won, and the interval of the same."""
    is_gain = difference.won > difference.lost
    net = 100 * abs(difference.won - difference.lost) / difference.pairs
    told = f"{net:.1f} points {'won' if is_gain else 'lost'} over {count(difference.pairs, 'pair')}"
    if difference.low is None or difference.high is None:
        return told
    low, high = (difference.low, difference.high) if is_gain else (-difference.high, -difference.low)
    return f"{told}, 95% interval {100 * low:.1f} to {100 * high:.1f}"


def annotation(verdict: Verdict, on: GateOn) -> str:
    """Return the line by which GitHub shows a gate that is missed at the top of a job."""
    return f"::error title=pytest-ultra::{verdict_line(verdict, on).replace('%', '%25')}"
