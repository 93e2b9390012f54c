"""When a run will end: a simulation of the remaining work of its shards at the speed observed so far."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from pytest_ultra.core.progress import Cohort, ShardProgress
from pytest_ultra.reporting.live_status.episode_lengths import EpisodeLengths

_FULL_ROUNDS = 3
"""Queued episodes of a shard that are simulated, in multiples of its slots; the rest is estimated in bulk."""
_NEGLIGIBLE_EPISODES = 0.4
_MAX_STEPS = 2_000


class Latency(msgspec.Struct, frozen=True):
    """How long an answer takes: mean, squared coefficient of variation, and the number of answers observed."""

    mean_s: float
    squared_cv: float
    answers: int = 0


class Speed(msgspec.Struct, frozen=True):
    """How fast the run is now. `latencies` has one entry for each shard, in the order of the shards.

    Limits admit `calls_per_s` over all shards, infinity if they delay no call; this rate grows by `growth` per second,
    for `growth_s`. Latency is proportional to the calls in flight, relative to `in_flight` now, to the power of
    `elasticity`: 0 if load makes no difference, 1 if the endpoint has a fixed throughput.
    """

    latencies: Sequence[Latency]
    calls_per_s: float
    in_flight: float
    elasticity: float = 0.0
    growth: float = 0.0
    growth_s: float = 0.0

    def call_rate_at(self, at_s: float) -> float:
        """Return the calls per second that limits will admit `at_s` seconds from now."""
        return self.calls_per_s + self.growth * min(at_s, self.growth_s)

    def latency_factor(self, active: float) -> float:
        """Return the latency with `active` episodes left, as a share of the latency now."""
        return min(1.0, active / self.in_flight) ** self.elasticity if self.in_flight else 1.0


def remaining_s(shards: Sequence[ShardProgress], speed: Speed) -> float:
    """Return in how many seconds the last episode will have ended."""
    lengths = EpisodeLengths(
        (cohort for shard in shards for cohort in shard.ended),
        (cohort for shard in shards for cohort in shard.ahead),
        max(shard.most_answers for shard in shards),
    )
    left = [_RemainingShard(shard, latency, lengths) for shard, latency in zip(shards, speed.latencies, strict=True)]
    bulk_s = max(shard.skip_bulk() for shard in left)
    bulk_calls = sum(shard.skipped_calls for shard in left)
    end_s = _simulate(left, speed, max(bulk_s, bulk_calls / speed.calls_per_s))
    return max(0.0, end_s - max(shard.mean_call_age_s(speed) for shard in left))


def _simulate(shards: Sequence[_RemainingShard], speed: Speed, start_s: float) -> float:
    """Let each shard get one answer for each of its episodes per round, as fast as `speed` allows; return the end."""
    active = sum(shard.active for shard in shards)
    times = [(start_s, index) for index, shard in enumerate(shards) if shard.active > _NEGLIGIBLE_EPISODES]
    end_s = start_s
    for _ in range(_MAX_STEPS):
        if not times:
            break
        at, index = heapq.heappop(times)
        shard = shards[index]
        latency_s = shard.latency.mean_s * speed.latency_factor(active)
        taken_s = max(latency_s, active / speed.call_rate_at(at))
        end_s = max(end_s, at + taken_s)
        active -= shard.active
        shard.step(shard.latency.squared_cv * (latency_s / taken_s) ** 2 if taken_s else 0.0)
        active += shard.active
        if shard.active > _NEGLIGIBLE_EPISODES:
            heapq.heappush(times, (at + taken_s, index))
    return end_s


class _RemainingShard:
    """The remaining work of a shard: how many episodes need 1, 2, 3 ... more answers, and how many are queued."""

    def __init__(self, shard: ShardProgress, latency: Latency, lengths: EpisodeLengths) -> None:
        self.latency = latency
        self.skipped_calls = 0.0
        self._slots = shard.slots
        self._episodes: list[float] = []
        started = [cohort for cohort in shard.ahead if cohort.answers]
        queued = [cohort for cohort in shard.ahead if not cohort.answers]
        self._queue = float(sum(cohort.episodes for cohort in queued))
        self._queued_chances = _mix(queued, lengths, self._queue)
        self._add(_mix(started, lengths), 1.0)
        self._fill_slots()

    @property
    def active(self) -> float:
        return sum(self._episodes)

    def mean_call_age_s(self, speed: Speed) -> float:
        """Return how long current calls have been in flight on average, 0 if limits delay calls."""
        is_limited = speed.calls_per_s < float("inf")
        return 0.0 if is_limited else self.latency.mean_s * max(0.0, 1 - self.latency.squared_cv) / 2

    def skip_bulk(self) -> float:
        """Remove the part of a long queue during which all slots are busy; return the seconds it takes without limits.

        Its calls are added to `skipped_calls`.
        """
        bulk = self._queue - _FULL_ROUNDS * self._slots
        if bulk <= 0:
            return 0.0
        self._queue -= bulk
        self.skipped_calls = bulk * sum(more * chance for more, chance in enumerate(self._queued_chances, 1))
        return self.skipped_calls * self.latency.mean_s / self._slots

    def step(self, squared_cv: float) -> None:
        """Give each episode one answer on average; the larger `squared_cv`, the more episodes get none or two."""
        uneven = min(1.0, squared_cv) / 2
        now = [*self._episodes, 0.0, 0.0]
        self._episodes = [
            uneven * now[index] + (1 - 2 * uneven) * now[index + 1] + uneven * now[index + 2]
            for index in range(len(self._episodes))
        ]
        self._fill_slots()

    def _fill_slots(self) -> None:
        started = min(self._queue, self._slots - self.active)
        if started > 0:
            self._queue -= started
            self._add(self._queued_chances, started)

    def _add(self, chances: Sequence[float], episodes: float) -> None:
        self._episodes += [0.0] * (len(chances) - len(self._episodes))
        for index, chance in enumerate(chances):
            self._episodes[index] += episodes * chance


def _mix(cohorts: Sequence[Cohort], lengths: EpisodeLengths, total: float = 1.0) -> list[float]:
    """Add up the chances over cohorts, weighted by their episodes as shares of `total`."""
    mixed: list[float] = []
    for cohort in cohorts:
        chances = lengths.remaining_answers(cohort.expected, cohort.answers)
        mixed += [0.0] * (len(chances) - len(mixed))
        for index, chance in enumerate(chances):
            mixed[index] += chance * cohort.episodes / total
    return mixed
