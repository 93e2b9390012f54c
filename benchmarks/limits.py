"""Measure shared limits on an independent server, and what limiter, retry loop and journal cost.

    python benchmarks/limits.py server|cost|overhead|all [--seconds S]

`server`: processes under one limit, and the arrivals that a server in a process of its own records. `cost`: CPU of the
limiter alone. `overhead`: CPU of limiter, retry loop and journal per call, compared with scenario n2 of
benchmarks/speed.py. docs/limits.md has the figures, and explains them.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # server and workers are those of the tests

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK  # noqa: E402
from pytest_ultra.benchmark.guide import make_guidance  # noqa: E402
from pytest_ultra.benchmark.reference_agents import act  # noqa: E402
from pytest_ultra.core.chat_request import ChatRequest  # noqa: E402
from pytest_ultra.core.episode import Episode  # noqa: E402
from pytest_ultra.core.reference_agent import knowledge_of  # noqa: E402
from pytest_ultra.core.transcript import Attempted, Reply  # noqa: E402
from pytest_ultra.engine.clock import SYSTEM_CLOCK  # noqa: E402
from pytest_ultra.engine.endpoint_limiter import EndpointLimiter, Permit  # noqa: E402
from pytest_ultra.engine.episode_queue import Assignment  # noqa: E402
from pytest_ultra.engine.episode_run import run_episode  # noqa: E402
from pytest_ultra.engine.limiter import Limiter, Unlimited, open_limiter  # noqa: E402
from pytest_ultra.engine.limiter_state import LimiterState  # noqa: E402
from pytest_ultra.engine.limits import START_IN_FLIGHT, Limits  # noqa: E402
from pytest_ultra.engine.retry import Caller  # noqa: E402
from pytest_ultra.engine.shared_limiter_state import SharedLimiterState  # noqa: E402
from pytest_ultra.storage.journal import Journal  # noqa: E402
from pytest_ultra.storage.run_directory import RunDirectory  # noqa: E402
from tests.engine.engine_fakes import make_case, make_request  # noqa: E402
from tests.engine.limit_server import LimitServer, ServerRecord  # noqa: E402
from tests.engine.limit_worker import Job, start  # noqa: E402
from tests.test_limits_over_http import open_first_connections  # noqa: E402

CALLS = 20_000
ALL_LIMITS = Limits(rpm=1e9, tpm=1e12, max_in_flight=1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["server", "cost", "overhead", "all"])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the workers make calls (default: 10)")
    arguments = parser.parse_args()
    if arguments.what in ("server", "all"):
        measure_server(arguments.seconds)
    if arguments.what in ("cost", "all"):
        measure_cost()
    if arguments.what in ("overhead", "all"):
        measure_overhead()


# ---- limits, measured by the server


def measure_server(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connections, opened_s = asyncio.run(open_first_connections(Path(folder)))
        print(f"no limit given: {connections} calls in flight after {1000 * opened_s:.0f} ms")
    for rpm in (300, 600, 1200, 3000):
        show_rate(f"4 workers, {rpm} requests a minute", rpm, watch(seconds, [Limits(rpm=rpm)] * 4))
    halves = watch(seconds, [Limits(rpm=600)] * 2, later=[Limits(rpm=600)] * 2)
    show_rate("2 workers, and 2 of a second run", 600, halves)
    show_tokens(watch(seconds, [Limits(tpm=100_000)] * 4))
    record = watch(seconds, [Limits(max_in_flight=16)] * 4)
    rate = len(record.arrivals) / (record.arrivals[-1] - record.arrivals[0])
    print(f"4 workers, 16 in flight: at most {record.most_in_flight}, {rate / (16 / 0.1):.0%} of the possible rate")


def watch(seconds: float, limits: Sequence[Limits], later: Sequence[Limits] = ()) -> ServerRecord:
    """Run one worker for each of the limits, and the `later` ones too from half-time; return the server's record."""
    with tempfile.TemporaryDirectory() as folder, LimitServer() as server, ExitStack() as stack:
        for group in (limits, later):
            for limit in group:
                end(stack, start(Job(folder, server.port, limit)))
            time.sleep(seconds / 2)
        return server.record()


def end(stack: ExitStack, process: subprocess.Popen[str]) -> None:
    stack.callback(process.communicate)


def show_rate(name: str, rpm: float, record: ServerRecord) -> None:
    first, last = record.arrivals[0], record.arrivals[-1]
    rate = (len(record.arrivals) - 1) / (last - first) * 60
    at_once = record.most_within(30 / rpm)
    second = record.most_within(1.0)
    print(
        f"{name}: {rate:.1f} a minute ({rate / rpm:.1%}), at most {at_once} within half an interval, "
        f"{second} within a second (share: {rpm / 60:.1f})"
    )


def show_tokens(record: ServerRecord) -> None:
    spent = sum(record.tokens[1:]) / (record.arrivals[-1] - record.arrivals[0]) * 60
    print(f"4 workers, 100,000 tokens a minute: {spent:,.0f} a minute")


