"""Parser of rate-limit headers: what is left of a quota, and how long to wait (at most `MAX_WAIT_S`)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from pytest_ultra.core.chat_request import MAX_WAIT_S, Quota

_FAMILIES = (
    ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    (
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ),
    ("anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
)
"""Names of the limit, remaining and reset headers: OpenAI and compatible endpoints, Anthropic, OpenRouter."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS_S = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_UNIX_S = 1e9  # larger numbers are points in time: no reset is 30 years away
_UNIX_MS = 1e12

Headers = Mapping[str, str]


def read_quota(headers: Headers, *, now: Callable[[], float]) -> Quota | None:
    """Return the quota with the smallest share left, None if the headers have none."""
    quotas = [quota for names in _FAMILIES if (quota := _read_family(headers, names, now)) is not None]
    return min(quotas, key=lambda quota: (quota.left, -quota.reset_s), default=None)


def read_retry_after(headers: Headers, *, now: Callable[[], float]) -> float | None:
    """Return the seconds to wait from `retry-after-ms` or `retry-after` (seconds or a date).

    A date is compared with the server's own `date` header if there is one, in case the server's clock is wrong. If
    neither header is present, return the time until a used-up quota resets.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    header = headers.get("retry-after")
    seconds = _number(header)
    if seconds is None and (until := _timestamp(header)) is not None:
        sent = _timestamp(headers.get("date"))
        seconds = until - (now() if sent is None else sent)
    return _reset_if_empty(headers, now) if seconds is None else _bounded(seconds)


def _reset_if_empty(headers: Headers, now: Callable[[], float]) -> float | None:
    quota = read_quota(headers, now=now)
    return quota.reset_s if quota is not None and quota.left <= 0 and quota.reset_s > 0 else None


def _read_family(headers: Headers, names: tuple[str, str, str], now: Callable[[], float]) -> Quota | None:
    limit, remaining = (_number(headers.get(name)) for name in names[:2])
    if remaining is None or remaining < 0 or (limit is not None and limit <= 0):
        return None  # servers without limits send 0 or -1
    left = min(1.0, remaining / limit) if limit else float(remaining > 0)
    return Quota(left, _seconds_until(headers.get(names[2]), now))


def _seconds_until(text: str | None, now: Callable[[], float]) -> float:
    """Parse `1s`, `6m0s`, `250ms`, a number of seconds, or a point in time (Unix seconds or milliseconds, ISO 8601)."""
    number = _number(text)
    if number is None and text:
        number = _duration(text.strip())
    if number is None and text:
        number = _iso(text.strip())
    if number is None:
        return 0.0
    point = number / 1000 if number >= _UNIX_MS else number
    return _bounded(point - now() if point >= _UNIX_S else point)


def _bounded(seconds: float) -> float:
    return min(MAX_WAIT_S, max(0.0, seconds))


def _duration(text: str) -> float | None:
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return None
    return sum(float(part) * unit for part, unit in zip(found.groups(), _UNITS_S, strict=True) if part)


def _iso(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _timestamp(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, OverflowError):
        return None
