"""What a process of the run is told about its place in it, and which tests it therefore takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from pytest_ultra.distribution.partition import partition

MAIN = "main"
"""What the only process of a run without workers is called."""

_KEY = "ultra"
_XDIST = ("xdist", "xdist.plugin")  # the second where it is loaded by `-p`, as without autoloading


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A place among `workers` processes, numbered from 0.

    `is_sharded` False: xdist hands out tests a few at a time, nothing is known in advance. `remaining` holds
    the node ids that a crashed worker has left to this one; None means: the whole shard. Those in
    `careful` may have crashed it: they are lived only when their test asks for it. At `ends_at`, a Unix
    time, nothing more is lived.
    """

    worker: str = MAIN
    number: int = 0
    workers: int = 1
    is_sharded: bool = True
    remaining: list[str] | None = None
    careful: list[str] = field(default_factory=list)
    run_folder: str = ""
    demo_url: str | None = None
    ends_at: float | None = None

    @property
    def is_worker(self) -> bool:
        return self.worker != MAIN

    @property
    def is_heir(self) -> bool:
        return self.remaining is not None

    def whole(self, nodeids: Sequence[str], case_ids: Collection[str]) -> list[int]:
        """Return the indices of the tests of the whole shard, those included that a crashed worker has done."""
        return partition(nodeids, self.workers, case_ids)[self.number] if self.number < self.workers else []

    def take(self, nodeids: Sequence[str], case_ids: Collection[str]) -> list[int]:
        """Return the indices of the tests with a case that are this worker's for certain."""
        if not self.is_sharded:
            return []
        if self.remaining is not None:
            left = frozenset(self.remaining)
            return [index for index in partition(nodeids, 1, case_ids)[0] if nodeids[index] in left]
        return self.whole(nodeids, case_ids)


def send(placement: Placement, workerinput: dict[str, Any]) -> None:
    workerinput[_KEY] = asdict(placement)


def receive(config: pytest.Config) -> Placement | None:
    """Return a worker's placement, None in any other process."""
    told = getattr(config, "workerinput", {}).get(_KEY)
    return Placement(**told) if told else None


def number_of(workerinput: dict[str, Any]) -> int:
    number: int = workerinput[_KEY]["number"]
    return number


def careful_of(workerinput: dict[str, Any]) -> list[str]:
    careful: list[str] = workerinput[_KEY]["careful"]
    return careful


def is_distributed(config: pytest.Config) -> bool:
    """Whether this process is an xdist controller with workers to come."""
    has_workers = config.getoption("dist", "no") != "no" and bool(config.getoption("tx", None))
    has_xdist = any(map(config.pluginmanager.hasplugin, _XDIST))
    return has_xdist and has_workers and not config.getoption("collectonly")


def count_workers(config: pytest.Config) -> int:
    """Return how many workers were asked for, 0 without xdist."""
    return len(config.getoption("tx", None) or ())
