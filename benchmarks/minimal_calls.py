"""Make as many calls to a stand-in as a run, with asyncio and aiohttp only: the reference for `speed.py`.

python benchmarks/minimal_calls.py URL CALLS IN_FLIGHT LATENCY
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.core.axes import Difficulty, PromptType, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.providers.wire import encode_request


def main() -> None:
    url, calls, in_flight, latency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    body = encode_request(_typical_request(), f"follower?latency={latency}")
    asyncio.run(_make_calls(f"{url}/chat/completions", body, calls, in_flight))


def _typical_request() -> ChatRequest:
    case = Case(
        model="demo/perfect",
        prompt_type=PromptType.OPTIMAL,
        task_type=TaskType.DATA_PIPELINE,
        difficulty=Difficulty.EASY,
        tool_success_rate=0.8,
        severity=None,
        instance=0,
        repeat=0,
        seed=0,
    )
    return Conversation.begin(case, make_guidance(case)).request()


async def _make_calls(url: str, body: bytes, calls: int, in_flight: int) -> None:
    remaining = iter(range(calls))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def make_calls() -> None:
            for _ in remaining:
                async with session.post(url, data=body) as response:
                    response.raise_for_status()
                    await response.read()

        await asyncio.gather(*(make_calls() for _ in range(in_flight)))


if __name__ == "__main__":
    main()
