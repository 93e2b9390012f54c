"""The queue of episodes to run, and the tests that wait for them. The engine and its thread share it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from enum import IntEnum

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.errors import UltraError


class Priority(IntEnum):
    """When a case runs: `FIRST` before all cases that tests wait for, `LAST` after all others."""

    FIRST = 0
    AWAITED = 1
    AHEAD = 2
    LAST = 3


_FIXED_PRIORITIES = (Priority.FIRST, Priority.LAST)


class Assignment(msgspec.Struct, frozen=True):
    """A case to run for the test `nodeid`. Its guidance is loaded when it is needed, as a thousand take much memory."""

    case: Case
    load_guidance: Callable[[], AnyGuidance]
    nodeid: str
    priority: Priority = Priority.AHEAD

    @property
    def guidance(self) -> AnyGuidance:
        return self.load_guidance()


class EngineStoppedError(UltraError):
    """The engine was stopped before the episode that a test waits for was finished."""

    def __init__(self, nodeid: str) -> None:
        super().__init__(nodeid)
        self.nodeid = nodeid

    def __str__(self) -> str:
        return f"The run was stopped before the episode of {self.nodeid} was finished."


class EngineFailedError(UltraError):
    """An error, `cause`, ended the engine before the episode that a test waits for was finished."""

    def __init__(self, nodeid: str, cause: BaseException) -> None:
        super().__init__(nodeid, cause)
        self.nodeid = nodeid
        self.cause = cause

    def __str__(self) -> str:
        cause = f"{type(self.cause).__name__}: {self.cause}"
        return f"The engine failed before the episode of {self.nodeid} was finished: {cause}"


class QueuedEpisode:
    """One run of a case: the future of its episode, None if it is no longer in memory; the tests that received it."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.future: Future[Episode | None] = Future()
        self.has_started = False
        self.received_by: set[str] = set()


_FORGOTTEN: Future[Episode | None] = Future()
_FORGOTTEN.set_result(None)


class EpisodeQueue:
    """The episodes of all cases. Thread-safe. A lazy queue runs only the episodes that a test waits for.

    It holds at most `most_held` finished episodes, and none that a test has received, if `most_held` is not None.
    """

    def __init__(self, *, is_lazy: bool, most_held: int | None = None) -> None:
        self._most_held = most_held
        self._held = 0
        self._lock = threading.Lock()
        self._is_lazy = is_lazy
        self._is_closed = False
        self._error: BaseException | None = None
        self._newest: dict[Case, QueuedEpisode] = {}
        self._queues: dict[Priority, OrderedDict[Case, QueuedEpisode]] = {
            priority: OrderedDict() for priority in Priority
        }

    def add(self, assignments: Iterable[Assignment]) -> None:
        """Queue cases to run ahead of their tests, in this order, each case once."""
        with self._lock:
            for assignment in assignments:
                if assignment.case not in self._newest:
                    self._newest[assignment.case] = queued = QueuedEpisode(assignment)
                    if not self._is_lazy:
                        self._queues[assignment.priority][assignment.case] = queued

    def add_finished(self, assignment: Assignment, episode: Episode) -> None:
        """Add an episode that was run before, unless the case has one already."""
        with self._lock:
            if assignment.case not in self._newest:
                self._newest[assignment.case] = queued = QueuedEpisode(assignment)
                queued.has_started = True
                self._hold(queued, episode)

    def finish(self, queued: QueuedEpisode, episode: Episode) -> None:
        """Hand a finished episode to the tests that wait for it."""
        with self._lock:
            if not queued.future.done():  # else the queue was closed meanwhile
                self._hold(queued, episode)

    def _hold(self, queued: QueuedEpisode, episode: Episode) -> None:
        is_held = self._most_held is None or self._held < self._most_held
        self._held += is_held
        queued.future.set_result(episode if is_held else None)

    def claim(self, assignment: Assignment) -> QueuedEpisode:
        """Return the newest episode of the case, or a new one if the test has received that one already.

        An episode that has not started moves before all those that no test waits for, unless its priority is fixed.
        """
        with self._lock:
            queued = self._newest.get(assignment.case)
            if queued is None or assignment.nodeid in queued.received_by:
                queued = self._newest[assignment.case] = QueuedEpisode(assignment)
            if self._is_closed:
                self._fail(queued)
            elif not queued.has_started and not any(
                assignment.case in self._queues[priority] for priority in _FIXED_PRIORITIES
            ):
                self._queues[Priority.AHEAD].pop(assignment.case, None)
                self._queues[Priority.AWAITED].setdefault(assignment.case, queued)
            return queued

    def mark_received(self, queued: QueuedEpisode, nodeid: str) -> None:
        """Record that a test has received the episode."""
        with self._lock:
            queued.received_by.add(nodeid)
            if self._most_held is not None and queued.future is not _FORGOTTEN:
                self._held -= queued.future.result() is not None
                queued.future = _FORGOTTEN

    def start_next(self, may_start: Callable[[Assignment], bool] = lambda _: True) -> QueuedEpisode | None:
        """Mark the next episode as started and return it; None if there is none or `may_start` refuses it."""
        with self._lock:
            queue = next(filter(None, self._queues.values()), None)
            if self._is_closed or queue is None or not may_start(next(iter(queue.values())).assignment):
                return None
            _, queued = queue.popitem(last=False)
            queued.has_started = True
            return queued

    def close(self, error: BaseException | None = None) -> None:
        """Fail all unfinished episodes, now and later: `EngineFailedError` if there is an error, else a stop.

        Each gets an exception of its own, as the traceback of one that is raised again grows each time.
        """
        with self._lock:
            self._is_closed = True
            self._error = self._error or error
            for queued in self._newest.values():
                self._fail(queued)

    def _fail(self, queued: QueuedEpisode) -> None:
        if not queued.future.done():
            nodeid = queued.assignment.nodeid
            error = EngineStoppedError(nodeid) if self._error is None else EngineFailedError(nodeid, self._error)
            queued.future.set_exception(error)
