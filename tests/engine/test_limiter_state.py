"""The limiter state that processes of an endpoint share, and what remains of it when they end."""

from __future__ import annotations

import asyncio
import math
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_ultra.engine.budget import BudgetLimits
from pytest_ultra.engine.endpoint_limiter import EndpointLimiter, Permit
from pytest_ultra.engine.limiter import open_limiter
from pytest_ultra.engine.limiter_state import PROCESSES, SIZE, LimiterState
from pytest_ultra.engine.limits import Limits
from tests.engine.engine_fakes import DONE, VirtualClock, run
from tests.fuzzing import fuzz

pytest.importorskip("fcntl", reason="limits are shared on POSIX only")
resource = pytest.importorskip("resource")

from pytest_ultra.engine.shared_budget import SharedBudget  # noqa: E402 - POSIX only
from pytest_ultra.engine.shared_limiter_state import SharedLimiterState, shared_folder  # noqa: E402 - POSIX only


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "name"


@pytest.fixture
def pair(path: Path) -> Iterator[tuple[SharedLimiterState, SharedLimiterState]]:
    """Two states on one file: the kernel treats a file that is opened twice like two processes."""
    states = SharedLimiterState(path).start(100.0, 256), SharedLimiterState(path).start(100.0, 256)
    yield states
    for state in states:
        state.close()


def test_processes_read_what_others_write(pair: tuple[SharedLimiterState, SharedLimiterState]) -> None:
    mine, yours = pair
    with mine as endpoint:
        endpoint.requests_due, endpoint.consecutive_429s, endpoint.is_rejecting = 200.5, 3, True
        mine.in_flight[mine.row] = 7

    with yours as endpoint:
        assert (endpoint.requests_due, endpoint.consecutive_429s, endpoint.is_rejecting) == (200.5, 3, True)
        assert endpoint.rows_used == 2
        assert list(yours.in_flight[: endpoint.rows_used]) == [7, 0]
    assert (mine.row, yours.row) == (0, 1)


def test_slots_of_running_processes_are_not_reclaimed(pair: tuple[SharedLimiterState, SharedLimiterState]) -> None:
    mine, yours = pair
    with mine:
        mine.in_flight[mine.row] = 7
    with yours:
        assert not yours.reclaim_dead_slots()
        assert yours.in_flight[mine.row] == 7


def test_pace_and_pause_are_kept_for_the_next_run_and_the_adaptive_limit_is_not(path: Path) -> None:
    first = SharedLimiterState(path).start(100.0, 256)
    with first as endpoint:
        endpoint.requests_due, endpoint.tokens_due, endpoint.paused_until = 150.0, 160.0, 170.0
        endpoint.window, endpoint.first_429_at, endpoint.is_rejecting = 3.0, 100.0, True
    first.close()

    second = SharedLimiterState(path).start(110.0, 256)
    with second as endpoint:
        assert (endpoint.requests_due, endpoint.tokens_due, endpoint.paused_until) == (150, 160, 170)
        assert (endpoint.window, endpoint.first_429_at, endpoint.is_rejecting) == (256, 0, False)
    second.close()


def test_a_second_run_shares_the_adaptive_limit_of_the_first(path: Path) -> None:
    first = SharedLimiterState(path).start(100.0, 256)
    with first as endpoint:
        endpoint.window = 3.0
    second = SharedLimiterState(path).start(110.0, 256)
    with second as endpoint:
        assert endpoint.window == 3
    first.close()
    second.close()


def test_after_a_reboot_the_clock_and_the_pace_start_again(path: Path) -> None:
    before = SharedLimiterState(path).start(50_000.0, 256)
    with before as endpoint:
        endpoint.requests_due = endpoint.paused_until = 50_500.0
    before.close()

    after = SharedLimiterState(path).start(20.0, 256)
    with after as endpoint:
        assert (endpoint.requests_due, endpoint.tokens_due, endpoint.paused_until) == (20, 20, 0)
    after.close()


def test_the_last_process_removes_files_that_are_no_longer_needed(path: Path) -> None:
    SharedLimiterState(path).start(100.0, 256).close()
    assert list(path.parent.iterdir()) == []


