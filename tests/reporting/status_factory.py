"""Statuses of runs, made up for tests."""

from __future__ import annotations

from typing import Any

from pytest_ultra.core.progress import Cohort, ModelTally, ShardProgress
from pytest_ultra.reporting.live_status.status_snapshot import StatusContext, StatusSnapshot


def make_shard(number: int, **fields: Any) -> ShardProgress:
    given: dict[str, Any] = {"worker": f"gw{number}", "planned": 50, "slots": 256, "most_answers": 30} | fields
    return ShardProgress(number=number, **given)


def make_status(*shards: ShardProgress, **fields: Any) -> StatusSnapshot:
    planned = sum(shard.planned or 0 for shard in shards)
    given: dict[str, Any] = {"workers": len(shards), "planned": planned, "elapsed_s": 72.0} | fields
    return StatusSnapshot(shards=shards, **given)


THREE = make_status(
    make_shard(0, done=20, reused=10, in_flight=16, waiting=4, tokens=900_000, cost=0.3),
    make_shard(1, done=13, in_flight=20, tokens=300_000, cost=0.11, ahead=(Cohort(6, 3, 20), Cohort(6, 0, 17))),
    make_shard(2, in_flight=1, tokens=34_567, cost=0.01),
    episode_rate=0.55,
    call_rate=13.24,
    eta_s=143.6,
)

TALLIED = make_status(
    make_shard(0, done=20, waiting=4, backing_off=1, tokens=900_000, cost=0.3, tallies=(ModelTally("b", 9, 10, 5, 1),)),
    make_shard(1, done=13, tallies=(ModelTally("a", 4, 4, 4), ModelTally("b", 1, 1, 4))),
    reported=12,
    context=StatusContext(("b", "a"), 2_000_000, 1.5),
)
