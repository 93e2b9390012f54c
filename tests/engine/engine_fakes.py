"""A virtual clock, and fake endpoints, cases and assignments for tests of the engine."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.runner import Engine
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.fake_rules import RULES

T = TypeVar("T")

DONE = Reply(text="done", prompt_tokens=10, completion_tokens=2)


class VirtualClock:
    """Jumps to the next timer as soon as the loop has nothing else to do."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def time(self) -> float:
        return 1_000_000.0 + self.seconds

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return _VirtualLoop(self)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._clock = clock

    def time(self) -> float:
        return self._clock.now()


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self._clock.seconds += timeout
        return ready


class FakeEndpoint:
    """Answers with `respond`; records the requests, how many were in flight at once, and whether it was closed."""

    def __init__(self, respond: Callable[[ChatRequest], Awaitable[Reply]]) -> None:
        self._respond = respond
        self.requests: list[ChatRequest] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.is_closed = False

    async def attempt(self, request: ChatRequest) -> Reply:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._respond(request)
        finally:
            self.in_flight -= 1

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        del request, failure
        return None

    async def aclose(self) -> None:
        self.is_closed = True

    @property
    def instances(self) -> list[int]:
        """The instances of the requests, in order."""
        return [request.case.instance for request in self.requests]


def steady(latency_s: float = 1.0, reply: Reply = DONE) -> FakeEndpoint:
    async def respond(_: ChatRequest) -> Reply:
        await asyncio.sleep(latency_s)
        return reply

    return FakeEndpoint(respond)


class HoldingEndpoint(FakeEndpoint):
    """Answers at once, except for the instances `held`, which are answered after `release`."""

    def __init__(self, *held: int) -> None:
        super().__init__(self._hold)
        self._held = held
        self._is_released = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def _hold(self, request: ChatRequest) -> Reply:
        self._loop = asyncio.get_running_loop()
        if request.case.instance in self._held:
            await self._is_released.wait()
        return DONE

    def release(self) -> None:
        """Answer the held requests; called in another thread, it first waits until one has arrived."""
        while self._loop is None:
            time.sleep(0.001)
        self._loop.call_soon_threadsafe(self._is_released.set)


def hanging() -> FakeEndpoint:
    return steady(1e9)


def scripted(steps: Iterable[Reply | Exception], latency_s: float = 1.0) -> FakeEndpoint:
    """Play one step per attempt, of any case; repeat the last one."""
    remaining = list(steps)

    async def respond(_: ChatRequest) -> Reply:
        await asyncio.sleep(latency_s)
        step = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(step, Exception):
            raise step
        return step

    return FakeEndpoint(respond)


def status(code: int, retry_after_s: float | None = None) -> AttemptFailedError:
    return AttemptFailedError(AttemptProblem.STATUS, "from the server", status=code, retry_after_s=retry_after_s)


def problem(kind: AttemptProblem) -> AttemptFailedError:
    return AttemptFailedError(kind, "from the network")


def calling(name: str = "no_such_tool", arguments: str = "{}") -> Reply:
    return Reply(tool_calls=(ToolCall("call-1", name, arguments),), prompt_tokens=10, completion_tokens=2)


def make_case(
    instance: int = 0, *, model: str = "m", timeout_s: float | None = None, max_turns: int = 30, repeat: int = 0
) -> Case:
    return Case(
        model=model,
        prompt_type=PromptType.BASELINE,
        task_type=TaskType.SIMPLE_TASK,
        difficulty=Difficulty.EASY,
        tool_success_rate=1.0,
        severity=None,
        instance=instance,
        repeat=repeat,
        seed=0,
        max_turns=max_turns,
        timeout_s=timeout_s,
    )


def make_request(case: Case) -> ChatRequest:
    return ChatRequest(case, make_assignment(case).guidance, 1, (), ())


def make_assignment(case: Case, nodeid: str | None = None) -> Assignment:
    task = Task(case.task_key, 0, World(), "Do nothing.", (), (), ())
    guidance = Guidance(task, Workflow(()))
    return Assignment(case, lambda: guidance, nodeid or f"test[{case.model}-{case.instance}]")


def make_caller(endpoint: FakeEndpoint, clock: VirtualClock, policy: RetryPolicy | None = None) -> Caller:
    return Caller(endpoint, clock, policy=policy or RetryPolicy(), jitter=lambda _case, _turn, _attempt: 0.5)


def make_engine(
    endpoint: FakeEndpoint,
    *,
    concurrency: int = 100,
    on_episode: Callable[[Episode], None] = lambda _: None,
    rules: EpisodeRules = RULES,
    clock: Clock | None = None,
) -> Engine:
    clock = clock or VirtualClock()
    return Engine(
        lambda: Caller(endpoint, clock),
        on_episode,
        worker="gw7",
        concurrency=concurrency,
        rules=rules,
        clock=clock,
    )


def run(clock: Clock, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the clock's loop."""
    loop = clock.new_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
