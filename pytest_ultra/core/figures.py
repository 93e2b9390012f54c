"""The figures of a run, as records. Every rate has its denominator; None means that nothing was measured."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.axes import FaultKind, PromptType, PromptVariant, Severity
from pytest_ultra.core.case import Versions
from pytest_ultra.core.episode import FailureClass, Outcome
from pytest_ultra.core.paired_evidence import PairedDifference


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


class Robustness(msgspec.Struct, frozen=True):
    """The effect of a flawed plan on a model.

    `resilience` is success with the flaw over success without, over the pairs of the row, None if no control
    succeeded. `over_trust` is the mean obedience on damaged steps over the `damaged` scored episodes that had such
    steps. The extra calls, tokens and US dollars are the cost of recovery: means of paired differences over the
    `recovered` pairs, which succeeded with and without the flaw; None if nothing was measured.
    """

    resilience: float | None = None
    over_trust: float | None = None
    damaged: int = 0
    recovered: int = 0
    extra_calls: float | None = None
    extra_tokens: float | None = None
    extra_cost: float | None = None


class Discernment(msgspec.Struct, frozen=True):
    """How well a model distinguishes damaged steps from sound ones, over its scored episodes.

    `obeyed` of `damaged` steps were carried out as written (over-trust); `distrusted` of `sound` steps that the goal
    needs were not carried out (blind distrust). `d_prime` is the distance between the two in standard deviations;
    `bias` is positive for a model that trusts more than an unbiased one would. Both are None if there are no steps of
    either sort. `look_ups` is the verification cost: the mean number of look-ups beyond the plan over the
    `sound_plans` episodes with a sound plan; None without any. `versions` is None unless there are several.
    """

    model: str
    damaged: int
    obeyed: int
    sound: int
    distrusted: int
    d_prime: float | None = None
    bias: float | None = None
    sound_plans: int = 0
    look_ups: float | None = None
    versions: Versions | None = None


class Repeats(msgspec.Struct, frozen=True):
    """The chance that at least one of k repeats of a task succeeds (pass@k), and that all do (pass^k).

    Both are means over the `tasks` that have at least k scored repeats.
    """

    k: int
    pass_at: float
    pass_all: float
    tasks: int


class Row(msgspec.Struct, frozen=True):
    """One model with one prompt type. The means are over its scored episodes.

    `severity`, `tool_success_rate`, `prompt_variant` and `versions` are None unless there are several.
    `difference` is to `optimal`; it is None without a pair and for `optimal` itself. `unpaired` counts scored episodes
    without a scored control. `recovery` is from random faults, `recovery_by_kind` from those of each kind that
    occurred. `robustness` is for flawed plans. `repeats` has an entry
    for each k from 1 if any task was scored more than once. `estimated_requests` came back without token counts.
    `mean_first_token_s` is over episodes with streamed replies. `harm` and `false_success` are shares of the scored
    episodes: those that did what the job did not ask for, and those that are not `full` and yet claim to be done.
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
    mean_cost: float | None = None
    unpaired: int = 0
    recovery: Rate | None = None
    robustness: Robustness | None = None
    repeats: tuple[Repeats, ...] = ()
    failure_classes: tuple[tuple[FailureClass, int], ...] = ()
    estimated_requests: int = 0
    mean_first_token_s: float | None = None
    recovery_by_kind: tuple[tuple[FaultKind, Rate], ...] = ()
    harm: Rate | None = None
    false_success: Rate | None = None


class SlowCase(msgspec.Struct, frozen=True):
    """One of the slowest cases."""

    nodeid: str
    case_id: str
    outcome: Outcome
    duration_s: float
    turns: int


class ModelDifference(msgspec.Struct, frozen=True):
    """A model (`sample`) beside another (`reference`) of the same run."""

    sample: str
    reference: str
    difference: PairedDifference


class ModelFigures(msgspec.Struct, frozen=True):
    """One model over all its cases. The means are over its scored episodes; `mean_cost` is in US dollars.

    `flawed` compares its flawed cases of all kinds, pooled, with their controls; None without a pair. `versions` is
    None unless there are several. `recovery`, `false_success` and `estimated_requests` are as in a row.
    """

    model: str
    counts: Counts
    success: Rate | None
    flawed: PairedDifference | None = None
    recovery: Rate | None = None
    false_success: Rate | None = None
    mean_calls: float | None = None
    mean_cost: float | None = None
    mean_duration_s: float | None = None
    estimated_requests: int = 0
    versions: Versions | None = None


class Summary(msgspec.Struct, frozen=True):
    """A run's figures. `failure_classes` holds the classes that occurred, the most frequent first.

    `reused` counts the episodes of earlier runs; they are part of the counts. `cost` is in US dollars, of the run's own
    episodes with a known price. `versions` are those that the episodes were run and scored with; more than one must be
    reported to readers. `slowest` holds the run's own slowest scored cases, slowest first. `models` compares every two
    models over all cases that differ in the model only; p is corrected over these comparisons. `harm` and
    `false_success` are as in a row; `discernment` and `model_figures` have an entry for each model, and for each of
    several versions.
    """

    rows: tuple[Row, ...]
    counts: Counts
    failure_classes: tuple[tuple[FailureClass, int], ...]
    demo_models: tuple[str, ...]
    versions: tuple[Versions, ...] = ()
    reused: int = 0
    cost: float | None = None
    slowest: tuple[SlowCase, ...] = ()
    estimated_requests: int = 0
    models: tuple[ModelDifference, ...] = ()
    harm: Rate | None = None
    false_success: Rate | None = None
    discernment: tuple[Discernment, ...] = ()
    model_figures: tuple[ModelFigures, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    """A sample of cases beside a reference, over a group of cases (`all`, or what they have in common)."""

    group: str
    sample: Rate | None
    reference: Rate | None
    difference: PairedDifference | None


class Flip(msgspec.Struct, frozen=True):
    """A pair with two different outcomes."""

    nodeid: str
    case_id: str
    reference: Outcome
    sample: Outcome


class RunComparison(msgspec.Struct, frozen=True):
    """A run (`sample`) beside an earlier one (`reference`). Cases that only one scored are counted, not used."""

    sample: str
    reference: str
    groups: tuple[Comparison, ...]
    flips: tuple[Flip, ...]
    only_sample: int
    only_reference: int
