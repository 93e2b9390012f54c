"""The live status shows all its figures in the rows and columns that it may use."""

from __future__ import annotations

import re

import pytest

from pytest_ultra.core.progress import ModelTally
from pytest_ultra.reporting.live_status import status_layout
from pytest_ultra.reporting.live_status.status_snapshot import StatusSnapshot
from tests.reporting.status_factory import TALLIED, THREE, make_shard, make_status


def draw(status: StatusSnapshot, columns: int = 80, max_rows: int = 8, *, has_colours: bool = False) -> list[str]:
    return status_layout.draw(status, columns=columns, max_rows=max_rows, has_colours=has_colours)


def test_a_few_workers_have_a_row_each() -> None:
    assert draw(THREE) == [
        "- ultra ---------------------------------------------------------------- 1:12 -",
        " all [==####--......................] 33/150 (10 reused)  ETA 2:24  22%",
        " gw0 [======######..................] 20/50  16 in flight  4 waiting",
        " gw1 [#######------.................] 13/50  20 in flight  0 waiting",
        " gw2 [..............................] 0/50  1 in flight  0 waiting",
        " 37 calls in flight, 4 waiting for limits, 13.2 calls/s, 1.2M tokens, $0.42",
    ]


def test_a_wide_terminal_also_shows_the_episode_rate() -> None:
    assert draw(THREE, columns=120)[1].endswith(" 33/150 (10 reused)  ETA 2:24  22%  33.0 episodes/min")


def test_a_run_in_one_process_has_no_worker_row() -> None:
    status = make_status(make_shard(0, worker="main", done=5, tokens=7), workers=1)
    assert draw(status)[1:] == [
        " all [###...........................] 5/50  ETA -  10%",
        " 0 calls in flight, 0 waiting for limits, 7 tokens, cost unknown",
    ]


def test_a_shard_of_unknown_size_has_no_bar() -> None:
    rows = draw(make_status(make_shard(0, planned=None, done=3), make_shard(1, planned=None), planned=50))
    assert rows[2] == " gw0  3/?  0 in flight  0 waiting"


def test_many_workers_share_rows() -> None:
    rows = draw(make_status(*(make_shard(number, done=number) for number in range(12))))
    assert rows[2:4] == [
        " gw0 0/50    gw1 1/50    gw2 2/50    gw3 3/50    gw4 4/50    gw5 5/50",
        " gw6 6/50    gw7 7/50    gw8 8/50    gw9 9/50    gw10 10/50  gw11 11/50",
    ]


def test_if_workers_do_not_fit_the_furthest_behind_are_shown() -> None:
    rows = draw(make_status(*(make_shard(number, done=50 - number) for number in range(40))), max_rows=5)
    assert re.findall(r"gw\d+", "".join(rows[2:-1])) == [f"gw{number}" for number in range(28, 40)]


def test_a_worker_that_has_not_reported_yet_has_a_row() -> None:
    assert draw(make_status(make_shard(0), workers=3, planned=150))[3:5] == [" ...", " ..."]


@pytest.mark.parametrize("max_rows", range(1, 11))
@pytest.mark.parametrize("columns", [20, 33, 50, 80, 200])
@pytest.mark.parametrize("workers", [1, 3, 12, 64])
def test_the_status_fits_into_any_terminal(max_rows: int, columns: int, workers: int) -> None:
    shards = [make_shard(number, done=12, planned=1_234, waiting=1_000) for number in range(workers)]
    rows = draw(make_status(*shards, eta_s=40_000.0), columns, max_rows)
    assert 1 <= len(rows) <= max_rows
    assert all(len(row) < columns for row in rows)
    assert any(row.startswith(" all") for row in rows)
    assert all(row.isascii() for row in rows)


def test_colours_do_not_change_the_text() -> None:
    coloured = draw(THREE, has_colours=True)
    assert "\x1b[" in coloured[1]
    assert [re.sub(r"\x1b\[[\d;]*m", "", row) for row in coloured] == draw(THREE)


def test_control_codes_in_a_worker_name_are_escaped() -> None:
    rows = draw(make_status(make_shard(0, worker="\x1b[31mgw0"), make_shard(1)))
    assert "\\x1b[31mgw0" in rows[2]


@pytest.mark.parametrize(("rows", "reserved"), [(2, 0), (3, 1), (12, 4), (24, 8), (100, 10)])
def test_most_of_a_terminal_is_left_to_pytest(rows: int, reserved: int) -> None:
    assert status_layout.row_limit(rows) == reserved


@pytest.mark.parametrize("max_rows", range(1, 9))
def test_what_the_endpoint_said_is_the_last_row_if_there_is_room(max_rows: int) -> None:
    status = make_status(make_shard(0, waiting=2, said="status 429: " + "x" * 200), make_shard(1))
    rows = draw(status, columns=60, max_rows=max_rows, has_colours=False)
    assert len(rows) <= max_rows
    assert all(len(row) < 60 for row in rows)
    assert rows[-1].startswith(" the endpoint says: status 429: xxx") == (max_rows > 2)


def test_results_so_far_and_each_models_success_have_a_row_and_the_budget_stands_beside_what_was_used() -> None:
    assert draw(TALLIED)[1:] == [
        " all [#########.....................] 33/100 (12 reported)  ETA -  33%",
        " 15 passed, 13 failed, 1 error  b 50% of 20  a 50% of 8",
        " gw0 [############..................] 20/50  0 in flight  4 waiting",
        " gw1 [#######.......................] 13/50  0 in flight  0 waiting",
        " 0 calls in flight, 3 waiting for limits, 1 to try again",
        " 900k tokens of 2.0M tokens, $0.30 of $1.50",
    ]
    assert draw(TALLIED, columns=120)[-1].endswith(" to try again, 900k tokens of 2.0M tokens, $0.30 of $1.50")
    assert not any("passed" in row for row in draw(TALLIED, max_rows=3)), "the row of the run comes first"


def test_models_with_long_names_have_a_row_of_their_own() -> None:
    tallies = tuple(ModelTally(f"provider/{name * 20}", 1, 1, 0) for name in "ab")
    rows = draw(make_status(make_shard(0, tallies=tallies)))
    assert rows[2:4] == [" 2 passed, 0 failed, 0 errors", f" provider/{'a' * 20} 100% of 1"]