def test_a_pace_that_still_applies_is_kept_for_the_next_run(path: Path) -> None:
    state = SharedLimiterState(path).start(100.0, 256)
    with state as endpoint:
        endpoint.requests_due = 106.0
    state.close()
    assert path.parent / "name.1" in path.parent.iterdir()


def test_row_files_of_earlier_runs_are_removed_as_well(path: Path) -> None:
    (path.parent / "name.1.7").touch()
    SharedLimiterState(path).start(100.0, 256).close()
    assert list(path.parent.iterdir()) == []


def test_only_the_user_can_read_the_files(path: Path) -> None:
    state = SharedLimiterState(path).start(100.0, 256)
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    state.close()


def test_as_many_processes_can_share_as_there_are_rows(path: Path) -> None:
    states = [SharedLimiterState(path).start(100.0, 256) for _ in range(PROCESSES)]
    with pytest.raises(OSError, match=f"{PROCESSES} processes share it already"):
        SharedLimiterState(path)
    for state in states:
        state.close()
    assert list(path.parent.iterdir()) == []


def test_only_the_user_can_read_the_folder(tmp_path: Path) -> None:
    folder = shared_folder([tmp_path / "missing", tmp_path])
    assert folder == tmp_path / f"pytest-ultra-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert shared_folder([tmp_path]) == folder


def test_a_folder_that_others_can_write_to_or_that_is_a_link_is_rejected(tmp_path: Path) -> None:
    folder = shared_folder([tmp_path])
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="not owned by the user alone"):
        shared_folder([tmp_path])
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="not owned by the user alone"):
        shared_folder([tmp_path])


def test_without_a_shared_folder_the_limiter_is_unshared_and_gives_the_reason(tmp_path: Path) -> None:
    limiter, problem = open_limiter({"m": ["name"]}, Limits(), folder=tmp_path / "missing")
    assert "No such file or directory" in str(problem)
    limiter.close()


