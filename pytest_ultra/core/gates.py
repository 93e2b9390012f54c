"""Gates and their verdicts, as records: conditions on a run's figures."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

import msgspec

from pytest_ultra.core.figures import Rate
from pytest_ultra.core.groups import ALL, GateOn
from pytest_ultra.core.paired_evidence import PairedDifference


class GateKind(StrEnum):
    """What a gate limits."""

    FAIL_UNDER = "fail-under"  # the success rate: at least
    MAX_DROP = "max-drop"  # the loss from a flawed plan against the optimal one: at most
    MAX_REGRESSION = "max-regression"  # the loss since an earlier run: at most
    MAX_ERRORS = "max-errors"  # episodes that failed because of the infrastructure: at most

    @property
    def is_minimum(self) -> bool:
        """Whether the limit is the least value that meets the gate, not the largest."""
        return self is GateKind.FAIL_UNDER


class Gate(msgspec.Struct, frozen=True):
    """One condition. Limits are shares, for errors a number; None means: no regression beyond what chance explains."""

    kind: GateKind
    limit: float | None
    group: str = ALL


class Obstacle(StrEnum):
    """Why a gate is missed without a figure, or whatever its figure."""

    NO_SCORED_CASE = "no_scored_case"
    NO_PAIR = "no_pair"
    MOSTLY_ERRORS = "mostly_errors"  # more of its cases had an infrastructure error than were scored


class Finding(StrEnum):
    """Whether a run meets a gate."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "undecided"  # the interval contains the limit


class Verdict(msgspec.Struct, frozen=True):
    """A gate, whether it is met, and the figure that decided.

    `rate` belongs to fail-under; `difference` to max-drop and max-regression, negative for a loss; `errors` to
    max-errors. `worst` names the flaw of the difference if the gate is about any flaw, or all of them (`flawed`), and
    `flaws` is the number of flaws that it is about. `left_out` counts the cases of the gate's group that its figure
    leaves out because of infrastructure errors. `low` and `high` are the two one-sided 95 % bounds of the rate or
    difference, by `tasks` tasks; a gate that is judged by evidence is undecided while its limit lies between them.
    `tasks_needed` would decide it with a chance of 80 % if the measured figures hold; it is None if no number would.
    """

    gate: Gate
    finding: Finding
    rate: Rate | None = None
    difference: PairedDifference | None = None
    errors: int | None = None
    worst: str | None = None
    obstacle: Obstacle | None = None
    left_out: int = 0
    low: float | None = None
    high: float | None = None
    tasks: int = 0
    tasks_needed: int | None = None
    flaws: int = 1

    @property
    def is_met(self) -> bool:
        return self.finding is Finding.MET

    @property
    def is_undecided(self) -> bool:
        return self.finding is Finding.UNDECIDED


class ExitStatus(IntEnum):
    """The exit codes that gates change; other codes of pytest stay."""

    OK = 0
    FAILED = 1


class Decision(msgspec.Struct, frozen=True):
    """All verdicts, and the exit code that follows from them and from other failures.

    `other_failures` counts failed tests that no gate covers. `interruption` says why a run did not run all its cases.
    `is_stopped` means that the user wanted it, as by `-x`. `undecided_fails` says whether an undecided gate fails the
    run.
    """

    verdicts: tuple[Verdict, ...]
    exit_code: int
    other_failures: int = 0
    interruption: str | None = msgspec.field(default=None, name="cut_off")
    is_stopped: bool = False
    on: GateOn = GateOn.EVIDENCE
    undecided_fails: bool = False

    @property
    def missed(self) -> Sequence[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.finding is Finding.MISSED]

    @property
    def undecided(self) -> Sequence[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.finding is Finding.UNDECIDED]
