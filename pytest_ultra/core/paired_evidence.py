"""What pairs of cases show about a difference, and how sure it is: a record, and the words in which it is shown."""

from __future__ import annotations

from enum import StrEnum

import msgspec

SMALL_DIFFERENCE = 0.15
"""A difference, as a share, that is worth finding: the number of tasks that would show it is given."""
LARGE_DIFFERENCE = 0.5
"""A difference, as a share; where even one of this size would not have shown, an interval says nothing."""
TOO_FEW = "too few"
"""The verdict on a difference that so few tasks could not show."""


class Contrast(StrEnum):
    """What two sets of cases differ in; everything else must be equal for two cases to be a pair."""

    PROMPT_TYPE = "prompt_type"  # and therefore severity
    MODEL = "model"
    RUN = "run"  # no field of the case


class Caveat(StrEnum):
    """A limitation of a paired difference."""

    FEW_TASKS = "few_tasks"  # too few clusters for any difference to count as evidence
    NO_DISCORDANT_PAIRS = "no_discordant_pairs"  # both sides of every pair have the same result
    CLUSTERED = "clustered"  # several pairs per task, so that tasks, not pairs, are the units of the test
    UNPAIRED = "unpaired"  # some scored cases have no scored counterpart


class Evidence(StrEnum):
    """What a paired difference shows about other tasks of the same kind."""

    WORSE = "worse"
    NONE = "no evidence"
    BETTER = "better"


class PairedDifference(msgspec.Struct, frozen=True):
    """Successes of a sample compared with a reference over `pairs` > 0 pairs: `won`, `lost`, and the rest equal.

    The fields are for programs. Tables, charts and sentences show `verdict`, `shown_interval` and `shown_p`.

    `tasks` is the number of clusters; `low` and `high` are the 95 % interval of the difference, in [-1, 1], None
    for a single task. `p_value` is two-sided, and at most 0.05 exactly if the interval excludes zero; `p_adjusted` is
    corrected over the family that was tested (the flawed rows of a model), None outside a family. `evidence` follows
    from the corrected p-value. `detectable` is the smallest difference that these pairs, worth `effective_pairs`
    independent ones, show with 80 % power at the level of the family's smallest p, None if they can show none.
    `tasks_needed` is the number of tasks, alike in all else, that would show `SMALL_DIFFERENCE` so. `unpaired` counts
    scored cases of the sample without a scored counterpart.
    """

    pairs: int
    won: int
    lost: int
    tasks: int = 0
    low: float | None = None
    high: float | None = None
    p_value: float = 1.0
    p_adjusted: float | None = None
    detectable: float | None = None
    unpaired: int = 0
    caveats: tuple[Caveat, ...] = ()
    evidence: Evidence = Evidence.NONE
    effective_pairs: float | None = None
    tasks_needed: int | None = None

    @property
    def value(self) -> float:
        return (self.won - self.lost) / self.pairs

    @property
    def points(self) -> float:
        """The difference in percentage points, negative if the reference is better."""
        return 100 * self.value

    @property
    def is_too_small(self) -> bool:
        """Whether nothing was found, by so few tasks that they show nothing, or not even `LARGE_DIFFERENCE`."""
        is_blind = self.detectable is None or self.detectable > LARGE_DIFFERENCE
        return self.evidence is Evidence.NONE and (is_blind or self.low is None or Caveat.FEW_TASKS in self.caveats)

    @property
    def verdict(self) -> str:
        return TOO_FEW if self.is_too_small else str(self.evidence)

    @property
    def shown_interval(self) -> tuple[float, float] | None:
        """The interval, None if it says nothing."""
        return None if self.is_too_small or self.low is None or self.high is None else (self.low, self.high)

    @property
    def shown_p(self) -> float | None:
        """The corrected p-value, or the uncorrected one outside a family of tests; None if it says nothing."""
        if self.is_too_small:
            return None
        return self.p_value if self.p_adjusted is None else self.p_adjusted

    @property
    def is_uncorrected(self) -> bool:
        """Whether `shown_p` is not corrected, and needs a mark beside those that are."""
        return self.shown_p is not None and self.p_adjusted is None
