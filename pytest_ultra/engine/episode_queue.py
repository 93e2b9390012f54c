"""Who waits for which case, and which case comes next: what an engine and its thread share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.engine.assignment import Assignment, Place
from pytest_ultra.errors import UltraError

_FIXED = (Place.FIRST, Place.LAST)


class EngineStoppedError(UltraError):
    """The engine was stopped before the episode that a test waits for was finished."""

    def __init__(self, nodeid: str) -> None:
        super().__init__(nodeid)
        self.nodeid = nodeid

    def __str__(self) -> str:
        return f"The run was stopped before the episode of {self.nodeid} was finished."


class Life:
    """One life of a case: the episode that it comes to, and the tests that have been given it."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.episode: Future[Episode] = Future()
        self.has_begun = False
        self.given_to: set[str] = set()


class Agenda:
    """The lives of all cases; every method may be called from any thread.

    A lazy agenda has nothing lived that is not waited for.
    """

    def __init__(self, *, is_lazy: bool) -> None:
        self._lock = threading.Lock()
        self._is_lazy = is_lazy
        self._is_closed = False
        self._error: BaseException | None = None
        self._newest: dict[Case, Life] = {}
        self._queues: dict[Place, OrderedDict[Case, Life]] = {place: OrderedDict() for place in Place}

    def plan(self, assignments: Iterable[Assignment]) -> None:
        """Note what is to be lived ahead, in this order, each case once."""
        with self._lock:
            for assignment in assignments:
                if assignment.case not in self._newest:
                    self._newest[assignment.case] = life = Life(assignment)
                    if not self._is_lazy:
                        self._queues[assignment.place][assignment.case] = life

    def keep(self, assignment: Assignment, episode: Episode) -> None:
        """Count an episode that was lived before as a life of its case, unless that has one already."""
        with self._lock:
            if assignment.case not in self._newest:
                self._newest[assignment.case] = life = Life(assignment)
                life.has_begun = True
                life.episode.set_result(episode)

    def claim(self, assignment: Assignment) -> Life:
        """Return the newest life of the case, or a new one if the test has been given that already.

        If it has not begun, it now comes before all that nobody waits for, unless it has a place of its own.
        """
        with self._lock:
            life = self._newest.get(assignment.case)
            if life is None or assignment.nodeid in life.given_to:
                life = self._newest[assignment.case] = Life(assignment)
            if self._is_closed:
                self._refuse(life)
            elif not life.has_begun and not any(assignment.case in self._queues[place] for place in _FIXED):
                self._queues[Place.AHEAD].pop(assignment.case, None)
                self._queues[Place.AWAITED].setdefault(assignment.case, life)
            return life

    def give(self, life: Life, nodeid: str) -> None:
        """Remember that a test has been given the life's episode."""
        with self._lock:
            life.given_to.add(nodeid)

    def begin_next(self, may_begin: Callable[[Assignment], bool] = lambda _: True) -> Life | None:
        """Return the next life, now begun; None if there is none, or it may not begin: then no other is."""
        with self._lock:
            queue = next(filter(None, self._queues.values()), None)
            if self._is_closed or queue is None or not may_begin(next(iter(queue.values())).assignment):
                return None
            _, life = queue.popitem(last=False)
            life.has_begun = True
            return life

    def close(self, error: BaseException | None = None) -> None:
        """Tell all who wait, now or later, for an unfinished episode: `error`, or that the engine was stopped."""
        with self._lock:
            self._is_closed = True
            self._error = self._error or error
            for life in self._newest.values():
                self._refuse(life)

    def _refuse(self, life: Life) -> None:
        if not life.episode.done():
            life.episode.set_exception(self._error or EngineStoppedError(life.assignment.nodeid))
