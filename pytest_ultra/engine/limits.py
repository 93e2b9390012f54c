"""Limits on an endpoint, and the arithmetic of pacing: plain values, no clock."""

from __future__ import annotations

import math

import msgspec

START_IN_FLIGHT = 256
MOST_IN_FLIGHT = 1024

_MINUTE_S = 60.0
_HEADROOM = 1.01  # a window of any length holds one call more than its share; this makes a minute hold no more than N
_CATCH_UP_S = 0.05
_TIMER_S = 0.004  # timers are no finer


class Limits(msgspec.Struct, frozen=True):
    """What an endpoint may be asked for, by all processes together; None is no limit.

    An adaptive limit on calls in flight comes on top, and is never above `max_in_flight`.
    """

    rpm: float | None = None
    tpm: float | None = None
    max_in_flight: int | None = None
    is_adaptive: bool = True

    @property
    def ceiling(self) -> float:
        """The most calls in flight that may ever be."""
        if self.max_in_flight is not None:
            return self.max_in_flight
        return MOST_IN_FLIGHT if self.is_adaptive else math.inf

    def capacity(self, window: float) -> float:
        """Return how many calls may be in flight, given what an adaptive limit has come to."""
        return max(1.0, min(window, self.ceiling)) if self.is_adaptive else self.ceiling


class Pace(msgspec.Struct, frozen=True):
    """Even spacing (the generic cell rate algorithm, GCRA): `due` is when the next call may be made.

    A call that comes late lets the next one catch up by at most one interval, and 50 ms; so never more than two come
    at once (but where an interval is shorter than timers are fine), and rest is never saved up.
    """

    interval_s: float

    @classmethod
    def per_minute(cls, units: float | None) -> Pace:
        """Return the pace of a number of calls, or tokens, a minute; None is no limit."""
        return cls(0.0 if units is None else _MINUTE_S * _HEADROOM / units)

    def take(self, due: float, now: float, units: float = 1.0) -> float:
        """Return when the next call may be made after one of so many units, made at `now` (not before `due`)."""
        step_s = units * self.interval_s
        catch_up_s = max(_TIMER_S, min(step_s, _CATCH_UP_S))
        return max(due, now - catch_up_s) + step_s

    def settle(self, due: float, units: float) -> float:
        """Return when the next call may be made once a call proves to have been so many units larger than was taken."""
        return due + units * self.interval_s
