"""How fast a run goes on, and when it will have ended, as far as can be told from what it has come to so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from pytest_ultra.benchmark.progress import ShardProgress
from pytest_ultra.reporting.live.status import Status

_SHORTEST_S = 10.0
_SHARE = 1 / 3  # of the time since the first answer: what is older says nothing about how it goes now


class _Sample(msgspec.Struct, frozen=True):
    at: float
    answers: int
    ended: int
    latency_s: float


class Outlook:
    """Told again and again how far the shards are, at times of any clock that begins with the run."""

    def __init__(self, planned: Callable[[], int], workers: int, now: float) -> None:
        self._planned = planned
        self._workers = workers
        self._began = now
        self._samples: deque[_Sample] = deque()

    def observe(self, shards: Sequence[ShardProgress], now: float) -> Status:
        self._remember(shards, now)
        status = Status(
            shards=tuple(shards), workers=self._workers, planned=self._planned(), elapsed_s=now - self._began
        )
        if len(self._samples) > 1:
            first, last = self._samples[0], self._samples[-1]
            passed_s = last.at - first.at
            episode_rate = (last.ended - first.ended) / passed_s
            left = status.planned - status.done
            return msgspec.structs.replace(
                status,
                episode_rate=episode_rate,
                call_rate=(last.answers - first.answers) / passed_s,
                eta_s=left / episode_rate if episode_rate else None,
            )
        return status

    def _remember(self, shards: Sequence[ShardProgress], now: float) -> None:
        answers = sum(shard.answers for shard in shards)
        if not answers:
            return
        ended = sum(cohort.episodes for shard in shards for cohort in shard.ended)
        latency_s = sum(shard.latency_s for shard in shards)
        self._samples.append(_Sample(now, answers, ended, latency_s))
        window_s = max(_SHORTEST_S, _SHARE * (now - self._samples[0].at))
        while len(self._samples) > 2 and self._samples[1].at <= now - window_s:
            self._samples.popleft()
