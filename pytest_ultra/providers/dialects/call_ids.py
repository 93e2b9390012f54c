"""Ids of tool calls: those that we make, and those that an endpoint takes in no other form."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

_IS_NINE = re.compile(r"[a-zA-Z0-9]{9}")


def make_call_id(turn: int, number: int) -> str:
    """Return an id for a call that came without one: nine letters and digits, the same in every run.

    That is the form of the strictest endpoints (https://github.com/nearai/ironclaw/issues/1241).
    """
    return f"t{turn % 10_000:04d}c{number % 1000:03d}"


@lru_cache(maxsize=4096)
def shorten_call_id(call_id: str) -> str:
    """Return an id as nine letters and digits: the same one if it has that form, else a hash of it."""
    if _IS_NINE.fullmatch(call_id):
        return call_id
    return hashlib.blake2b(call_id.encode(errors="replace"), digest_size=5).hexdigest()[:9]
