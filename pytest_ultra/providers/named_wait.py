"""The wait that an error names in its body, in a field of its own or in words."""

from __future__ import annotations

import re

from pytest_ultra.core.chat_request import MAX_WAIT_S
from pytest_ultra.providers.error_body import ErrorBody

_NUMBER = r"\d+(?:\.\d+)?"
_PART = rf"{_NUMBER}\s?(?:ms|milliseconds?|d|days?|h|hours?|m|min|minutes?|s|secs?|seconds?)(?![a-z])"
_PARTS = re.compile(rf"({_NUMBER})\s?([a-z]+)", re.IGNORECASE)
# "Please try again in 6m0s", "Please retry after 60 seconds", "Please retry in 19.5s", "Try again in 2 seconds":
# https://github.com/Aider-AI/aider/issues/3265 https://github.com/dyad-sh/dyad/issues/1849
# https://github.com/microsoft/copilot-camp/issues/551
_WORDS = re.compile(rf"(?:try again|retry|wait)\s+(?:in|after|for)?\s*((?:{_PART}\s?)+)", re.IGNORECASE)
_UNITS_S = {"ms": 0.001, "mil": 0.001, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def read_wait(error: ErrorBody) -> float | None:
    """Return the seconds that an error names, at most `MAX_WAIT_S`; None if it names none."""
    named = error.delay or (found.group(1) if (found := _WORDS.search(error.message)) else "")
    parts = [(float(number), _unit_s(unit.lower())) for number, unit in _PARTS.findall(named)]
    return min(MAX_WAIT_S, sum(number * unit_s for number, unit_s in parts)) if parts else None


def _unit_s(unit: str) -> float:
    return _UNITS_S.get(unit) or _UNITS_S.get(unit[:3]) or _UNITS_S.get(unit[:1], 0.0)
