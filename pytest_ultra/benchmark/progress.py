"""How far a shard has come: what a worker tells of itself while it works."""

from __future__ import annotations

import msgspec


class Cohort(msgspec.Struct, frozen=True, array_like=True):
    """Episodes that are alike: how many requests each was expected to make, how many answers each has had."""

    expected: int
    answers: int
    episodes: int


class ShardProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A shard, and the worker that has it at the moment.

    `planned` counts its cases, None while they are not known in advance; `done` those that have their episode, and
    `reused` those of them that were lived in an earlier run. At most `slots` episodes are lived at a time. `in_flight`
    and `waiting` count calls, the latter those that limits hold up; `answers`, `latency_s` (of all answers together),
    `tokens` and `cost` are sums, and `cost` is None where no price is known. `ended` and `ahead` are the episodes that
    are lived in this run, by what they were expected to come to.
    """

    number: int
    worker: str
    planned: int | None
    slots: int
    done: int = 0
    reused: int = 0
    in_flight: int = 0
    waiting: int = 0
    answers: int = 0
    latency_s: float = 0.0
    tokens: int = 0
    cost: float | None = None
    ended: tuple[Cohort, ...] = ()
    ahead: tuple[Cohort, ...] = ()
