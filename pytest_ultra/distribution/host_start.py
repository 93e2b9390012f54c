"""The start of workers on other hosts: what they get of the environment, and refusal with the reason if it fails."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from execnet import HostNotFound, XSpec
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.lost_hosts import host_of
from pytest_ultra.distribution.placement import find_other_hosts

_PYTHON = (
    "a Python with the same versions of pytest, pytest-xdist and pytest-ultra as this one, named as in --tx "
    "ssh=build1//python=/srv/venv/bin/python"
)

_NOT_COPIED = "not relative to an rsync root"
"""What xdist says of a path among the arguments."""
_PYTEST_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
"""What determines a run's options and plugins, which SSH would not pass."""


def pass_environment(specs: Iterable[XSpec]) -> None:
    """Give workers on other hosts pytest's own variables, unless `env:NAME=...` gives them others.

    A socket server keeps those of its last run, so it gets empty ones too.
    """
    for spec in specs:
        if host_of(spec) is not None:
            for name in _PYTEST_VARIABLES:
                if spec.socket or name in os.environ:
                    spec.env.setdefault(name, os.environ.get(name, ""))


@contextmanager
def refuse_unreachable_hosts(config: pytest.Config) -> Iterator[None]:
    """Raise `pytest.UsageError` if workers that are started meanwhile cannot be reached, or cannot get an argument."""
    try:
        yield
    except ValueError as error:
        if _NOT_COPIED not in str(error):
            raise
        raise pytest.UsageError(
            f"--tx: pytest-xdist cannot pass a path to other hosts unless it has copied it there ({error}); leave the "
            "path out, so that each host collects by the testpaths of its ini file"
        ) from None
    except (HostNotFound, EOFError, OSError) as error:
        hosts = find_other_hosts(config)
        if not hosts:
            raise
        is_refused = isinstance(error, OSError) and error.errno is not None
        reason = str(error) if is_refused else "the connection ended before Python answered"
        raise pytest.UsageError(
            f"--tx: no worker could be started on {' or '.join(hosts)} ({reason}); it must answer without asking for "
            f"anything, and have {_PYTHON}"
        ) from None


def refuse_failed_start(node: WorkerController, error: object) -> None:
    """Raise `pytest.UsageError` if a worker on another host has failed before it was ready.

    So would each worker that replaces it there.
    """
    if host_of(node.gateway.spec) is None or hasattr(node, "workerinfo") or "Traceback" not in str(error):
        return
    reason = next(line for line in reversed(str(error).splitlines()) if line and not line[0].isspace())
    raise pytest.UsageError(f"--tx: {node.gateway.id} could not start ({reason}); its host must have {_PYTHON}")
