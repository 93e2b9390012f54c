"""What episodes add up to, as records: every rate with its denominator, None where nothing was measured."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.axes import PromptType, PromptVariant, Severity
from pytest_ultra.benchmark.case import Versions
from pytest_ultra.benchmark.episode import FailureClass


class Counts(msgspec.Struct, frozen=True):
    """Episodes by outcome."""

    full: int = 0
    partial: int = 0
    failed: int = 0
    error: int = 0
    skipped: int = 0

    @property
    def scored(self) -> int:
        return self.full + self.partial + self.failed

    @property
    def planned(self) -> int:
        return self.scored + self.error + self.skipped


class Rate(msgspec.Struct, frozen=True):
    """A share of successes among `n` > 0, and the 95 % interval around it; all in [0, 1]."""

    successes: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.successes / self.n


class PairedDifference(msgspec.Struct, frozen=True):
    """Successes compared with the controls' over `pairs` > 0 pairs: so many won, so many lost, the others alike."""

    pairs: int
    won: int
    lost: int

    @property
    def points(self) -> float:
        """The difference in percentage points, negative where the control does better."""
        return 100 * (self.won - self.lost) / self.pairs


class Row(msgspec.Struct, frozen=True):
    """One model under one prompt type; the means are over its scored episodes.

    `severity`, `tool_success_rate`, `prompt_variant` and `versions` are None unless there are several.
    `difference` is to `optimal`, and None without a pair and for `optimal` itself.
    """

    model: str
    prompt_type: PromptType
    severity: Severity | None
    tool_success_rate: float | None
    counts: Counts
    success: Rate | None
    difference: PairedDifference | None
    mean_calls: float | None
    mean_tokens: float | None
    mean_duration_s: float | None
    prompt_variant: PromptVariant | None = None
    versions: Versions | None = None


class Summary(msgspec.Struct, frozen=True):
    """A run's figures. `failure_classes` holds only what occurred, most frequent first.

    `reused` counts the episodes that an earlier run has lived; they are among the counts.
    `cost` is in US dollars, of the episodes that the run has lived itself as far as their prices are known.
    `versions` are all that the episodes were lived and scored under; more than one must be told to whoever reads.
    """

    rows: tuple[Row, ...]
    counts: Counts
    failure_classes: tuple[tuple[FailureClass, int], ...]
    demo_models: tuple[str, ...]
    versions: tuple[Versions, ...] = ()
    reused: int = 0
    cost: float | None = None
