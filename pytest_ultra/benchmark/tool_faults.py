"""Random tool faults, which are the same for every model and every prompt type of a task."""

from __future__ import annotations

import hashlib

import msgspec

from pytest_ultra.benchmark.tools.base import Tool
from pytest_ultra.core.case import TaskKey


class Faults(msgspec.Struct, frozen=True):
    """Decides whether the k-th call of a tool fails, from (task, tool, k) alone.

    A call that fails at one tool success rate also fails at every lower rate.
    """

    task_key: TaskKey
    tool_success_rate: float

    def draw(self, tool: Tool, k: int) -> str | None:
        """Return the transient error code of the tool's k-th call of the episode (from 1), or None for no fault."""
        key = f"{'|'.join(map(str, msgspec.structs.astuple(self.task_key)))}|{tool.name}|{k}"
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        chance = int.from_bytes(digest[:8]) / 2**64
        if chance < tool.reliability(self.tool_success_rate):
            return None
        return tool.transient_codes[int.from_bytes(digest[8:]) % len(tool.transient_codes)]
