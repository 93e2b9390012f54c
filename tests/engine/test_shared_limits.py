"""Limits hold for all processes together, as a server in a process of its own sees it."""

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
from tests.engine.limit_server import Judge, Seen
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
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


def busy_rate(seen: Seen, start: float = 1.0) -> float:
    """Return calls per minute, but for the first and the last moments, when not all workers are there."""
    arrivals = [arrival for arrival in seen.arrivals if arrival >= seen.arrivals[0] + start]
    return (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) * 60


def test_four_workers_make_n_calls_a_minute_together_evenly(tmp_path: Path, judge: Judge) -> None:
    rpm = 1000
    job = Job(str(tmp_path), judge.port, Limits(rpm=rpm))
    with workers(*[job] * 4):
        time.sleep(4.5)
        seen = judge.seen()

    interval_s = 60 / rpm
    assert busy_rate(seen) <= 1.02 * rpm
    assert busy_rate(seen) >= 0.95 * rpm
    bursts = [third - first for first, third in with_the_next_but_one(seen.arrivals) if third - first < interval_s / 2]
    assert len(bursts) <= 3, "calls are paced evenly, but where a busy machine holds the server up"
    assert seen.most_within(1.0) <= rpm / 60 + 2, "nothing is saved up at the start"


def with_the_next_but_one(arrivals: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Return each call's time with that of the next but one: three calls at once are a burst too large."""
    return zip(arrivals, arrivals[2:], strict=False)


def test_a_second_run_shares_the_limit_of_the_first_and_neither_starves(tmp_path: Path, judge: Judge) -> None:
    rpm = 1000
    first, second = (Job(str(tmp_path), judge.port, Limits(rpm=rpm), tokens=tokens) for tokens in (1, 2))
    with workers(first):
        time.sleep(1)
        with workers(second):
            time.sleep(3)
            seen = judge.seen()

    assert 0.95 * rpm <= busy_rate(seen) <= 1.02 * rpm
    together = seen.tokens[-40:]
    assert 14 <= together.count(1) <= 26, "both have the same share"


def test_calls_in_flight_are_counted_over_all_workers(tmp_path: Path, judge: Judge) -> None:
    job = Job(str(tmp_path), judge.port, Limits(max_in_flight=5))
    with workers(*[job] * 3):
        time.sleep(1.5)
        seen = judge.seen()

    assert seen.most_in_flight == 5
    assert len(seen.arrivals) >= 0.8 * 5 / job.latency_s * (seen.arrivals[-1] - seen.arrivals[0])


def test_tokens_a_minute_are_counted_over_all_workers(tmp_path: Path, judge: Judge) -> None:
    tpm = 100_000
    jobs = [Job(str(tmp_path), judge.port, Limits(tpm=tpm), tokens=tokens) for tokens in (50, 150)]
    with workers(*jobs):
        time.sleep(4)
        seen = judge.seen()

    settled = [
        tokens for arrival, tokens in zip(seen.arrivals, seen.tokens, strict=True) if arrival > seen.arrivals[0] + 2
    ]
    since_s = seen.arrivals[-1] - seen.arrivals[0] - 2
    assert sum(settled) / since_s * 60 == pytest.approx(tpm, rel=0.1)


def test_what_a_killed_worker_had_in_flight_is_free_at_once(tmp_path: Path, judge: Judge) -> None:
    slow, quick = (
        Job(str(tmp_path), judge.port, Limits(max_in_flight=4), latency_s=latency_s) for latency_s in (60, 0.05)
    )
    with workers(slow) as (process,):
        while judge.seen().in_flight < 4:
            time.sleep(0.02)
        with workers(quick):
            time.sleep(0.5)
            assert len(judge.seen().arrivals) == 4, "all slots are taken"
            os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.5)
            seen = judge.seen()

    assert len(seen.arrivals) > 10


def test_the_last_one_to_leave_takes_the_ledger_away(tmp_path: Path, judge: Judge) -> None:
    job = Job(str(tmp_path), judge.port, Limits(max_in_flight=4))
    with workers(job, job):
        assert list(tmp_path.iterdir())
        time.sleep(0.2)

    assert list(tmp_path.iterdir()) == []
