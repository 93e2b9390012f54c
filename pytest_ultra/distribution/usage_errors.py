"""A usage error that a worker finds while it collects ends the whole run, as it does without workers."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from xdist.workermanage import WorkerController

_KEY = "ultra_usage_error"


class WorkerUsageErrors:
    """Hook implementations of a worker: it sends the controller the reason for its end."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            return (yield)
        except pytest.UsageError as error:
            session.config.workeroutput[_KEY] = [str(line) for line in error.args]  # type: ignore[attr-defined]
            raise


def refuse_usage_error(node: WorkerController) -> None:
    """Raise a worker's `pytest.UsageError` again in the controller, when the worker has ended with one."""
    lines = getattr(node, "workeroutput", {}).get(_KEY)
    if lines:
        raise pytest.UsageError(*lines)
