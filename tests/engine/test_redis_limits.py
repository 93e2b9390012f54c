"""Hosts that share nothing but a Redis hold the limits together, as measured by a server in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ultra.engine.joint_limits import JointAnswer, JointLimits
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.redis_connection import Availability, JointStore, RedisScripts
from tests.engine.limit_server import LimitServer
from tests.engine.limit_worker import Job, start
from tests.redis_server import RedisServer

pytest.importorskip("fcntl", reason="limits are shared on POSIX only")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server() -> Iterator[LimitServer]:
    with LimitServer() as server:
        yield server


@contextmanager
def two_hosts(
    folder: Path, server: LimitServer, redis: RedisServer, limits: Limits, workers: int = 1
) -> Iterator[list[subprocess.Popen[str]]]:
    """Start workers on two hosts, each of which has a folder of its own for the limits of its processes."""
    started = []
    for host in ("a", "b"):
        (folder / host).mkdir()
        job = Job(str(folder / host), server.port, limits, redis=redis.url, host=host)
        started += [start(job) for _ in range(workers)]
    try:
        yield started
    finally:
        for process in started:
            process.communicate(timeout=10)


def test_two_hosts_of_two_workers_hold_the_pace_together(
    tmp_path: Path, server: LimitServer, redis: RedisServer
) -> None:
    rpm = 1200
    with two_hosts(tmp_path, server, redis, Limits(rpm=rpm, tpm=300 * rpm), workers=2):
        time.sleep(2)
        record = server.record()
    span_s = record.arrivals[-1] - record.arrivals[0]
    rate = (len(record.arrivals) - 1) / span_s * 60
    assert rate <= 1.02 * rpm
    assert rate >= 0.6 * rpm, "a busy machine may cost a little"
    assert record.most_within(1.0) <= rpm / 60 + 2


def test_two_hosts_share_the_slots(tmp_path: Path, server: LimitServer, redis: RedisServer) -> None:
    with two_hosts(tmp_path, server, redis, Limits(max_in_flight=6)):
        time.sleep(0.5)
        record = server.record()
    assert record.most_in_flight == 6


@pytest.mark.parametrize("is_renewed", [False, True])
def test_a_lease_ends_unless_it_is_renewed(redis: RedisServer, is_renewed: bool) -> None:  # noqa: FBT001 - a parameter
    async def acquire_both() -> JointAnswer | None:
        store = JointStore(redis.url, "host", print)
        scripts = RedisScripts(store, Availability(store, str))
        holder, other = (
            JointLimits(f"leases-{is_renewed}", Limits(max_in_flight=1), scripts, store, lease_s=0.3) for _ in "ab"
        )
        assert await holder.acquire("held", 0.0) == (True, 0.0)
        for _ in range(4):
            await asyncio.sleep(0.1)
            if is_renewed:
                await holder.renew()
        answer = await other.acquire("next", 0.0)
        await scripts.aclose()
        return answer

    assert asyncio.run(acquire_both()) == ((False, None) if is_renewed else (True, 0.0))


def test_without_redis_each_host_keeps_to_its_share_and_says_so_once(tmp_path: Path, server: LimitServer) -> None:
    rpm = 1200
    with RedisServer() as redis, two_hosts(tmp_path, server, redis, Limits(rpm=rpm)) as started:
        time.sleep(1.0)
        redis.stop()
        before = len(server.record().arrivals)
        time.sleep(1.5)
        record = server.record()
        for process in started:
            process.stdin.close()  # type: ignore[union-attr]
        said = [process.stdout.read() for process in started]  # type: ignore[union-attr]
        for process in started:
            process.stdin = None
    alone = record.arrivals[before:]
    allowed = (alone[-1] - alone[0]) * rpm / 60
    assert 0.5 * allowed <= len(alone) <= allowed + 3, "one call, and one for each host that begins its own pace"
    for text in said:
        assert text.count("does not answer") == 1
        assert "until it does, this host keeps to its share of the limits (1/2)" in text