@pytest.mark.parametrize("room", [0, 1000])
def test_a_full_disk_leaves_the_limiter_unshared(tmp_path: Path, room: int) -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))
    try:
        limiter, problem = open_limiter({"m": ["name"]}, Limits(), folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    limiter.close()
    assert str(problem).startswith("limits hold for each worker by itself, not for all together ([Errno 2")


def test_where_the_first_place_is_absent_the_next_one_is_used_and_named(tmp_path: Path) -> None:
    limiter, problem = open_limiter({"m": ["name"]}, Limits(), roots=[tmp_path / "missing", tmp_path])
    assert (tmp_path / f"pytest-ultra-{os.getuid()}" / "name.1").exists()
    limiter.close()
    assert str(problem).startswith(f"limits are shared in {tmp_path}/pytest-ultra-")
    assert "No such file or directory" in str(problem)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory without room for another page."""
    place = tmp_path / "full"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 - our own command
        pytest.skip("needs the right to mount a file system")
    (place / "filler").write_bytes(bytes(4096))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607 - our own command


def test_where_the_first_place_is_full_the_next_one_is_used_and_named(tmp_path: Path, full_disk: Path) -> None:
    limiter, problem = open_limiter({"m": ["name"]}, Limits(), roots=[full_disk, tmp_path])
    assert (tmp_path / f"pytest-ultra-{os.getuid()}" / "name.1").exists()
    limiter.close()
    assert "No space left on device" in str(problem)


def test_a_budget_on_a_full_disk_is_an_error_and_does_not_kill_the_process(full_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        SharedBudget(full_disk / "budget", BudgetLimits(requests=1))


def test_a_truncated_file_is_extended(path: Path) -> None:
    path.with_name("name.1").write_bytes(b"\0" * 10)
    state = SharedLimiterState(path).start(100.0, 256)
    with state as endpoint:
        assert endpoint.window == 256
    state.close()


def test_a_new_run_keeps_a_short_pause_and_probes_a_long_one(path: Path) -> None:
    first = SharedLimiterState(path).start(100.0, 256)
    with first as endpoint:
        endpoint.paused_until = 160.0
    first.close()

    for now, expected in ((135.0, (160.0, False)), (129.0, (0.0, True))):
        later = SharedLimiterState(path).start(now, 256, 30.0)
        with later as endpoint:
            assert (endpoint.paused_until, endpoint.is_probing) == expected
            endpoint.written_at = 100.0
        later.close()


def test_a_pace_or_pause_of_an_earlier_run_lasts_at_most_a_day(path: Path) -> None:
    first = SharedLimiterState(path).start(100.0, 256)
    with first as endpoint:
        endpoint.paused_until = endpoint.requests_due = endpoint.tokens_due = 100.0 + 1.9 * 86_400
    first.close()
    second = SharedLimiterState(path).start(100.0, 256)
    with second as endpoint:
        assert endpoint.paused_until == endpoint.requests_due == endpoint.tokens_due == 100.0 + 86_400
    second.close()


FIELDS: dict[str, list[float]] = {
    "written_at": [math.nan, math.inf, -1.0],
    "requests_due": [math.nan, 1e10, -1.0],
    "tokens_due": [math.nan, 1e308, -math.inf],
    "paused_until": [math.nan, 1e10],
    "window": [math.nan, math.inf, 0.0],
    "decreased_at": [math.nan, 1e10],
    "error_rate": [math.nan, 2.0, -0.5],
    "first_429_at": [math.nan, 1e10],
    "consecutive_429s": [2**32 - 1],
    "rows_used": [PROCESSES + 1, 2**32 - 1],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in FIELDS.items() for value in values])
def test_a_value_that_cannot_be_ours_resets_the_state(
    pair: tuple[SharedLimiterState, SharedLimiterState], field: str, value: float
) -> None:
    mine, yours = pair
    with mine as endpoint:
        setattr(endpoint, field, value)
        mine.in_flight[mine.row] = 7
    with yours as endpoint:
        assert (endpoint.window, endpoint.paused_until, endpoint.rows_used) == (256, 0, PROCESSES)
        assert mine.in_flight[mine.row] == 0
    assert len(list(mine._path.parent.iterdir())) == 3, "the state, and a row file for each process"


def test_calls_in_flight_that_no_process_can_have_are_reclaimed(
    pair: tuple[SharedLimiterState, SharedLimiterState],
) -> None:
    mine, yours = pair
    with mine:
        mine.in_flight[mine.row] = mine.in_flight[yours.row] = 0xFFFFFFFF
        assert mine.reclaim_dead_slots()
        assert sum(mine.in_flight) == 0


@fuzz(60)
@given(
    st.one_of(
        st.binary(max_size=2 * SIZE),
        st.sampled_from([b"\xff", b"\x7f", b"\x01"]).map(lambda byte: byte * SIZE),
        st.binary(min_size=74, max_size=74).map(lambda head: head + bytes(SIZE)),
        st.builds(
            lambda floats, rows: struct.pack("<8d2I", *floats, 0, rows) + b"\x01" * SIZE,
            st.lists(st.floats(), min_size=8, max_size=8),
            st.integers(0, 2**32 - 1),
        ),
    )
)
@example(struct.pack("<2d", 1e282, 1e113))
@example(struct.pack("<4d", 1e9, 1e9, 1e9, 1e9))
def test_a_state_file_of_any_bytes_neither_fails_nor_blocks_nor_multiplies(content: bytes) -> None:
    """Also when the bytes come while two processes use the file. Waits of up to two days are ours: too many polls."""
    assume(not any(1000 < time < 200_000 for time in struct.unpack_from("<4d", content.ljust(32, b"\0"))))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "name.1"
        path.write_bytes(content)
        clock = VirtualClock()
        clock.seconds = 500.0
        limits = Limits(max_in_flight=5, rpm=600.0, tpm=60_000.0)
        processes = [Process(SharedLimiterState(path.with_name("name")), limits, clock) for _ in range(2)]

        async def work() -> None:
            await asyncio.gather(*(each.run_case(clock.now() + 10) for each in processes))
            with path.open("r+b") as file:
                file.write(content[:SIZE])
            await asyncio.gather(*(each.run_case(clock.now() + 10) for each in processes))

        run(clock, work())
        assert {file.name for file in path.parent.iterdir()} <= {"name.1", "name.1.0", "name.1.1"}
        for process in processes:
            process.limiter.close()
        assert all(process.calls >= 10 for process in processes)


def test_numbers_of_calls_that_running_processes_do_not_have_are_corrected(path: Path) -> None:
    clock = VirtualClock()
    states, processes = [], []
    for _ in range(2):
        states.append(SharedLimiterState(path))
        processes.append(Process(states[-1], Limits(max_in_flight=5), clock))

    async def work() -> None:
        async with asyncio.timeout(60.0), asyncio.TaskGroup() as group:
            for process in processes:
                group.create_task(process.run_case(20.0))
            await asyncio.sleep(10.5)
            with states[0]:
                for state in states:
                    states[0].in_flight[state.row] = 1000

    run(clock, work())
    assert all(process.calls >= 20 for process in processes)
    for process in processes:
        process.limiter.close()


@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a link", "of another user"])
def test_a_state_that_is_no_file_of_the_user_leaves_the_limiter_unshared(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "name.1"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a link":
        path.symlink_to(tmp_path / "elsewhere")
    elif os.getuid() == 0:
        path.touch()
        os.chown(path, 12345, 12345)
    else:
        pytest.skip("only root can make a file of another user")
    limiter, problem = open_limiter({"m": ["name"]}, Limits(), folder=tmp_path)
    limiter.close()
    assert problem is not None
    assert str(path) in problem
    assert not (tmp_path / "elsewhere").exists()


def test_a_row_file_that_is_a_link_is_not_followed(path: Path) -> None:
    (path.parent / "name.1.0").symlink_to(path.parent / "elsewhere")
    limiter, problem = open_limiter({"m": ["name"]}, Limits(), folder=path.parent)
    limiter.close()
    assert "name.1.0" in str(problem)
    assert not (path.parent / "elsewhere").exists()


class Process:
    """One of two processes that call the same endpoint."""

    def __init__(self, state: LimiterState, limits: Limits, clock: VirtualClock) -> None:
        self.limiter = EndpointLimiter(state.start(clock.now(), 256), limits, clock)
        self.clock = clock
        self.calls = 0
        self.in_flight = 0

    async def run_case(self, until: float) -> None:
        while self.clock.now() < until:
            permit = await self.limiter.acquire("m")
            assert isinstance(permit, Permit)
            self.calls += 1
            self.in_flight += 1
            await asyncio.sleep(1.0)
            self.in_flight -= 1
            self.limiter.release(permit, DONE)


@pytest.mark.parametrize("in_flight", [1, 5, 40])
@pytest.mark.parametrize("cases", [(50, 50), (90, 10)])
def test_no_process_starves_and_all_cases_wait_equally_long(path: Path, in_flight: int, cases: tuple[int, int]) -> None:
    clock = VirtualClock()
    processes = [Process(SharedLimiterState(path), Limits(max_in_flight=in_flight), clock) for _ in range(2)]

    async def work() -> None:
        counts = zip(processes, cases, strict=True)
        await asyncio.gather(*(process.run_case(120.0) for process, count in counts for _ in range(count)))

    run(clock, work())
    for process in processes:
        process.limiter.close()

    calls = [process.calls for process in processes]
    assert sum(calls) >= 0.9 * in_flight * 120, "slots are not idle"
    assert calls[0] / cases[0] == pytest.approx(calls[1] / cases[1], rel=0.25)


def test_a_stopped_process_does_not_block_others(path: Path) -> None:
    clock = VirtualClock()
    limits = Limits(max_in_flight=1)
    stopped = SharedLimiterState(path).start(0.0, 256)
    with stopped:
        stopped.waiting[stopped.row], stopped.waiting_since[stopped.row], stopped.checked_at[stopped.row] = 1, -5.0, 0.0
    process = Process(SharedLimiterState(path), limits, clock)

    run(clock, process.run_case(10.0))
    process.limiter.close()
    stopped.close()

    assert process.calls == 10
