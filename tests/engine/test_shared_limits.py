"""Limits hold for all processes together, as measured by a server in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ultra.engine.limits import Limits
from tests.engine.limit_server import LimitServer, ServerRecord
from tests.engine.limit_worker import Job, start

pytest.importorskip("fcntl", reason="limits are shared on POSIX only")


@contextmanager
def workers(*jobs: Job) -> Iterator[list[subprocess.Popen[str]]]:
    started = [start(job) for job in jobs]
    try:
        yield started
    finally:
        for process in started:
            process.communicate(timeout=10)


@pytest.fixture
def server() -> Iterator[LimitServer]:
    with LimitServer() as server:
        yield server


def busy_rate(record: ServerRecord, start_s: float = 1.0) -> float:
    """Return calls per minute, without the first `start_s` seconds, while workers still start."""
    arrivals = [arrival for arrival in record.arrivals if arrival >= record.arrivals[0] + start_s]
    return (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) * 60


def test_four_workers_together_make_n_calls_a_minute_evenly(tmp_path: Path, server: LimitServer) -> None:
    rpm = 1000
    job = Job(str(tmp_path), server.port, Limits(rpm=rpm))
    with workers(*[job] * 4):
        time.sleep(4.5)
        record = server.record()

    interval_s = 60 / rpm
    assert busy_rate(record) <= 1.02 * rpm
    assert busy_rate(record) >= 0.95 * rpm
    bursts = [third - first for first, third in first_and_third(record.arrivals) if third - first < interval_s / 2]
    assert len(bursts) <= 3, "calls are evenly paced, unless a busy machine delays the server"
    assert record.most_within(1.0) <= rpm / 60 + 2, "nothing is saved up at the start"


def first_and_third(arrivals: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Return the times of the first and third of each three consecutive calls: three at once are too large a burst."""
    return zip(arrivals, arrivals[2:], strict=False)


def test_a_second_run_shares_the_limit_of_the_first_and_neither_starves(tmp_path: Path, server: LimitServer) -> None:
    rpm = 1000
    first, second = (Job(str(tmp_path), server.port, Limits(rpm=rpm), tokens=tokens) for tokens in (1, 2))
    with workers(first):
        time.sleep(1)
        with workers(second):
            time.sleep(3)
            record = server.record()

    assert 0.95 * rpm <= busy_rate(record) <= 1.02 * rpm
    together = record.tokens[-40:]
    assert 14 <= together.count(1) <= 26, "both have the same share"


def test_calls_in_flight_are_counted_over_all_workers(tmp_path: Path, server: LimitServer) -> None:
    job = Job(str(tmp_path), server.port, Limits(max_in_flight=5))
    with workers(*[job] * 3):
        time.sleep(1)
        record = server.record()

    assert record.most_in_flight == 5
    assert len(record.arrivals) >= 0.8 * 5 / job.latency_s * (record.arrivals[-1] - record.arrivals[0])


def test_tokens_a_minute_are_counted_over_all_workers(tmp_path: Path, server: LimitServer) -> None:
    tpm = 100_000
    jobs = [Job(str(tmp_path), server.port, Limits(tpm=tpm), tokens=tokens) for tokens in (50, 150)]
    with workers(*jobs):
        time.sleep(4)
        record = server.record()

    start = record.arrivals[0] + 2  # when the estimates have adapted
    calls = zip(record.arrivals, record.tokens, strict=True)
    tokens_since = sum(tokens for arrival, tokens in calls if arrival > start)
    assert tokens_since / (record.arrivals[-1] - start) * 60 == pytest.approx(tpm, rel=0.1)


def test_the_slots_of_a_killed_worker_are_free_at_once(tmp_path: Path, server: LimitServer) -> None:
    slow, quick = (
        Job(str(tmp_path), server.port, Limits(max_in_flight=4), latency_s=latency_s) for latency_s in (60, 0.05)
    )
    with workers(slow) as (process,):
        while server.record().in_flight < 4:
            time.sleep(0.02)
        with workers(quick):
            time.sleep(0.5)
            assert len(server.record().arrivals) == 4, "all slots are taken"
            os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.5)
            record = server.record()

    assert len(record.arrivals) > 10


def test_the_last_process_removes_the_shared_state(tmp_path: Path, server: LimitServer) -> None:
    job = Job(str(tmp_path), server.port, Limits(max_in_flight=4))
    with workers(job, job):
        assert list(tmp_path.iterdir())
        time.sleep(0.2)

    assert list(tmp_path.iterdir()) == []
