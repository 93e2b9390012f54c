"""Gate lines agree with the verdicts and the exit code, whatever else happened in the run."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.core.figures import Rate
from pytest_ultra.core.gates import Decision, Finding, Gate, GateKind, Obstacle, Verdict
from pytest_ultra.core.groups import GateOn
from pytest_ultra.core.paired_evidence import PairedDifference
from pytest_ultra.reporting.gate_lines import (
    conclusion,
    gate_lines,
    gate_name,
    github_commands,
    verdict_line,
    verdict_word,
)
from pytest_ultra.reporting.text_table import TerminalLine

MET = Verdict(Gate(GateKind.MAX_ERRORS, 0), Finding.MET, errors=0)
MISSED = Verdict(Gate(GateKind.FAIL_UNDER, 0.5), Finding.MISSED, obstacle=Obstacle.NO_SCORED_CASE)
UNDECIDED = Verdict(
    Gate(GateKind.MAX_REGRESSION, 0.2),
    Finding.UNDECIDED,
    difference=PairedDifference(50, 2, 8, tasks=5),
    low=-0.31,
    high=0.12,
    tasks=5,
    tasks_needed=41,
)


@pytest.mark.parametrize(
    ("decision", "line"),
    [
        (Decision((MET,), 0), "1 of 1 gate met: exit code 0"),
        (Decision((MET, MISSED), 1), "1 of 2 gates missed: exit code 1"),
        (
            Decision((MET,), 1, other_failures=1),
            "1 of 1 gate met, but 1 test failed that no gate covers: exit code 1",
        ),
        (
            Decision((MISSED,), 1, other_failures=2),
            "1 of 1 gate missed, and 2 tests failed that no gate covers: exit code 1",
        ),
        (Decision((MET,), 1, is_stopped=True), "1 of 1 gate met, but the run was stopped early: exit code 1"),
        (
            Decision((MET,), 0, interruption="time"),
            "1 of 1 gate met, though the run was interrupted (time): exit code 0",
        ),
        (Decision((MET,), 1, interruption="time"), "1 of 1 gate met, but the run was interrupted (time): exit code 1"),
        (Decision((MET,), 1), "1 of 1 gate met, but the run failed for another reason: exit code 1"),
        (Decision((MET,), 2), "1 of 1 gate met, but the run was interrupted: exit code 2"),
        (Decision((MET,), 3), "1 of 1 gate met, but pytest crashed: exit code 3"),
        (Decision((MET,), 4), "1 of 1 gate met, but pytest reported a usage error: exit code 4"),
        (Decision((MISSED,), 5), "1 of 1 gate missed, and no tests were collected: exit code 5"),
        (Decision((MET, UNDECIDED), 0), "1 of 2 gates met, 1 undecided: exit code 0"),
        (Decision((MISSED, UNDECIDED), 1), "1 of 2 gates missed, 1 undecided: exit code 1"),
        (
            Decision((MET, UNDECIDED), 1, undecided_fails=True),
            "1 of 2 gates met, 1 undecided, which fails: exit code 1",
        ),
    ],
)
def test_the_conclusion_explains_the_exit_code(decision: Decision, line: str) -> None:
    assert conclusion(decision) == line


def test_each_gate_has_its_line_and_its_colour() -> None:
    lost = "gate max-regression 0.2: 12.0 points lost over 50 pairs of 5 tasks, 90% interval -12.0 to 31.0"
    assert list(gate_lines(Decision((MET, MISSED, UNDECIDED), 1))) == [
        TerminalLine("gate max-errors 0: 0 errors, at most 0: met", ("green",)),
        TerminalLine("gate fail-under 0.5: no scored case, at least 50.0%: MISSED", ("red",)),
        TerminalLine(f"{lost}, at most 20 points: undecided (about 41 tasks would decide it)", ("yellow",)),
        TerminalLine("1 of 3 gates missed, 1 undecided: exit code 1", ("red",)),
    ]


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (1_200, "undecided (about 1,200 tasks would decide it)"),
        (100_001, "undecided (more than 100,000 tasks would decide it)"),
        (None, "undecided (no number of tasks would decide it if the figure holds)"),
    ],
)
def test_an_undecided_gate_says_how_many_tasks_would_decide_it(tasks: int | None, words: str) -> None:
    assert verdict_word(msgspec.structs.replace(UNDECIDED, tasks_needed=tasks)) == words


def test_a_rate_by_evidence_has_the_bounds_over_tasks_and_a_drop_the_number_of_flaws() -> None:
    rate = Verdict(
        Gate(GateKind.FAIL_UNDER, 0.9), Finding.UNDECIDED, rate=Rate(10, 10, 0.7, 1.0), low=0.65, high=1.0, tasks=5
    )
    assert verdict_line(rate, GateOn.EVIDENCE).startswith(
        "gate fail-under 0.9: 10 of 10 full, 100.0%, 90% interval 65.0-100.0 over 5 tasks, at least 90.0%: undecided"
    )
    drop = msgspec.structs.replace(UNDECIDED, gate=Gate(GateKind.MAX_DROP, 0.2), worst="x", flaws=7)
    assert verdict_line(drop, GateOn.EVIDENCE).startswith("gate max-drop 0.2: x (of 7 flaws): 12.0 points lost over")


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (
            Verdict(Gate(GateKind.FAIL_UNDER, 1.0, "flawed"), Finding.MISSED, rate=Rate(2999, 3000, 0.998, 0.9999)),
            "gate fail-under flawed=1: 2,999 of 3,000 full, 99.9%, 95% interval 99.8-100.0, at least 100.0%: MISSED",
        ),
        (
            Verdict(
                Gate(GateKind.MAX_DROP, 0.2),
                Finding.MET,
                worst="x",
                difference=PairedDifference(20, 1, 3, tasks=20, low=-0.31, high=0.12),
            ),
            "gate max-drop 0.2: x: 10.0 points lost over 20 pairs, 95% interval -12.0 to 31.0, at most 20 points: met",
        ),
        (
            Verdict(
                Gate(GateKind.MAX_DROP, 0.2), Finding.MISSED, worst="flawed_tool_misuse", obstacle=Obstacle.NO_PAIR
            ),
            "gate max-drop 0.2: flawed_tool_misuse: no pair of scored cases, at most 20 points: MISSED",
        ),
        (
            Verdict(Gate(GateKind.MAX_REGRESSION, None), Finding.MET, difference=PairedDifference(4, 1, 0)),
            "gate max-regression: 25.0 points won over 4 pairs, no significant loss allowed: met",
        ),
    ],
)
def test_a_verdict_states_the_figure_its_denominator_and_the_limit(verdict: Verdict, line: str) -> None:
    assert verdict_line(verdict, GateOn.RATE) == line


def test_the_line_says_that_the_bound_was_used() -> None:
    verdict = Verdict(Gate(GateKind.FAIL_UNDER, 0.5), Finding.MET, rate=Rate(9, 10, 0.6, 0.98))
    assert verdict_line(verdict, GateOn.BOUND).endswith(", at least 50.0% by the interval's bound: met")


def test_a_hostile_group_cannot_reach_terminal_or_github() -> None:
    gate = Gate(GateKind.FAIL_UNDER, 0.5, "m\x1b[2J\r\n::error::x%0A")
    assert gate_name(gate) == "fail-under m\\x1b[2J\\r\\n\\x3a:error::x%0A=0.5"
    (line,) = github_commands(Decision((Verdict(gate, Finding.MISSED, obstacle=Obstacle.NO_SCORED_CASE),), 1))
    assert line.isprintable()
    assert line.startswith("::error title=pytest-ultra::gate fail-under m\\x1b[2J\\r\\n\\x3a:error::x%250A=0.5: ")


def test_github_shows_an_undecided_gate_as_a_warning_or_as_an_error_if_it_fails_the_run() -> None:
    for fails, level in ((False, "warning"), (True, "error")):
        (line,) = github_commands(Decision((MET, UNDECIDED), int(fails), undecided_fails=fails))
        assert line.startswith(f"::{level} title=pytest-ultra::gate max-regression 0.2: 12.0 points lost")
