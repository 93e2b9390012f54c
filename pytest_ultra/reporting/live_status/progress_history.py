"""Samples of the progress of a run over time, and the rates and latencies that they show."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec

from pytest_ultra.core.progress import Burden, ShardProgress
from pytest_ultra.reporting.live_status.eta import Latency, Speed

_MIN_WINDOW_S = 10.0
_WINDOW_SHARE = 1 / 4  # of the time since the first answer: older samples say little about the speed now
_MIN_WAITING_SHARE = 0.05  # of all calls; if fewer wait, limits do not determine the speed
_MIN_ANSWERS = 10  # fewer say little
_STANDARD_ERRORS = 1.5  # to subtract from an effect of load, so that chance does not count as one
_MIN_R_SQUARED = 0.8  # of a line through the calls in flight; with less, growth is not steady
_GROWTH_SHARE = 0.6  # of the time since the first answer: how much longer growth is assumed to continue


class ProgressSample(msgspec.Struct, frozen=True):
    """The progress of the shards at one time, and sums over them."""

    at: float
    shards: dict[int, ShardProgress]
    ended: int
    answers: int
    latency_s: float
    latency_s2: float
    in_flight: int
    waiting: int

    @classmethod
    def take(cls, shards: Sequence[ShardProgress], at: float) -> ProgressSample:
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


class ProgressHistory:
    """Keeps the samples of the last part of a run."""

    def __init__(self) -> None:
        self._recent: deque[ProgressSample] = deque()
        self._first_answer: float | None = None

    def add(self, sample: ProgressSample) -> None:
        if self._first_answer is None:
            self._recent.clear()
            self._first_answer = sample.at if sample.answers else None
        self._recent.append(sample)
        first_answer = self._first_answer or sample.at
        since = sample.at - max(_MIN_WINDOW_S, _WINDOW_SHARE * (sample.at - first_answer))
        while len(self._recent) > 1 and self._recent[1].at <= since:
            self._recent.popleft()

    @property
    def window_s(self) -> float:
        """The seconds over which rates are computed; 0 until the second sample with an answer."""
        return self._recent[-1].at - self._recent[0].at if self._first_answer is not None else 0.0

    @property
    def episode_rate(self) -> float:
        return (self._recent[-1].ended - self._recent[0].ended) / self.window_s

    @property
    def call_rate(self) -> float:
        return (self._recent[-1].answers - self._recent[0].answers) / self.window_s

    def speed(self) -> Speed:
        """Return how fast the run is now; requires a call rate above 0."""
        first, last = self._recent[0], self._recent[-1]
        latencies = [_latency(first.shards.get(number), shard) for number, shard in last.shards.items()]
        overall = _latency(first, last) or Latency(0.0, 0.0)
        growth, now = self._growth()
        in_flight = sum(sample.in_flight for sample in self._recent) / len(self._recent)
        is_limited = self._waiting_share() > _MIN_WAITING_SHARE
        return Speed(
            latencies=[_shrink(latency, overall) for latency in latencies],
            calls_per_s=self.call_rate * (now / in_flight if growth else 1.0) if is_limited else math.inf,
            in_flight=in_flight,
            elasticity=_elasticity([shard.burden for shard in last.shards.values()]),
            growth=growth / overall.mean_s if is_limited else 0.0,
            growth_s=_GROWTH_SHARE * (last.at - (self._first_answer or 0.0)),
        )

    def _waiting_share(self) -> float:
        waiting = sum(sample.waiting for sample in self._recent)
        return waiting / (sum(sample.in_flight for sample in self._recent) + waiting or 1)

    def _growth(self) -> tuple[float, float]:
        """Return the steady growth of the calls in flight, per second, and their number now; zeros if there is none."""
        times = [sample.at - self._recent[-1].at for sample in self._recent]
        slope, at_end, r_squared = _fit_line(times, [float(sample.in_flight) for sample in self._recent])
        return (slope, at_end) if slope > 0 and r_squared > _MIN_R_SQUARED else (0.0, 0.0)


class _AnswerSums(Protocol):
    @property
    def answers(self) -> int: ...

    @property
    def latency_s(self) -> float: ...

    @property
    def latency_s2(self) -> float: ...


def _latency(before: _AnswerSums | None, now: _AnswerSums) -> Latency | None:
    """Return the latency of the answers between two sums, None if there were none."""
    answers = now.answers - (before.answers if before else 0)
    if answers <= 0:
        return None
    mean_s = (now.latency_s - (before.latency_s if before else 0.0)) / answers
    square_s2 = (now.latency_s2 - (before.latency_s2 if before else 0.0)) / answers
    return Latency(mean_s, max(0.0, square_s2 / mean_s**2 - 1) if mean_s else 0.0, answers)


def _shrink(latency: Latency | None, overall: Latency) -> Latency:
    """Return a shard's latency, shrunk towards the overall latency: the fewer its answers, the more."""
    if latency is None:
        return overall
    weight = latency.answers / (latency.answers + _MIN_ANSWERS)
    return Latency(
        weight * latency.mean_s + (1 - weight) * overall.mean_s,
        weight * latency.squared_cv + (1 - weight) * overall.squared_cv,
        latency.answers,
    )


def _elasticity(burdens: Sequence[Burden]) -> float:
    """Return the exponent of latency as a power of load: a cautious estimate, at the lower end of what is likely."""
    known = [burden for burden in burdens if burden.calls]
    calls = sum(burden.calls for burden in known)
    xx = sum(burden.xx - burden.x**2 / burden.calls for burden in known)
    xy = sum(burden.xy - burden.x * burden.y / burden.calls for burden in known)
    yy = sum(burden.yy - burden.y**2 / burden.calls for burden in known)
    if calls < _MIN_ANSWERS or xx <= 0:
        return 0.0
    slope = xy / xx
    error = math.sqrt(max(0.0, yy - slope * xy) / xx / calls)
    return min(1.0, max(0.0, slope - _STANDARD_ERRORS * error))


def _fit_line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float, float]:
    """Fit a line by least squares; return its slope, its value at 0, and R squared."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    xx = sum((x - mean_x) ** 2 for x in xs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    yy = sum((y - mean_y) ** 2 for y in ys)
    if not xx or not yy:
        return 0.0, mean_y, 0.0
    return xy / xx, mean_y - xy / xx * mean_x, xy**2 / (xx * yy)
