"""The engine: lives a shard's episodes concurrently in a background thread, for tests that wait for their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.prices import Price
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.engine.activity_monitor import Pulse
from pytest_ultra.engine.admission import OPEN_DOOR, Admission
from pytest_ultra.engine.assignment import Assignment
from pytest_ultra.engine.backoff import DEFAULT_POLICY, RetryPolicy
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.episode_pool import GRACE_S, Crew, ignore
from pytest_ultra.engine.episode_queue import Agenda
from pytest_ultra.engine.limiter import UNLIMITED, Limiter
from pytest_ultra.engine.retry import Caller

_JOIN_S = 3 * GRACE_S


class Engine:
    """Lives at most `concurrency` episodes at a time; with 1, only those that are waited for, in that order.

    `open_endpoint` is called once, in the engine's running loop; in its thread, `on_begin` is called with each
    assignment that is begun, and `on_episode` with each finished episode, before anyone else sees that. If one of
    them raises, the engine stops, and whoever waits gets the error.
    The thread starts with the first call of `start` or `wait`.
    """

    def __init__(
        self,
        open_endpoint: Callable[[], Endpoint],
        on_episode: Callable[[Episode], None],
        *,
        worker: str,
        concurrency: int,
        rules: EpisodeRules,
        clock: Clock = SYSTEM_CLOCK,
        policy: RetryPolicy = DEFAULT_POLICY,
        limiter: Limiter = UNLIMITED,
        on_begin: Callable[[Assignment], None] = ignore,
        prices: Mapping[str, Price] | None = None,
        redact: Callable[[str], str] = str,
        admission: Admission = OPEN_DOOR,
        concerns: Callable[[ChatRequest], bool] | None = None,
    ) -> None:
        self.pulse = Pulse()
        self._prices = prices
        self._redact = redact
        self._concerns = concerns
        self._open_endpoint = open_endpoint
        self._clock = clock
        self._policy = policy
        self._limiter = limiter
        self._agenda = Agenda(is_lazy=concurrency == 1)
        self._crew = Crew(
            self._agenda,
            on_episode,
            worker=worker,
            concurrency=concurrency,
            rules=rules,
            on_begin=on_begin,
            admission=admission,
        )
        self._lock = threading.Lock()  # guards the three below
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # None also when it takes no more calls
        self._is_stopped = False

    def start(self, assignments: Iterable[Assignment]) -> None:
        """Have a shard lived ahead, in this order."""
        self._agenda.plan(assignments)
        self._wake()

    def keep(self, assignment: Assignment, episode: Episode) -> None:
        """Have tests given an episode that was lived before, by another process or in another run."""
        self._agenda.keep(assignment, episode)

    def wait(self, assignment: Assignment) -> Episode:
        """Block until the case's episode is finished, and return it.

        Tests of one case share its episode; a test that asks again gets a new one. Raise `EngineStoppedError`
        if the engine is stopped before, and what broke the engine if something did.
        """
        life = self._agenda.claim(assignment)
        self._wake()
        episode = life.episode.result()
        self._agenda.give(life, assignment.nodeid)
        return episode

    def stop(self) -> None:
        """Cancel the episodes in flight, close the endpoint and end the thread; finished episodes are kept."""
        with self._lock:
            self._is_stopped = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._crew.quit)
        if self._thread is threading.current_thread():
            return
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._agenda.close()

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None and not self._is_stopped:
                self._loop = self._clock.new_loop()
                self._thread = threading.Thread(target=self._run, args=[self._loop], name="ultra-engine", daemon=True)
                self._thread.start()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._crew.look)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        error: BaseException | None = None
        try:
            loop.run_until_complete(self._work())
        except BaseException as caught:  # noqa: BLE001 - it is raised again in whoever waits
            error = caught
        with self._lock:
            self._loop = None
        self._agenda.close(error)
        _close(loop)

    async def _work(self) -> None:
        endpoint = self._open_endpoint()
        caller = Caller(
            endpoint,
            self._clock,
            policy=self._policy,
            limiter=self._limiter,
            prices=self._prices,
            pulse=self.pulse,
            redact=self._redact,
            concerns=self._concerns,
        )
        try:
            await self._crew.work(endpoint, caller)
        finally:
            self._limiter.close()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop, with a chance for tasks that are left to clean up."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=GRACE_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
