"""The episode of an own agent in the engine: whose time counts, what ends it, and what comes after its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.agent_session import AgentEnd, AgentSession, RunningAgent
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Answered, Attempted, Ended, EndReason, Reply, ToolCall
from pytest_ultra.engine.agent_episode import OVER, AgentEpisode
from pytest_ultra.engine.agent_runtime import ModelCaller
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.errors import EpisodeEndedError
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    hanging,
    make_assignment,
    make_caller,
    make_case,
    run,
    scripted,
    status,
    steady,
)
from tests.engine.fake_rules import RULES

Agent = Callable[[AgentEpisode], Awaitable[str]]
CALL = ToolCall("", "act", "{}")


class CancellableTask:
    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    def why_not_ready(self) -> str:
        return ""

    def cancel(self) -> None:
        self._task.cancel()


class AgentsInTheLoop:
    """Runs an agent as a task of the engine's loop, so that its time is virtual too."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, session: AgentSession, on_end: Callable[[AgentEnd], None]) -> RunningAgent:
        assert isinstance(session, AgentEpisode)
        self.tasks.append(asyncio.ensure_future(self._run(session, on_end)))
        return CancellableTask(self.tasks[-1])

    async def _run(self, session: AgentEpisode, on_end: Callable[[AgentEnd], None]) -> None:
        on_end(AgentEnd(await self._agent(session)))

    def serve_model(self, caller: ModelCaller) -> str:
        raise NotImplementedError

    def serve_tools(self, session: AgentSession) -> str:
        raise NotImplementedError

    def stop_serving(self, url: str) -> None:
        raise NotImplementedError


def run_agent(agent: Agent, endpoint: FakeEndpoint | None = None, timeout_s: float | None = 100.0) -> Episode:
    case = msgspec.structs.replace(make_case(timeout_s=timeout_s), agent="my_app:agent", agent_model="m")
    clock = VirtualClock()

    async def run_it() -> Episode:
        caller, agents = make_caller(endpoint or steady(), clock), AgentsInTheLoop(agent)
        try:
            return await run_episode(make_assignment(case), caller, worker="w", rules=RULES, agents=agents)
        finally:
            await asyncio.wait(agents.tasks)

    return run(clock, run_it())


async def ask(episode: AgentEpisode) -> Any:
    return await episode.call_model([{"role": "user", "content": "Hello."}], [], {})


async def call(episode: AgentEpisode, *calls: ToolCall) -> Sequence[str]:
    return [await asyncio.wrap_future(future) for future in episode.call(calls)]


def end_of(episode: Episode) -> tuple[EndReason, str]:
    (end,) = [event for event in episode.transcript if isinstance(event, Ended)]
    assert episode.transcript[-1] is end
    return end.reason, end.detail


def test_the_agents_time_and_its_models_are_model_time_and_waiting_is_not() -> None:
    async def agent(episode: AgentEpisode) -> str:
        await asyncio.sleep(2)
        await ask(episode)
        await asyncio.sleep(3)
        return "done"

    usage = run_agent(agent, scripted([status(503), DONE], latency_s=10)).usage
    assert usage.model_time_s == pytest.approx(2 + 10 + 3)
    assert usage.waiting_time_s > 10  # the failed attempt and the back-off
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (2, 10, 2)


def test_the_time_limit_does_not_count_waiting() -> None:
    async def agent(episode: AgentEpisode) -> str:
        await ask(episode)
        await asyncio.sleep(5)
        return "done"

    slow = scripted([status(429, retry_after_s=60), DONE], latency_s=1)
    assert end_of(run_agent(agent, slow, timeout_s=8)) == (EndReason.STOPPED, "")
    reason, _ = end_of(run_agent(agent, steady(4), timeout_s=8))
    assert reason is EndReason.AGENT_TIMEOUT


