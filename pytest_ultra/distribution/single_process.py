"""Switch xdist off for what needs no workers."""

from __future__ import annotations

import os

import pytest

REQUESTED_WORKERS = pytest.StashKey[int]()
"""The number of workers that the user requested."""


def use_single_process(config: pytest.Config) -> None:
    """Run everything in this process. Call it before xdist reads its options."""
    requested = config.getoption("numprocesses", default=None)
    is_number = isinstance(requested, int)
    config.stash[REQUESTED_WORKERS] = int(requested) if is_number else (os.cpu_count() or 1) * (requested is not None)
    for name, value in (("numprocesses", None), ("dist", "no"), ("tx", []), ("distload", False)):
        if hasattr(config.option, name):
            setattr(config.option, name, value)
