"""Limits and the HTTP client together: neither delays what the other allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.engine.limiter import open_limiter
from pytest_ultra.engine.limits import START_IN_FLIGHT, Limits
from pytest_ultra.engine.retry import Caller
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.http_endpoint import open_endpoint
from tests.engine.engine_fakes import make_case, make_request
from tests.providers.http_stand_in import COMPLETION, hangs, response, says, stand_in


@asynccontextmanager
async def open_caller(url: str, folder: Path) -> AsyncIterator[Caller]:
    spec = resolve("m", base_url=url, environ={})
    endpoint = open_endpoint({"m": spec}, environ={})
    limiter, _ = open_limiter({"m": spec.endpoint_ids()}, Limits(), folder=folder)
    try:
        yield Caller(endpoint, SYSTEM_CLOCK, limiter=limiter)
    finally:
        limiter.close()
        await endpoint.aclose()


async def call(caller: Caller) -> object:
    return await caller.call(make_request(make_case()), lambda _: None)


async def open_first_connections(folder: Path) -> tuple[int, float]:
    """Start more calls than the initial limit; return the number of connections, and the seconds to open them."""
    has_all = asyncio.Event()

    async def count(writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == START_IN_FLIGHT:
            has_all.set()
        await hangs(writer)

    async with stand_in(count) as server, open_caller(server.url, folder) as caller:
        started = SYSTEM_CLOCK.now()
        tasks = [asyncio.ensure_future(call(caller)) for _ in range(START_IN_FLIGHT + 50)]
        await has_all.wait()
        opened_s = SYSTEM_CLOCK.now() - started
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return server.connections, opened_s


def test_256_calls_are_in_flight_at_once_and_no_more(tmp_path: Path) -> None:
    connections, opened_s = asyncio.run(open_first_connections(tmp_path))
    assert connections == START_IN_FLIGHT
    assert opened_s < 1.0, "about 0.1 s on an idle machine"


def test_an_answer_with_no_remaining_requests_delays_the_next_call(tmp_path: Path) -> None:
    headers = ("x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 400ms")

    async def call_twice() -> tuple[object, float]:
        answer = says(response(COMPLETION, *headers))
        async with stand_in(answer) as server, open_caller(server.url, tmp_path) as caller:
            await call(caller)
            started = SYSTEM_CLOCK.now()
            return await call(caller), SYSTEM_CLOCK.now() - started

    reply, seconds = asyncio.run(call_twice())
    assert isinstance(reply, Reply)
    assert reply.text == "Done."
    assert seconds == pytest.approx(0.4, abs=0.2)
