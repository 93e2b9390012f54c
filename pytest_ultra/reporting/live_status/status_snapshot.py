"""The progress of a whole run at one moment, summed over its shards."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.progress import ModelTally, ShardProgress


class StatusContext(msgspec.Struct, frozen=True):
    """What is known before a run: its models in order, and the limits of its budget; `max_cost` is in US dollars.

    A run that `may_end_early` needs at most the planned cases.
    """

    models: tuple[str, ...] = ()
    max_tokens: int | None = None
    max_cost: float | None = None
    may_end_early: bool = False

    @property
    def has_budget(self) -> bool:
        return self.max_tokens is not None or self.max_cost is not None


class StatusSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A run at one moment. `workers` counts its shards, including those that have not reported yet.

    Rates are per second, None before the first answer; `eta_s` is the estimated number of seconds to the end.
    `reported` counts the cases that pytest has reported, which come in the order of its tests; None if unknown.
    """

    shards: tuple[ShardProgress, ...]
    workers: int
    planned: int
    elapsed_s: float
    episode_rate: float | None = None
    call_rate: float | None = None
    eta_s: float | None = None
    reported: int | None = None
    context: StatusContext = StatusContext()

    @property
    def done(self) -> int:
        return sum(shard.done for shard in self.shards)

    @property
    def reused(self) -> int:
        return sum(shard.reused for shard in self.shards)

    @property
    def under_way(self) -> float:
        return sum(shard.under_way for shard in self.shards)

    @property
    def in_flight(self) -> int:
        return sum(shard.in_flight for shard in self.shards)

    @property
    def waiting(self) -> int:
        return sum(shard.waiting for shard in self.shards)

    @property
    def backing_off(self) -> int:
        return sum(shard.backing_off for shard in self.shards)

    @property
    def tallies(self) -> tuple[ModelTally, ...]:
        """The finished cases of each model, in the order of the run's tables."""
        found: dict[str, ModelTally] = {}
        for tally in (tally for shard in self.shards for tally in shard.tallies):
            found[tally.model] = found.get(tally.model, ModelTally(tally.model)).plus(tally)
        order = [name for name in self.context.models if name in found]
        return tuple(found[name] for name in dict.fromkeys([*order, *sorted(found)]))

    @property
    def tokens(self) -> int:
        return sum(shard.tokens for shard in self.shards)

    @property
    def estimated(self) -> int:
        """The answers whose tokens are estimated."""
        return sum(shard.estimated for shard in self.shards)

    @property
    def said(self) -> str:
        """What an endpoint said last in place of an answer, while calls wait; empty if none does."""
        return next((shard.said for shard in self.shards if shard.said), "")

    @property
    def cost(self) -> float | None:
        """US dollars, None if no price is known."""
        return total_cost(self.shards)


def total_cost(shards: Sequence[ShardProgress]) -> float | None:
    known = [shard.cost for shard in shards if shard.cost is not None]
    return sum(known) if known else None
