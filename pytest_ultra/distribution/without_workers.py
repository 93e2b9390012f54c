"""Keeping xdist from starting workers for what needs none."""

from __future__ import annotations

import os

import pytest

ASKED_WORKERS = pytest.StashKey[int]()
"""How many workers the user has asked for."""


def be_alone(config: pytest.Config) -> None:
    """Have everything done in this process; to be called before xdist looks at its options."""
    asked = config.getoption("numprocesses", default=None)
    is_told = isinstance(asked, int)
    config.stash[ASKED_WORKERS] = int(asked) if is_told else (os.cpu_count() or 1) * (asked is not None)
    for name, value in (("numprocesses", None), ("dist", "no"), ("tx", []), ("distload", False)):
        if hasattr(config.option, name):
            setattr(config.option, name, value)
