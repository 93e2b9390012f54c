"""Generates the tasks of a process's cases one after the other, while the episodes of earlier ones are running."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import TracebackType

import pytest

from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.storage.guidance_cache import EarlierGuidance, Generate, GuidanceCache

_SWITCH_INTERVAL_S = 0.001
"""How long the engine's thread waits for this one while it generates; the times of calls include that wait."""

_ERRORS = (Exception, pytest.fail.Exception, pytest.skip.Exception)
"""What a hook of the user may raise; of the last two, pytest makes no subclasses of `Exception`."""


class TaskGeneration:
    """Call it in one thread. Generation runs ahead of the tests, in the time in which they wait for their episodes."""

    def __init__(
        self,
        cache: GuidanceCache,
        generate: Generate,
        earlier: EarlierGuidance | None,
        start: Callable[[Sequence[Assignment]], None],
        work: AbstractContextManager[object] | None = None,
    ) -> None:
        """`start` receives the assignments of each task when it has been generated, which is done within `work`."""
        self._cache = cache
        self._generate = generate
        self._earlier = earlier
        self._start = start
        self._work = work or nullcontext()
        self._waiting: dict[TaskKey, list[Assignment]] = {}
        self._cases: dict[TaskKey, list[Case]] = {}
        self._failed: dict[TaskKey, tuple[BaseException, TracebackType | None]] = {}

    def begin(self, assignments: Iterable[Assignment], cases: Iterable[Case]) -> None:
        """Take the episodes of a round that are to run ahead, and all cases of their tasks, in every process.

        What the processes generate of a task does not depend on how its cases are divided among them.
        """
        self._waiting, self._cases, self._failed = {}, {}, {}
        for assignment in assignments:
            self._waiting.setdefault(assignment.case.task_key, []).append(assignment)
        for case in cases:
            self._cases.setdefault(case.task_key, []).append(case)

    def advance(self) -> bool:
        """Generate the next task, and start its episodes; return whether there was one.

        Its error is that of its own tests.
        """
        key = next(iter(self._waiting), None)
        if key is None:
            return False
        with suppress(*_ERRORS):  # of which `_finish` keeps a record
            self._finish(key)
        return True

    def ensure(self, case: Case) -> None:
        """Generate the task of a case, unless it is there; raise the error that its generation has met."""
        key = case.task_key
        if key in self._failed:
            error, traceback = self._failed[key]
            raise error.with_traceback(traceback)
        if key in self._cases or key in self._waiting:
            self._finish(key)

    def _finish(self, key: TaskKey) -> None:
        try:
            self._generate_task(key)
        except _ERRORS as error:
            self._failed[key] = (error, error.__traceback__)
            raise

    def _generate_task(self, key: TaskKey) -> None:
        assignments = self._waiting.pop(key, [])
        with self._work, _short_switch_interval():
            self._cache.fill(self._cases.pop(key, []), self._generate, self._earlier)
        if assignments:
            self._start(assignments)


@contextmanager
def _short_switch_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_INTERVAL_S))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
