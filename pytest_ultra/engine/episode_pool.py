"""The engine's side of the event loop: takes lives from the agenda and sees them through, a few at a time."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.engine.admission import OPEN_DOOR, Admission
from pytest_ultra.engine.assignment import Assignment
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.episode_queue import Agenda, Life
from pytest_ultra.engine.episode_run import live_episode
from pytest_ultra.engine.retry import Caller

GRACE_S = 2.0
"""How long cancelled episodes, and then the endpoint, may take to let go."""

_logger = logging.getLogger(__name__)


def ignore(assignment: Assignment) -> None:
    """Stand in where nobody wants to know what is begun."""


class Crew:
    """Lives at most `concurrency` episodes at a time. All but the constructor belongs to the loop's thread."""

    def __init__(
        self,
        agenda: Agenda,
        on_episode: Callable[[Episode], None],
        *,
        worker: str,
        concurrency: int,
        rules: EpisodeRules,
        on_begin: Callable[[Assignment], None] = ignore,
        admission: Admission = OPEN_DOOR,
    ) -> None:
        self._agenda = agenda
        self._on_episode = on_episode
        self._on_begin = on_begin
        self._admission = admission
        self._worker = worker
        self._concurrency = concurrency
        self._rules = rules
        self._caller: Caller | None = None
        self._error: BaseException | None = None
        self._is_quitting = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def work(self, endpoint: Endpoint, caller: Caller) -> None:
        """Live whatever the agenda holds until `quit`; raise what made going on impossible."""
        self._caller = caller
        watch = asyncio.create_task(caller.watch(self._admission.refuse)) if self._admission is not OPEN_DOOR else None
        try:
            self.look()
            await self._is_quitting.wait()
        finally:
            if watch is not None:
                watch.cancel()
            await self._cancel()
            await _close(endpoint, caller.redact)
        if self._error is not None:
            raise self._error

    def look(self) -> None:
        """Begin what there is room for."""
        if self._caller is None:
            return
        while len(self._tasks) < self._concurrency and not self._is_quitting.is_set():
            life = self._agenda.begin_next(self._admission.admit)
            if life is None:
                return
            self._on_begin(life.assignment)
            task = asyncio.get_running_loop().create_task(self._live(life, self._caller))
            self._tasks.add(task)
            task.add_done_callback(self._settle)

    def quit(self, error: BaseException | None = None) -> None:
        self._error = self._error or error
        self._is_quitting.set()

    async def _live(self, life: Life, caller: Caller) -> None:
        nodeid = life.assignment.nodeid
        caller.pulse.begin(nodeid)
        try:
            episode = await live_episode(life.assignment, caller, worker=self._worker, rules=self._rules)
        finally:
            caller.pulse.end(nodeid)
            self._admission.settle(life.assignment)
        if not life.episode.done():  # else the engine was given up while this one hung
            self._on_episode(episode)
            life.episode.set_result(episode)

    def _settle(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.look()
        elif not self._is_quitting.is_set():
            self.quit(error)

    async def _cancel(self) -> None:
        self._is_quitting.set()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=GRACE_S)


async def _close(endpoint: Endpoint, redact: Callable[[str], str]) -> None:
    try:
        async with asyncio.timeout(GRACE_S):
            await endpoint.aclose()
    except Exception:  # noqa: BLE001 - the episodes are safe by now; how the connections end must not matter
        _logger.warning("The endpoint did not close cleanly:\n%s", redact(traceback.format_exc()))
