"""Gates, and how they are judged, as records: what a user asks of a run's figures, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

import msgspec

from pytest_ultra.core.figures import PairedDifference, Rate
from pytest_ultra.core.groups import ALL, GateOn


class GateKind(StrEnum):
    """What a gate holds to a limit."""

    FAIL_UNDER = "fail-under"  # the success rate: at least
    MAX_DROP = "max-drop"  # what a flawed plan costs against the optimal one: at most
    MAX_REGRESSION = "max-regression"  # what was lost since an earlier run: at most
    MAX_ERRORS = "max-errors"  # episodes that the infrastructure has failed: at most


class Gate(msgspec.Struct, frozen=True):
    """One condition. Limits are shares, of errors a number; None: no regression that chance does not explain."""

    kind: GateKind
    limit: float | None
    group: str = ALL


class Obstacle(StrEnum):
    """Why a gate is missed without a figure."""

    NO_SCORED_CASE = "no_scored_case"
    NO_PAIR = "no_pair"
    NO_INTERVAL = "no_interval"  # of a single task, though the bound is to be judged


class Verdict(msgspec.Struct, frozen=True):
    """A gate, whether it is met, and the figure that decided.

    `rate` is of fail-under; `difference` of max-drop and max-regression, negative where something was lost; `errors`
    of max-errors. `worst` names the flaw that the difference is of, where any flaw counts.
    """

    gate: Gate
    is_met: bool
    rate: Rate | None = None
    difference: PairedDifference | None = None
    errors: int | None = None
    worst: str | None = None
    obstacle: Obstacle | None = None


class ExitStatus(IntEnum):
    """The exit codes that gates know of; any other is pytest's own, and stands."""

    OK = 0
    FAILED = 1


class Decision(msgspec.Struct, frozen=True):
    """All verdicts, and the exit code that follows from them and from what else has happened.

    `other_failures` are failed tests that no gate answers for; `cut_off` says why a run has not lived all its cases,
    `is_stopped` that it was told to, as by `-x`.
    """

    verdicts: tuple[Verdict, ...]
    exit_code: int
    other_failures: int = 0
    cut_off: str | None = None
    is_stopped: bool = False
    on: GateOn = GateOn.RATE

    @property
    def missed(self) -> Sequence[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.is_met]