# ---- CPU of the limiter


def measure_cost() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shared = SharedLimiterState(Path(folder, "shared"))
        for name, state, limits in (
            ("in one process", LimiterState(), ALL_LIMITS),
            ("shared, adaptive alone", shared, Limits()),
            ("shared, all limits", SharedLimiterState(Path(folder, "all")), ALL_LIMITS),
        ):
            print(f"limiter, {name}: {asyncio.run(cost_us(state, limits)):.1f} us of CPU a call")
        print(f"1,000 cases waiting for another process: {asyncio.run(waiting_share(Path(folder, 'busy'))):.3%} of CPU")


async def cost_us(state: LimiterState, limits: Limits) -> float:
    limiter = EndpointLimiter(state.start(SYSTEM_CLOCK.now(), START_IN_FLIGHT), limits, SYSTEM_CLOCK)
    reply = Reply(prompt_tokens=1)
    started = time.process_time()
    for _ in range(CALLS):
        permit = await limiter.acquire("m", 1.0)
        if not isinstance(permit, Permit):
            raise SystemExit(permit.detail)
        limiter.release(permit, reply, 1.0)
    spent = time.process_time() - started
    limiter.close()
    return spent / CALLS * 1e6


async def waiting_share(path: Path, seconds: float = 5.0) -> float:
    """Return the share of a CPU that waiting uses while another process has the only slot."""
    now = SYSTEM_CLOCK.now()
    limits = Limits(max_in_flight=1)
    busy = EndpointLimiter(SharedLimiterState(path).start(now, START_IN_FLIGHT), limits, SYSTEM_CLOCK)
    await busy.acquire("m")
    limiter = EndpointLimiter(SharedLimiterState(path).start(now, START_IN_FLIGHT), limits, SYSTEM_CLOCK)
    tasks = [asyncio.ensure_future(limiter.acquire("m")) for _ in range(1000)]
    await asyncio.sleep(0.5)
    started = time.process_time()
    await asyncio.sleep(seconds)
    spent = time.process_time() - started
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    limiter.close()
    busy.close()
    return spent / seconds


# ---- CPU of a call without its HTTP


class Instant:
    """An endpoint that answers at once."""

    async def attempt(self, request: ChatRequest) -> Reply:
        del request
        return Reply(prompt_tokens=1)

    async def aclose(self) -> None: ...


def measure_overhead() -> None:
    with tempfile.TemporaryDirectory() as folder:
        limiter, _ = open_limiter({"m": ["overhead"]}, ALL_LIMITS, folder=Path(folder))
        limited_us = asyncio.run(call_us(limiter))
        retried_us = asyncio.run(call_us(Unlimited()))
        episode = real_episode()
        journal_us = append_us(Path(folder), episode) / episode.usage.requests
    ours_us = limited_us + journal_us
    whole_us = main_job_us()
    print(f"retry loop: {retried_us:.1f} us, limiter with it: {limited_us:.1f} us, journal: {journal_us:.1f} us a call")
    print(f"together {ours_us:.0f} us of {whole_us:.0f} us of CPU a call: {ours_us / whole_us:.1%}")


async def call_us(limiter: Limiter) -> float:
    caller = Caller(Instant(), SYSTEM_CLOCK, limiter=limiter)
    request = make_request(make_case())
    attempts: list[Attempted] = []
    started = time.process_time()
    for _ in range(CALLS):
        await caller.call(request, attempts.append)
    spent = time.process_time() - started
    limiter.close()
    return spent / CALLS * 1e6


class ReferenceAgent:
    """An endpoint that answers as the perfect reference agent does, without HTTP."""

    async def attempt(self, request: ChatRequest) -> Reply:
        return act("perfect", request.messages, knowledge_of(request))

    async def aclose(self) -> None: ...


def real_episode() -> Episode:
    case = make_case()
    assignment = Assignment(case, lambda: make_guidance(case), "test")
    return asyncio.run(run_episode(assignment, Caller(ReferenceAgent(), SYSTEM_CLOCK), worker="gw0", rules=BENCHMARK))


def append_us(folder: Path, episode: Episode, episodes: int = 1000) -> float:
    run = RunDirectory.create(folder, {}, started_at=time.time())
    journal = Journal(run, "gw0")
    return timed_us(lambda: journal.append(episode), episodes)


def timed_us(work: Callable[[], None], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times * 1e6


def main_job_us() -> float:
    """Return the CPU of a call in the real command, as benchmarks/speed.py measures it."""
    speed = Path(__file__).with_name("speed.py")
    lines = subprocess.run([sys.executable, speed, "n2"], stdout=subprocess.PIPE, text=True, check=False).stdout
    cold = lines.splitlines()[1].split()
    return float(cold[9]) * 1000


if __name__ == "__main__":
    main()
