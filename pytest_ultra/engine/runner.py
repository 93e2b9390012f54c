"""The engine: runs a shard's episodes concurrently in a background thread, for tests that wait for their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.engine.admission import ADMIT_ALL, Admission
from pytest_ultra.engine.agent_runtime import AgentRuntime
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.episode_pool import GRACE_S, EpisodePool, ignore
from pytest_ultra.engine.episode_queue import Assignment, EpisodeQueue
from pytest_ultra.engine.retry import Caller

_JOIN_S = 3 * GRACE_S


class Engine:
    """Runs at most `concurrency` episodes at a time; with 1, only those that a test waits for, in that order.

    The engine calls `open_caller` once, in its running loop; in its thread, it calls `on_start` with each assignment
    that starts, and `on_episode` with each finished episode before a test receives it. If one of them raises, the
    engine stops, and all waiting tests get an `EngineFailedError` with that cause. The thread starts with the first
    call of `start` or `wait`. With `reread`, which returns a finished episode from disk, it keeps few of them in
    memory: as many as run at a time.
    """

    def __init__(
        self,
        open_caller: Callable[[], Caller],
        on_episode: Callable[[Episode], None],
        *,
        worker: str,
        concurrency: int,
        rules: EpisodeRules,
        clock: Clock = SYSTEM_CLOCK,
        on_start: Callable[[Assignment], None] = ignore,
        admission: Admission = ADMIT_ALL,
        agents: AgentRuntime | None = None,
        reread: Callable[[Case], Episode] | None = None,
    ) -> None:
        self._open_caller = open_caller
        self._clock = clock
        self._reread = reread
        self._queue = EpisodeQueue(is_lazy=concurrency == 1, most_held=None if reread is None else concurrency)
        self._pool = EpisodePool(
            self._queue,
            on_episode,
            worker=worker,
            concurrency=concurrency,
            rules=rules,
            on_start=on_start,
            admission=admission,
            agents=agents,
        )
        self._lock = threading.Lock()  # guards the three below
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # None also when it takes no more calls
        self._is_stopped = False

    def start(self, assignments: Iterable[Assignment]) -> None:
        """Run a shard's episodes ahead of their tests, in this order."""
        self._queue.add(assignments)
        self._wake()

    def add_finished(self, assignment: Assignment, episode: Episode) -> None:
        """Add an episode that another process or another run has finished, for the case's tests."""
        self._queue.add_finished(assignment, episode)

    def wait(self, assignment: Assignment, meanwhile: Callable[[], bool] = lambda: False) -> Episode:
        """Block until the case's episode is finished, and return it; call `meanwhile` again as long as it returns True.

        Tests of one case share its episode; a test that asks again gets a new one. Raise `EngineStoppedError` if the
        engine is stopped before, `EngineFailedError` if an error ends it.
        """
        queued = self._queue.claim(assignment)
        self._wake()
        while not queued.future.done() and meanwhile():
            pass
        error = queued.future.exception()
        if error is not None:
            raise error.with_traceback(None)
        episode = queued.future.result()
        if episode is None:
            episode = self._read_again(assignment.case)
        self._queue.mark_received(queued, assignment.nodeid)
        return episode

    def _read_again(self, case: Case) -> Episode:
        if self._reread is None:
            raise LookupError(f"the episode of {case} is not in memory")
        return self._reread(case)

    def stop(self) -> None:
        """Cancel the episodes in flight, close the endpoint and end the thread; finished episodes are kept."""
        with self._lock:
            self._is_stopped = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._pool.stop)
        if self._thread is threading.current_thread():
            return
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._queue.close()

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None and not self._is_stopped:
                self._loop = self._clock.new_loop()
                self._thread = threading.Thread(target=self._run, args=[self._loop], name="ultra-engine", daemon=True)
                self._thread.start()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._pool.start_episodes)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        error: BaseException | None = None
        try:
            loop.run_until_complete(self._run_pool())
        except BaseException as caught:  # noqa: BLE001 - it is raised again in the threads that wait
            error = caught
        with self._lock:
            self._loop = None
        self._queue.close(error)
        _close(loop)

    async def _run_pool(self) -> None:
        caller = self._open_caller()
        with caller.standstill.watch_process():
            await self._pool.run(caller)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop after its remaining tasks have had time to clean up."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=GRACE_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
