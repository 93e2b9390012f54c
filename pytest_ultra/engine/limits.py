"""Limits on an endpoint, and the arithmetic of pacing. Pure: no clock."""

from __future__ import annotations

import math

import msgspec

START_IN_FLIGHT = 256
MOST_IN_FLIGHT = 1024

_MINUTE_S = 60.0
_HEADROOM = 1.01  # any window may hold one call above its share; with this, no minute holds more than N calls
CATCH_UP_S = 0.05
TIMER_S = 0.004
"""The resolution of timers."""


class Limits(msgspec.Struct, frozen=True):
    """Limits for all processes together: requests and tokens a minute, and calls in flight. None is no limit.

    An adaptive limit on calls in flight applies in addition, and is never above `max_in_flight`.
    """

    rpm: float | None = None
    tpm: float | None = None
    max_in_flight: int | None = None
    is_adaptive: bool = True

    @property
    def is_set(self) -> bool:
        """Whether the user has set any limit."""
        return any(limit is not None for limit in (self.rpm, self.tpm, self.max_in_flight))

    def without_pace(self) -> Limits:
        return msgspec.structs.replace(self, rpm=None, tpm=None)

    def share(self, hosts: int) -> Limits:
        """Return one host's share of the limits, at least one call in flight."""
        return msgspec.structs.replace(
            self,
            rpm=self.rpm and self.rpm / hosts,
            tpm=self.tpm and self.tpm / hosts,
            max_in_flight=self.max_in_flight and max(1, self.max_in_flight // hosts),
        )

    @property
    def ceiling(self) -> float:
        """The largest possible number of calls in flight."""
        if self.max_in_flight is not None:
            return self.max_in_flight
        return MOST_IN_FLIGHT if self.is_adaptive else math.inf

    def capacity(self, window: float) -> float:
        """Return how many calls may be in flight; `window` is the current adaptive limit."""
        return max(1.0, min(window, self.ceiling)) if self.is_adaptive else self.ceiling


class Pace(msgspec.Struct, frozen=True):
    """Even spacing (the generic cell rate algorithm, GCRA): `due` is when the next call may be made.

    After a late call, the next one may catch up by at most one interval, and at most 50 ms. So at most two calls come
    at once (unless an interval is shorter than the resolution of timers), and idle time is not saved up.
    """

    interval_s: float

    @classmethod
    def per_minute(cls, units: float | None) -> Pace:
        """Return the pace for a number of calls, or tokens, a minute; None is no limit."""
        return cls(0.0 if units is None else _MINUTE_S * _HEADROOM / units)

    def take(self, due: float, now: float, units: float = 1.0) -> float:
        """Return when the next call may be made after a call of `units` at `now` (not before `due`)."""
        step_s = units * self.interval_s
        catch_up_s = max(TIMER_S, min(step_s, CATCH_UP_S))
        return max(due, now - catch_up_s) + step_s

    def settle(self, due: float, units: float) -> float:
        """Return the corrected `due` after a call that used `units` more than it took."""
        return due + units * self.interval_s
