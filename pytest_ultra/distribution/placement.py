"""The placement that each process of a run receives, and the tests that follow from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.distribution.partition import partition
from pytest_ultra.storage.shared_disk import is_shared

MAIN = "main"
"""The name of the only process of a run without workers."""

_KEY = "ultra"
_ELSEWHERE = ("ssh=", "socket=", "vagrant_ssh=", "via=")
_XDIST = ("xdist", "xdist.plugin")  # the second if `-p` loads it, as without autoloading


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The position of a process among `workers` processes on `hosts` hosts, numbered from 0.

    `is_sharded` False: xdist distributes a few tests at a time, so none are known in advance. `remaining` holds the
    node ids left by a crashed worker; None means the whole shard. Those in `run_alone` may have caused the crash, so
    each runs only when its test asks for it. `ends_at` is the run's deadline as a Unix time. `token` is what a worker
    that may be on another host finds in the run's folder if it is not; it is empty for all others. `parent_pid` is the
    process whose death ends a worker; the worker notes it when it is configured.
    """

    worker: str = MAIN
    number: int = 0
    workers: int = 1
    hosts: int = 1
    is_sharded: bool = True
    remaining: list[str] | None = None
    run_alone: list[str] = field(default_factory=list)
    run_folder: str = ""
    demo_url: str | None = None
    ends_at: float | None = None
    token: str = ""
    parent_pid: int = 0

    @property
    def is_worker(self) -> bool:
        return self.worker != MAIN

    @property
    def is_replacement(self) -> bool:
        return self.remaining is not None

    def shares_disk(self) -> bool:
        """Return whether this process is on the controller's host, and reads its disk."""
        return not self.token or is_shared(Path(self.run_folder), self.token)

    def shard_indices(self, nodeids: Sequence[str], rounds: Mapping[str, int]) -> list[int]:
        """Return the indices of the whole shard's tests, including those that a crashed worker has finished."""
        return partition(nodeids, self.workers, rounds)[self.number] if self.number < self.workers else []

    def assigned_indices(self, nodeids: Sequence[str], rounds: Mapping[str, int]) -> list[int]:
        """Return the indices of the tests with a case that are assigned to this worker in advance."""
        if not self.is_sharded:
            return []
        if self.remaining is not None:
            left = frozenset(self.remaining)
            return [index for index in partition(nodeids, 1, rounds)[0] if nodeids[index] in left]
        return self.shard_indices(nodeids, rounds)


def send(placement: Placement, workerinput: dict[str, Any]) -> None:
    workerinput[_KEY] = asdict(placement)


def receive(config: pytest.Config) -> Placement | None:
    """Return the placement of a worker, None in any other process. Another version's unknown fields are left out."""
    received = getattr(config, "workerinput", {}).get(_KEY)
    if not received:
        return None
    known = {field.name: received[field.name] for field in fields(Placement) if field.name in received}
    return Placement(**known | {"parent_pid": os.getppid()})


def number_of(workerinput: dict[str, Any]) -> int:
    number: int = workerinput[_KEY]["number"]
    return number


def run_alone_of(workerinput: dict[str, Any]) -> list[str]:
    run_alone: list[str] = workerinput[_KEY]["run_alone"]
    return run_alone


def is_distributed(config: pytest.Config) -> bool:
    """Return whether this process is an xdist controller that will start workers."""
    has_workers = config.getoption("dist", "no") != "no" and bool(config.getoption("tx", None))
    has_xdist = any(map(config.pluginmanager.hasplugin, _XDIST))
    return has_xdist and has_workers and not config.getoption("collectonly")


def find_other_hosts(config: pytest.Config) -> list[str]:
    """Return what names other hosts in `--tx`: only `popen` without a proxy starts a worker on this one."""
    parts = (part for spec in config.getoption("tx") for part in spec.rpartition("*")[2].split("//"))
    return list(dict.fromkeys(part for part in parts if part.startswith(_ELSEWHERE)))


def is_debugged(config: pytest.Config) -> bool:
    """Return whether a debugger is in use, so that nothing may run beside a test, or draw on its terminal.

    It is pytest's own, or that of an IDE: those of VS Code (debugpy) and PyCharm are pydevd.
    """
    return any(config.getoption(name, default=False) for name in ("usepdb", "trace")) or "pydevd" in sys.modules


def count_workers(config: pytest.Config) -> int:
    """Return the requested number of workers, 0 without xdist."""
    copies = (spec.partition("*")[0] for spec in config.getoption("tx", None) or ())
    return sum(int(number) if number.isdecimal() else 1 for number in copies)
