"""The number of concurrent episodes, as far as the limit on open files allows it."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_ultra.engine.file_limit import hard_file_limit, raise_file_limit

_RESERVE = 48
"""Files for journals, imports, look-ups of host names and the user's own code, beside those that are open already."""


def fit_concurrency(wanted: int, *, demo_clients: int = 0) -> int:
    """Return how many episodes, of at most `wanted`, can have a connection each; warn if that is fewer.

    `demo_clients` is the number of workers that connect to the run's embedded endpoint, which raises its own limit as
    far as it can: the connections of all of them must fit there.
    """
    limit = raise_file_limit(wanted + _count_open_files() + _RESERVE)
    free = wanted if limit is None else limit - _count_open_files() - _RESERVE
    hard = hard_file_limit()
    if demo_clients and hard is not None:
        free = min(free, (hard - _RESERVE) // demo_clients)
    fitting = max(1, min(wanted, free))
    if fitting < wanted:
        warnings.warn(
            pytest.PytestWarning(
                f"ultra: {_describe(fitting)} at a time instead of {wanted}, because a process may open only {hard} "
                "files; raise that limit (ulimit -n) for more"
            ),
            stacklevel=2,
        )
    return fitting


def _describe(episodes: int) -> str:
    return "1 episode runs" if episodes == 1 else f"{episodes} episodes run"


def _count_open_files() -> int:
    with suppress(OSError):
        return len(list(Path("/dev/fd").iterdir()))
    return 0
