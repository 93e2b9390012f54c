"""What processes that share an endpoint know together, and what becomes of it when they end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ultra.engine.endpoint_limiter import Gate, Permit
from pytest_ultra.engine.limiter_state import PROCESSES, Ledger
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.open_limiter import open_limiter
from tests.engine.engine_fakes import DONE, VirtualClock, run

pytest.importorskip("fcntl", reason="limits are shared on POSIX only")
resource = pytest.importorskip("resource")

from pytest_ultra.engine.shared_limiter_state import SharedLedger, shared_folder  # noqa: E402 - not to be had elsewhere


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "name"


@pytest.fixture
def pair(path: Path) -> Iterator[tuple[SharedLedger, SharedLedger]]:
    """The ledgers of two that share: to the kernel, a file opened twice is as good as two processes."""
    ledgers = SharedLedger(path).begin(100.0, 256), SharedLedger(path).begin(100.0, 256)
    yield ledgers
    for ledger in ledgers:
        ledger.close()


def test_what_one_writes_the_other_reads(pair: tuple[SharedLedger, SharedLedger]) -> None:
    mine, yours = pair
    with mine as state:
        state.requests_due, state.strikes, state.is_refused = 200.5, 3, True
        mine.in_flight[mine.row] = 7

    with yours as state:
        assert (state.requests_due, state.strikes, state.is_refused, state.used) == (200.5, 3, True, 2)
        assert list(yours.in_flight[: state.used]) == [7, 0]
    assert (mine.row, yours.row) == (0, 1)


def test_the_rows_of_those_who_live_are_left_alone(pair: tuple[SharedLedger, SharedLedger]) -> None:
    mine, yours = pair
    with mine:
        mine.in_flight[mine.row] = 7
    with yours:
        assert not yours.bury_the_dead()
        assert yours.in_flight[mine.row] == 7


def test_pace_and_pause_outlive_a_run_and_its_mood_does_not(path: Path) -> None:
    first = SharedLedger(path).begin(100.0, 256)
    with first as state:
        state.requests_due, state.tokens_due, state.paused_until = 150.0, 160.0, 170.0
        state.window, state.quota_since, state.is_refused = 3.0, 100.0, True
    first.close()

    second = SharedLedger(path).begin(110.0, 256)
    with second as state:
        assert (state.requests_due, state.tokens_due, state.paused_until) == (150, 160, 170)
        assert (state.window, state.quota_since, state.is_refused) == (256, 0, False)
    second.close()


def test_a_run_beside_another_finds_its_mood(path: Path) -> None:
    first = SharedLedger(path).begin(100.0, 256)
    with first as state:
        state.window = 3.0
    second = SharedLedger(path).begin(110.0, 256)
    with second as state:
        assert state.window == 3
    first.close()
    second.close()


def test_after_a_reboot_the_clock_begins_anew_and_so_does_the_pace(path: Path) -> None:
    before = SharedLedger(path).begin(50_000.0, 256)
    with before as state:
        state.requests_due = state.paused_until = 50_500.0
    before.close()

    after = SharedLedger(path).begin(20.0, 256)
    with after as state:
        assert (state.requests_due, state.tokens_due, state.paused_until) == (20, 20, 0)
    after.close()


def test_what_nobody_needs_to_know_any_more_is_taken_away(path: Path) -> None:
    SharedLedger(path).begin(100.0, 256).close()
    assert list(path.parent.iterdir()) == []


def test_a_pace_that_still_counts_is_kept_for_the_next_run(path: Path) -> None:
    ledger = SharedLedger(path).begin(100.0, 256)
    with ledger as state:
        state.requests_due = 106.0
    ledger.close()
    assert path.parent / "name.1" in path.parent.iterdir()


def test_rows_of_earlier_runs_are_taken_away_as_well(path: Path) -> None:
    (path.parent / "name.1.7").touch()
    SharedLedger(path).begin(100.0, 256).close()
    assert list(path.parent.iterdir()) == []


def test_the_files_are_the_users_alone(path: Path) -> None:
    ledger = SharedLedger(path).begin(100.0, 256)
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    ledger.close()


def test_as_many_can_share_as_there_are_rows(path: Path) -> None:
    ledgers = [SharedLedger(path).begin(100.0, 256) for _ in range(PROCESSES)]
    with pytest.raises(OSError, match=f"{PROCESSES} processes share it already"):
        SharedLedger(path)
    for ledger in ledgers:
        ledger.close()
    assert list(path.parent.iterdir()) == []


def test_the_folder_is_made_for_the_user_alone(tmp_path: Path) -> None:
    folder = shared_folder([tmp_path / "missing", tmp_path])
    assert folder == tmp_path / f"pytest-ultra-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert shared_folder([tmp_path]) == folder


def test_a_folder_that_others_can_write_to_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    folder = shared_folder([tmp_path])
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="not the user's own"):
        shared_folder([tmp_path])
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="not the user's own"):
        shared_folder([tmp_path])


def test_where_nothing_can_be_shared_limits_hold_for_the_process_and_it_is_said(tmp_path: Path) -> None:
    limiter, trouble = open_limiter({"m": ["name"]}, Limits(), folder=tmp_path / "missing")
    assert "No such file or directory" in str(trouble)
    limiter.close()


@pytest.mark.parametrize("room", [0, 1000])
def test_a_full_disk_is_found_out_in_time(tmp_path: Path, room: int) -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        limiter, trouble = open_limiter({"m": ["name"]}, Limits(), folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    limiter.close()
    assert trouble in {"[Errno 27] File too large", "[Errno 28] No space left on device"}


def test_a_file_that_was_cut_off_is_filled_up(path: Path) -> None:
    path.with_name("name.1").write_bytes(b"\0" * 10)
    ledger = SharedLedger(path).begin(100.0, 256)
    with ledger as state:
        assert state.window == 256
    ledger.close()


class Side:
    """One of two processes before the same endpoint."""

    def __init__(self, ledger: Ledger, limits: Limits, clock: VirtualClock) -> None:
        self.gate = Gate(ledger.begin(clock.now(), 256), limits, clock)
        self.clock = clock
        self.calls = 0
        self.in_flight = 0

    async def live(self, until: float) -> None:
        while self.clock.now() < until:
            permit = await self.gate.enter("m")
            assert isinstance(permit, Permit)
            self.calls += 1
            self.in_flight += 1
            await asyncio.sleep(1.0)
            self.in_flight -= 1
            self.gate.leave(permit, DONE)


@pytest.mark.parametrize("in_flight", [1, 5, 40])
@pytest.mark.parametrize("cases", [(50, 50), (90, 10)])
def test_no_process_starves_and_cases_wait_alike(path: Path, in_flight: int, cases: tuple[int, int]) -> None:
    clock = VirtualClock()
    sides = [Side(SharedLedger(path), Limits(max_in_flight=in_flight), clock) for _ in range(2)]

    async def work() -> None:
        lives = [side.live(120.0) for side, number in zip(sides, cases, strict=True) for _ in range(number)]
        await asyncio.gather(*lives)

    run(clock, work())
    for side in sides:
        side.gate.close()

    calls = [side.calls for side in sides]
    assert sum(calls) >= 0.9 * in_flight * 120, "slots do not lie idle"
    assert calls[0] / cases[0] == pytest.approx(calls[1] / cases[1], rel=0.25)


def test_nobody_waits_for_a_process_that_is_stopped(path: Path) -> None:
    clock = VirtualClock()
    limits = Limits(max_in_flight=1)
    stopped = SharedLedger(path).begin(0.0, 256)
    with stopped:
        stopped.waiting[stopped.row], stopped.since[stopped.row], stopped.seen[stopped.row] = 1, -5.0, 0.0
    side = Side(SharedLedger(path), limits, clock)

    run(clock, side.live(10.0))
    side.gate.close()
    stopped.close()

    assert side.calls == 10
