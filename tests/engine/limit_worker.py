"""A process that makes calls under shared limits, as a worker does, until its stdin is closed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.limiter import ModelLimiter, open_limiter
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.redis_connection import JointStore
from tests.engine.engine_fakes import make_case, make_request
from tests.engine.limit_server import ROOT, call

ENDPOINT = "endpoint"


class Job(msgspec.Struct, frozen=True):
    """A worker's job: a number of cases, each of which makes one call after another; on a host, if it uses Redis."""

    folder: str
    port: int
    limits: Limits
    cases: int = 20
    latency_s: float = 0.1
    tokens: int = 100
    redis: str = ""
    host: str = ""


def start(job: Job) -> subprocess.Popen[str]:
    """Start a worker and wait until it makes calls. It ends when its stdin is closed."""
    command = [sys.executable, "-m", "tests.engine.limit_worker", msgspec.json.encode(job).decode()]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


async def work(job: Job) -> None:
    store = JointStore(job.redis, job.host, lambda text: print(text, flush=True)) if job.redis else None  # noqa: T201
    limiter, problem = open_limiter({"m": [ENDPOINT]}, job.limits, folder=Path(job.folder), store=store)
    assert problem is None
    print("ready", flush=True)  # noqa: T201 - the parent process waits for it
    tasks = [asyncio.create_task(_run_case(job, limiter)) for _ in range(job.cases)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    limiter.close()
    await limiter.wait_closed()


async def _run_case(job: Job, limiter: ModelLimiter) -> None:
    request = _request()
    while True:
        permit = await limiter.acquire(request)
        assert isinstance(permit, Permit)
        result = None
        try:
            await call(job.port, job.latency_s, job.tokens)
            result = Reply(prompt_tokens=job.tokens)
        finally:
            limiter.release(permit, result)


def _request() -> ChatRequest:
    messages: tuple[Message, ...] = ({"role": "user", "content": "x" * 400},)
    return msgspec.structs.replace(make_request(make_case()), messages=messages)


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(sys.argv[1], type=Job)))
