"""How far a whole run has come, added up over its shards."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_ultra.core.progress import ShardProgress


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A run at a moment. `workers` counts its shards, those included that have told nothing yet.

    Rates are per second, None before there is anything to tell; `eta_s` is in how many seconds it will have ended.
    """

    shards: tuple[ShardProgress, ...]
    workers: int
    planned: int
    elapsed_s: float
    episode_rate: float | None = None
    call_rate: float | None = None
    eta_s: float | None = None

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
    def tokens(self) -> int:
        return sum(shard.tokens for shard in self.shards)

    @property
    def cost(self) -> float | None:
        """US dollars, None where no price is known."""
        return total_cost(self.shards)


def total_cost(shards: Sequence[ShardProgress]) -> float | None:
    known = [shard.cost for shard in shards if shard.cost is not None]
    return sum(known) if known else None
