"""Protocol `auto` with a scripted endpoint on loopback that rejects native tools, or every request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.core.axes import PromptType, ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import Attempted, Ended, EndReason, Event, FellBack, Replied
from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.engine.retry import Caller
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.http_endpoint import open_endpoint
from tests.benchmark.agent_runs import make_case
from tests.providers.http_stand_in import COMPLETION, StandIn, response, stand_in

MODEL = "openai/small"
Script = Callable[[bool], tuple[int, str]]
"""Returns the status and the error message for a request, given whether it has native tools; 200 is a normal reply."""


def run_cases(script: Script, *cases: Case) -> tuple[list[Episode], list[bool]]:
    """Run the cases one after another; also return which requests had native tools."""

    async def run() -> tuple[list[Episode], list[bool]]:
        seen: list[StandIn] = []

        async def answer(writer: asyncio.StreamWriter) -> None:
            status, message = script("tools" in json.loads(seen[0].requests[-1].body))
            body = COMPLETION if status == 200 else json.dumps({"error": {"message": message}}).encode()
            writer.write(response(body, status=f"{status} Scripted"))
            await writer.drain()

        async with stand_in(answer) as server:
            seen.append(server)
            spec = resolve(MODEL, base_url=server.url, environ={})
            endpoint = open_endpoint({MODEL: spec}, environ={})
            caller = Caller(endpoint, SYSTEM_CLOCK, policy=RetryPolicy(attempts=1))
            try:
                episodes = [
                    await run_episode(
                        Assignment(case, partial(make_guidance, case), "t"), caller, worker="w", rules=BENCHMARK
                    )
                    for case in cases
                ]
            finally:
                await endpoint.aclose()
            return episodes, ["tools" in json.loads(request.body) for request in server.requests]

    return asyncio.run(run())


def auto(instance: int = 0, protocol: ToolProtocol = ToolProtocol.AUTO) -> Case:
    case = make_case(PromptType.BASELINE, instance=instance, tool_protocol=protocol)
    return msgspec.structs.replace(case, model=MODEL)


def kinds(events: tuple[Event, ...]) -> list[type]:
    return [type(event) for event in events]


def rejects_tools(status: int) -> Script:
    return lambda has_tools: (status, f"{MODEL} does not support tools") if has_tools else (200, "")


@pytest.mark.parametrize("status", [400, 404, 422, 501])
def test_after_a_rejection_of_tools_this_and_all_later_requests_use_text(status: int) -> None:
    (first, second), had_tools = run_cases(rejects_tools(status), auto(0), auto(1))

    assert had_tools == [True, False, False]
    assert (first.outcome, second.outcome) == (Outcome.FAILED, Outcome.FAILED)  # "Done." does not do the job
    assert kinds(first.transcript) == [Attempted, FellBack, Attempted, Replied, Ended]
    assert kinds(second.transcript) == [FellBack, Attempted, Replied, Ended]
    reason = f"The endpoint rejected the request (status {status}: {MODEL} does not support tools)."
    assert {
        event.detail for episode in (first, second) for event in episode.transcript if isinstance(event, FellBack)
    } == {reason}
    assert (first.usage.requests, second.usage.requests) == (2, 1)


def test_if_text_is_rejected_too_the_first_rejection_is_the_error() -> None:
    (first, second), had_tools = run_cases(lambda tools: (400, "no tools" if tools else "no text"), auto(0), auto(1))

    for episode in (first, second):
        assert kinds(episode.transcript) == [Attempted, FellBack, Attempted, Ended]
        assert (episode.outcome, episode.score.failure_class) == (Outcome.ERROR, FailureClass.ENDPOINT)
        assert episode.error == "The endpoint rejected the request (status 400: no tools)."
    assert had_tools == [True, False, True, False]


def test_an_unknown_model_fails_for_all_cases() -> None:
    (first, second), had_tools = run_cases(
        lambda _: (404, "no such model"),
        auto(0),
        auto(1),
    )

    assert first.error == "The endpoint rejected the request (status 404: no such model)."
    assert second.error is not None
    assert "rejected the request (status 404: no such model): check the model's name" in second.error
    assert had_tools == [True, False]


def test_a_failure_in_text_other_than_a_rejection_is_the_error() -> None:
    (episode,), _ = run_cases(lambda tools: (400, "no tools") if tools else (503, "overloaded"), auto())

    assert episode.error == "No answer after 1 attempts; the last one: status 503: overloaded."


@pytest.mark.parametrize("protocol", [ToolProtocol.NATIVE, ToolProtocol.TEXT])
def test_an_explicit_protocol_has_no_fallback(protocol: ToolProtocol) -> None:
    (episode,), had_tools = run_cases(lambda _: (400, "no"), auto(protocol=protocol))

    assert had_tools == [protocol is ToolProtocol.NATIVE]
    assert kinds(episode.transcript) == [Attempted, Ended]


def test_auto_is_native_if_tools_are_accepted() -> None:
    (episode,), had_tools = run_cases(lambda _: (200, ""), auto())

    assert had_tools == [True]
    assert kinds(episode.transcript) == [Attempted, Replied, Ended]
    assert isinstance(episode.transcript[-1], Ended)
    assert episode.transcript[-1].reason is EndReason.STOPPED