@pytest.mark.parametrize("endpoint", [hanging(), None], ids=["its model hangs", "it hangs itself"])
def test_an_agent_that_hangs_ends_at_its_limit(endpoint: FakeEndpoint | None) -> None:
    async def agent(episode: AgentEpisode) -> str:
        await (asyncio.sleep(1e9) if endpoint is None else ask(episode))
        await asyncio.sleep(1e9)
        return "never"

    episode = run_agent(agent, endpoint, timeout_s=30)
    assert end_of(episode)[0] is EndReason.AGENT_TIMEOUT
    assert episode.usage.model_time_s == pytest.approx(30, abs=1)


def test_calls_that_are_late_or_left_unanswered_raise() -> None:
    raised: list[BaseException] = []

    async def agent(episode: AgentEpisode) -> str:
        await call(episode, CALL)
        try:
            await asyncio.sleep(1e9)
        finally:
            try:
                await call(episode, CALL)
            except EpisodeEndedError as error:
                raised.append(error)
        return "never"

    episode = run_agent(agent, timeout_s=30)
    assert len(raised) == 1
    assert sum(isinstance(event, Answered) for event in episode.transcript) == 1


def test_a_request_after_the_end_is_not_sent() -> None:
    answers: list[Any] = []
    late: list[asyncio.Task[None]] = []
    endpoint = steady()

    async def agent(episode: AgentEpisode) -> str:
        async def ask_late() -> None:
            await asyncio.sleep(50)
            answers.append(await ask(episode))

        late.append(asyncio.ensure_future(ask_late()))
        await asyncio.sleep(1)
        return "done"

    clock = VirtualClock()
    case = msgspec.structs.replace(make_case(), agent="my_app:agent", agent_model="m")

    async def run_it() -> Episode:
        agents = AgentsInTheLoop(agent)
        assignment = make_assignment(case)
        episode = await run_episode(assignment, make_caller(endpoint, clock), worker="w", rules=RULES, agents=agents)
        await asyncio.wait(late)
        return episode

    assert end_of(run(clock, run_it()))[0] is EndReason.STOPPED
    assert (answers, endpoint.requests) == ([OVER], [])


def test_a_request_in_flight_at_the_end_adds_nothing_after_it() -> None:
    async def agent(episode: AgentEpisode) -> str:
        asking = asyncio.ensure_future(ask(episode))
        await asyncio.sleep(1)
        assert not asking.done()
        return "done"

    episode = run_agent(agent, steady(10))
    assert end_of(episode)[0] is EndReason.STOPPED
    assert not [event for event in episode.transcript if isinstance(event, Attempted)]


def test_a_failure_of_the_infrastructure_ends_the_episode_at_once() -> None:
    async def agent(episode: AgentEpisode) -> str:
        await ask(episode)
        await asyncio.sleep(1e9)
        return "never"

    reason, detail = end_of(run_agent(agent, scripted([status(401)])))
    assert (reason, "from the server" in detail) == (EndReason.ENDPOINT, True)


def test_our_own_bug_in_a_request_is_an_error_of_the_harness() -> None:
    async def agent(episode: AgentEpisode) -> str:
        await ask(episode)
        await asyncio.sleep(1e9)
        return "never"

    async def fail(_: Any) -> Reply:
        raise KeyError("a bug")

    episode = run_agent(agent, FakeEndpoint(fail))
    assert end_of(episode) == (EndReason.HARNESS, "KeyError: 'a bug'")
    assert "in fail" in (episode.error or "")


def test_calls_at_once_wait_for_those_that_the_model_made_before_them() -> None:
    reply = Reply(tool_calls=(ToolCall("1", "first", "{}"), ToolCall("2", "second", "{}")))

    async def agent(episode: AgentEpisode) -> str:
        await ask(episode)
        second = asyncio.ensure_future(call(episode, ToolCall("", "second", "{}")))
        await asyncio.sleep(0.02)
        await call(episode, ToolCall("", "first", "{}"))
        await second
        return "done"

    events = run_agent(agent, steady(1, reply)).transcript
    assert [(event.turn, event.call.name) for event in events if isinstance(event, Answered)] == [
        (1, "first"),
        (1, "second"),
    ]
