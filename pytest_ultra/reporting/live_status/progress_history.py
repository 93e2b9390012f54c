"""What a run has come to at the times at which it was looked at, and what that says of how it goes now."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec

from pytest_ultra.core.progress import Burden, ShardProgress
from pytest_ultra.reporting.live_status.eta import Latency, Speed

_SHORTEST_S = 10.0
_SHARE = 1 / 4  # of the time since the first answer: what is older says little of how it goes now
_HELD_UP = 0.05  # of the calls under way; with fewer that wait, limits do not bound the run
_FEW = 10  # answers say little
_ERRORS = 1.5  # standard errors by which an effect of load must be beyond doubt
_STEADY = 0.8  # how well a line must fit for growth to be taken for such
_GOES_ON = 0.6  # for this share of the time that it has been seen


class Sample(msgspec.Struct, frozen=True):
    """The shards at a time, and sums over them."""

    at: float
    shards: dict[int, ShardProgress]
    ended: int
    answers: int
    latency_s: float
    latency_s2: float
    in_flight: int
    waiting: int

    @classmethod
    def take(cls, shards: Sequence[ShardProgress], at: float) -> Sample:
        return cls(
            at,
            {shard.number: shard for shard in shards},
            sum(cohort.episodes for shard in shards for cohort in shard.ended),
            sum(shard.answers for shard in shards),
            sum(shard.latency_s for shard in shards),
            sum(shard.latency_s2 for shard in shards),
            sum(shard.in_flight for shard in shards),
            sum(shard.waiting for shard in shards),
        )


class History:
    """Keeps the last part of a run."""

    def __init__(self) -> None:
        self._recent: deque[Sample] = deque()
        self._first_answer: float | None = None

    def add(self, sample: Sample) -> None:
        if self._first_answer is None:
            self._recent.clear()
            self._first_answer = sample.at if sample.answers else None
        self._recent.append(sample)
        begun = self._first_answer or sample.at
        since = sample.at - max(_SHORTEST_S, _SHARE * (sample.at - begun))
        while len(self._recent) > 1 and self._recent[1].at <= since:
            self._recent.popleft()

    @property
    def passed_s(self) -> float:
        """Over how many seconds rates are taken; 0 before there is anything to take one of."""
        return self._recent[-1].at - self._recent[0].at if self._first_answer is not None else 0.0

    @property
    def episode_rate(self) -> float:
        return (self._recent[-1].ended - self._recent[0].ended) / self.passed_s

    @property
    def call_rate(self) -> float:
        return (self._recent[-1].answers - self._recent[0].answers) / self.passed_s

    def speed(self) -> Speed:
        """Return how fast it goes now; there must be a call rate."""
        first, last = self._recent[0], self._recent[-1]
        latencies = [_latency(first.shards.get(number), shard) for number, shard in last.shards.items()]
        overall = _latency(first, last) or Latency(0.0, 0.0)
        growth, now = self._growth()
        in_flight = sum(sample.in_flight for sample in self._recent) / len(self._recent)
        is_held_up = self._waiting_share() > _HELD_UP
        return Speed(
            latencies=[_trusted(latency, overall) for latency in latencies],
            calls_per_s=self.call_rate * (now / in_flight if growth else 1.0) if is_held_up else math.inf,
            in_flight=in_flight,
            elasticity=_elasticity([shard.burden for shard in last.shards.values()]),
            growth=growth / overall.mean_s if is_held_up else 0.0,
            growth_s=_GOES_ON * (last.at - (self._first_answer or 0.0)),
        )

    def _waiting_share(self) -> float:
        waiting = sum(sample.waiting for sample in self._recent)
        return waiting / (sum(sample.in_flight for sample in self._recent) + waiting or 1)

    def _growth(self) -> tuple[float, float]:
        """Return how many more calls are in flight each second, if that grows steadily, and how many are now."""
        times = [sample.at - self._recent[-1].at for sample in self._recent]
        slope, at_end, fit = _line(times, [float(sample.in_flight) for sample in self._recent])
        return (slope, at_end) if slope > 0 and fit > _STEADY else (0.0, 0.0)


class _Answered(Protocol):
    @property
    def answers(self) -> int: ...

    @property
    def latency_s(self) -> float: ...

    @property
    def latency_s2(self) -> float: ...


def _latency(before: _Answered | None, now: _Answered) -> Latency | None:
    """Return that of the answers between, None where there were none."""
    answers = now.answers - (before.answers if before else 0)
    if answers <= 0:
        return None
    mean_s = (now.latency_s - (before.latency_s if before else 0.0)) / answers
    square_s2 = (now.latency_s2 - (before.latency_s2 if before else 0.0)) / answers
    return Latency(mean_s, max(0.0, square_s2 / mean_s**2 - 1) if mean_s else 0.0, answers)


def _trusted(latency: Latency | None, overall: Latency) -> Latency:
    """Return a shard's own, pulled towards that of all the more, the fewer its answers."""
    if latency is None:
        return overall
    trust = latency.answers / (latency.answers + _FEW)
    return Latency(
        trust * latency.mean_s + (1 - trust) * overall.mean_s,
        trust * latency.spread + (1 - trust) * overall.spread,
        latency.answers,
    )


def _elasticity(burdens: Sequence[Burden]) -> float:
    """Return the power of the load by which latency goes, or rather the least that it is likely to be."""
    known = [burden for burden in burdens if burden.calls]
    calls = sum(burden.calls for burden in known)
    xx = sum(burden.xx - burden.x**2 / burden.calls for burden in known)
    xy = sum(burden.xy - burden.x * burden.y / burden.calls for burden in known)
    yy = sum(burden.yy - burden.y**2 / burden.calls for burden in known)
    if calls < _FEW or xx <= 0:
        return 0.0
    slope = xy / xx
    error = math.sqrt(max(0.0, yy - slope * xy) / xx / calls)
    return min(1.0, max(0.0, slope - _ERRORS * error))


def _line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float]:
    """Fit a line by least squares: return its slope, its value at 0, and the share of the variance that it explains."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    xx = sum((x - mean_x) ** 2 for x in xs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    yy = sum((y - mean_y) ** 2 for y in ys)
    if not xx or not yy:
        return 0.0, mean_y, 0.0
    return xy / xx, mean_y - xy / xx * mean_x, xy**2 / (xx * yy)
