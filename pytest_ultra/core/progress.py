"""How far a shard has come: what a worker tells of itself while it works."""

from __future__ import annotations

import msgspec


class Cohort(msgspec.Struct, frozen=True, array_like=True):
    """Episodes that are alike: how many requests each was expected to make, how many answers each has had."""

    expected: int
    answers: int
    episodes: int


class Burden(msgspec.Struct, frozen=True, array_like=True):
    """What load does to an endpoint, as seen in the first calls of episodes.

    Sums over so many `calls` of x, y, x * x, x * y and y * y, where x is the logarithm of the calls in flight when a
    call was made, and y that of the seconds that its answer took.
    """

    calls: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def plus(self, x: float, y: float) -> Burden:
        return Burden(self.calls + 1, self.x + x, self.y + y, self.xx + x * x, self.xy + x * y, self.yy + y * y)


class ShardProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A shard, and the worker that has it at the moment.

    `planned` counts its cases, None while they are not known in advance; `done` those that have their episode, and
    `reused` those of them that were lived in an earlier run. At most `slots` episodes are lived at a time. `in_flight`
    and `waiting` count calls, the latter those that limits hold up; `answers`, `latency_s` and `latency_s2` (how long
    they took, and the squares of that), `tokens` and `cost` are sums, and `cost` is None where no price is known.
    `ended` and `ahead` are the episodes that are lived in this run, by what they were expected to come to; none can
    have more than `most_answers`.
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
    ended: tuple[Cohort, ...] = ()
    ahead: tuple[Cohort, ...] = ()

    @property
    def under_way(self) -> float:
        """How many whole episodes those come to that have not ended: 3.5 for seven that are half way."""
        return sum(cohort.episodes * min(1.0, cohort.answers / (cohort.expected or 1)) for cohort in self.ahead)
