"""The decision on a whole run by its gates: the same at the end of a run and for merged shards."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_ultra.controller.comparison import Side
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.gates import Decision
from pytest_ultra.core.groups import Undecided
from pytest_ultra.options.gate_settings import GateSettings, gates_of


def judge_run(
    gates: GateSettings,
    episodes: Sequence[Episode],
    reference: Side | None,
    status: int,
    *,
    other_failures: int = 0,
    interruption: str | None = None,
    is_stopped: bool = False,
) -> Decision:
    """Return the decision. `status` is the exit code without gates.

    An interruption fails a run without a gate on its figures.
    """
    from pytest_ultra.analysis.gate_verdicts import GateEvaluator, decide  # noqa: PLC0415 - for the end of a run only

    if interruption and not gates.decide_run and status == pytest.ExitCode.OK:
        status = int(pytest.ExitCode.TESTS_FAILED)
    evaluator = GateEvaluator(episodes, reference.episodes if reference else (), gates.gate_on)
    return decide(
        map(evaluator.evaluate, gates_of(gates)),
        status,
        on=gates.gate_on,
        undecided_fails=gates.undecided is Undecided.FAILS,
        other_failures=other_failures,
        interruption=interruption,
        is_stopped=is_stopped,
    )


class InfrastructureErrors:
    """The failed reports of a session that are errors of the infrastructure."""

    def __init__(self) -> None:
        self.number = 0

    def note(self, report: pytest.TestReport) -> None:
        self.number += report.failed and ("ultra_outcome", str(Outcome.ERROR)) in report.user_properties

    def excuse(self, session: pytest.Session) -> None:
        """Clear the exit code of a session in which nothing else failed: whether errors are too many is a gate."""
        has_only_errors = session.testsfailed == self.number and not is_stopped(session)
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and has_only_errors:
            session.exitstatus = pytest.ExitCode.OK


def is_stopped(session: pytest.Session) -> bool:
    """Return whether the user wanted the session to stop early, as by `-x`."""
    return bool(session.shouldfail or session.shouldstop)
