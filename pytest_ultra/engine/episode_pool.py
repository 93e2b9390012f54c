"""The episode pool: runs the queue's episodes as tasks of an event loop, a limited number at a time."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.engine.admission import ADMIT_ALL, Admission
from pytest_ultra.engine.agent_runtime import AgentRuntime
from pytest_ultra.engine.episode_queue import Assignment, EpisodeQueue, QueuedEpisode
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.engine.retry import Caller

GRACE_S = 2.0
"""How long cancelled episodes, and then the endpoint, may take to clean up."""

_logger = logging.getLogger(__name__)


def ignore(assignment: Assignment) -> None:
    """Do nothing: the default for `on_start`."""


class EpisodePool:
    """Runs at most `concurrency` episodes at a time. Except for the constructor, call it in the loop's thread."""

    def __init__(
        self,
        queue: EpisodeQueue,
        on_episode: Callable[[Episode], None],
        *,
        worker: str,
        concurrency: int,
        rules: EpisodeRules,
        on_start: Callable[[Assignment], None] = ignore,
        admission: Admission = ADMIT_ALL,
        agents: AgentRuntime | None = None,
    ) -> None:
        self._queue = queue
        self._on_episode = on_episode
        self._on_start = on_start
        self._admission = admission
        self._worker = worker
        self._concurrency = concurrency
        self._rules = rules
        self._agents = agents
        self._caller: Caller | None = None
        self._error: BaseException | None = None
        self._is_stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, caller: Caller) -> None:
        """Run the queue's episodes until `stop`; raise the error that stopped the pool, if any."""
        self._caller = caller
        watch = None
        if self._admission is not ADMIT_ALL:
            watch = asyncio.create_task(caller.watch(self._admission.find_refusal))
        try:
            self.start_episodes()
            await self._is_stopping.wait()
        finally:
            if watch is not None:
                watch.cancel()
            try:
                await self._cancel()
            finally:
                await _close(caller)
        if self._error is not None:
            raise self._error

    def start_episodes(self) -> None:
        """Start as many of the queue's episodes as the concurrency allows. An error stops the pool.

        The loop calls this; it would only log an error, and the tests would wait forever.
        """
        if self._caller is None:
            return
        try:
            while len(self._tasks) < self._concurrency and not self._is_stopping.is_set():
                queued = self._queue.start_next(self._admission.admit)
                if queued is None:
                    return
                self._start(queued, self._caller)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the threads that wait
            self.stop(error)

    def _start(self, queued: QueuedEpisode, caller: Caller) -> None:
        self._on_start(queued.assignment)
        task = asyncio.get_running_loop().create_task(self._run(queued, caller))
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def stop(self, error: BaseException | None = None) -> None:
        self._error = self._error or error
        self._is_stopping.set()

    async def _run(self, queued: QueuedEpisode, caller: Caller) -> None:
        nodeid = queued.assignment.nodeid
        caller.activity.start(nodeid)
        try:
            episode = await run_episode(
                queued.assignment, caller, worker=self._worker, rules=self._rules, agents=self._agents
            )
        finally:
            caller.activity.end(nodeid)
            self._admission.finish(queued.assignment)
        if not queued.future.done():  # else the queue was closed while this episode ran
            self._on_episode(episode)
            self._queue.finish(queued, episode)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.start_episodes()
        elif not self._is_stopping.is_set():
            self.stop(error)

    async def _cancel(self) -> None:
        self._is_stopping.set()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=GRACE_S)


async def _close(caller: Caller) -> None:
    try:
        async with asyncio.timeout(GRACE_S):
            await caller.aclose()
    except Exception:  # noqa: BLE001 - the episodes are on disk by now; an error on closing must not fail the run
        _logger.warning("The endpoint or its limiter did not close cleanly:\n%s", caller.redact(traceback.format_exc()))
