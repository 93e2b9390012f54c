"""The progress of a shard, which its worker reports while it works."""

from __future__ import annotations

import msgspec


class Cohort(msgspec.Struct, frozen=True, array_like=True):
    """Episodes with the same number of expected requests and of received answers."""

    expected: int
    answers: int
    episodes: int


class Burden(msgspec.Struct, frozen=True, array_like=True):
    """How load slows an endpoint down, measured in the first calls of episodes.

    Sums over `calls` calls of x, y, x * x, x * y and y * y, where x is the logarithm of the calls in flight when a
    call was made, and y the logarithm of the seconds until its answer.
    """

    calls: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def plus(self, x: float, y: float) -> Burden:
        return Burden(self.calls + 1, self.x + x, self.y + y, self.xx + x * x, self.xy + x * y, self.yy + y * y)


class ModelTally(msgspec.Struct, frozen=True, array_like=True):
    """The finished cases of a model: those that are `full`, and those of each result that their tests have."""

    model: str
    full: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0

    @property
    def scored(self) -> int:
        return self.passed + self.failed

    def plus(self, other: ModelTally) -> ModelTally:
        sums = (self.full + other.full, self.passed + other.passed, self.failed + other.failed)
        return ModelTally(self.model, *sums, self.errors + other.errors)


class ShardProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A shard and its current worker.

    `planned` counts its cases, None if they are not known in advance; `done` those with an episode, and `reused`
    those whose episode is from an earlier run. At most `slots` episodes run at a time. `in_flight` and `waiting`
    count calls, the latter those that wait for limits, or to try again after a failed attempt (`backing_off`).
    `answers`, `latency_s` and `latency_s2` (latencies and their squares), `tokens` and `cost` are sums; `cost` is
    None if no price is known. `estimated` counts the answers without token counts, whose tokens are our estimate.
    `said` is what an endpoint said last in place of an answer, while calls wait and as long as that is recent.
    `ended` and `ahead` are this run's episodes by expected requests; none can have more than `most_answers`
    answers. `tallies` has an entry for each model with a finished case, reused ones included.
    """

    number: int
    worker: str
    planned: int | None
    slots: int
    most_answers: int
    done: int = 0
    reused: int = 0
    in_flight: int = 0
    waiting: int = 0
    answers: int = 0
    latency_s: float = 0.0
    latency_s2: float = 0.0
    burden: Burden = Burden()
    tokens: int = 0
    cost: float | None = None
    estimated: int = 0
    said: str = ""
    ended: tuple[Cohort, ...] = ()
    ahead: tuple[Cohort, ...] = ()
    backing_off: int = 0
    tallies: tuple[ModelTally, ...] = ()

    @property
    def under_way(self) -> float:
        """The finished parts of episodes that have not ended, in episodes: 3.5 for seven that are half done."""
        return sum(cohort.episodes * min(1.0, cohort.answers / (cohort.expected or 1)) for cohort in self.ahead)
