"""Draws random faults: whether the k-th call of a tool meets one, and in which order its kinds are tried."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

import msgspec

from pytest_ultra.core.axes import FaultKind


class FaultDraw(msgspec.Struct, frozen=True):
    """A fault that was drawn for a call.

    `kinds` are all kinds that were allowed, in the order in which they are tried: the first that can happen to the
    call does. `seed` decides everything else about the fault, such as an error code or the rows that are missing.
    """

    kinds: tuple[FaultKind, ...]
    seed: int


def draw_fault(task: str, tool: str, k: int, reliability: float, kinds: Sequence[FaultKind]) -> FaultDraw | None:
    """Draw the fault of the k-th call of a tool (from 1) in a task; None for no fault.

    `task` identifies the task, and `reliability` is the chance in [0, 1] that a call is free of faults. A call with a
    fault at one reliability also has one, with the same kinds and seed, at every lower one.
    """
    key = f"{task}|{tool}|{k}"
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    if int.from_bytes(digest[:8]) / 2**64 < reliability:
        return None
    order = [kind for kind in FaultKind if kind in kinds]
    Random(f"{key}|kind").shuffle(order)
    return FaultDraw(tuple(order), int.from_bytes(digest[8:]))
