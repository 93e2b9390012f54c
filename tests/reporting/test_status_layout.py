"""The status of a run on a few rows of a terminal: everything that is asked for, in the room that there is."""

from __future__ import annotations

import re

import pytest

from pytest_ultra.reporting.live_status import status_layout as picture
from pytest_ultra.reporting.live_status.run_status_record import Status
from tests.reporting.statuses import THREE, make_shard, make_status


def draw(status: Status, columns: int = 80, most_rows: int = 8, *, has_colours: bool = False) -> list[str]:
    return picture.draw(status, columns=columns, most_rows=most_rows, has_colours=has_colours)


def test_a_few_workers_have_a_row_each() -> None:
    assert draw(THREE) == [
        "- ultra ---------------------------------------------------------------- 1:12 -",
        " all [==####--......................] 33/150 (10 reused)  ETA 2:24  22%",
        " gw0 [======######..................] 20/50  16 in flight  4 waiting",
        " gw1 [#######------.................] 13/50  20 in flight  0 waiting",
        " gw2 [..............................] 0/50  1 in flight  0 waiting",
        " 37 calls in flight, 4 waiting for limits, 13.2 calls/s, 1.2M tokens, $0.42",
    ]


def test_there_is_room_for_more_on_a_wide_terminal() -> None:
    assert draw(THREE, columns=120)[1].endswith(" 33/150 (10 reused)  ETA 2:24  22%  33.0 episodes/min")


def test_a_run_in_one_process_has_no_row_of_a_worker() -> None:
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


def test_of_too_many_workers_those_are_shown_that_are_most_behind() -> None:
    rows = draw(make_status(*(make_shard(number, done=50 - number) for number in range(40))), most_rows=5)
    assert re.findall(r"gw\d+", "".join(rows[2:-1])) == [f"gw{number}" for number in range(28, 40)]


def test_workers_that_have_told_nothing_yet_have_their_place() -> None:
    assert draw(make_status(make_shard(0), workers=3, planned=150))[3:5] == [" ...", " ..."]


@pytest.mark.parametrize("most_rows", range(1, 11))
@pytest.mark.parametrize("columns", [20, 33, 50, 80, 200])
@pytest.mark.parametrize("workers", [1, 3, 12, 64])
def test_it_fits(most_rows: int, columns: int, workers: int) -> None:
    shards = [make_shard(number, done=12, planned=1_234, waiting=1_000) for number in range(workers)]
    rows = draw(make_status(*shards, eta_s=40_000.0), columns, most_rows)
    assert 1 <= len(rows) <= most_rows
    assert all(len(row) < columns for row in rows)
    assert any(row.startswith(" all") for row in rows)
    assert all(row.isascii() for row in rows)


def test_colours_change_nothing_but_colours() -> None:
    coloured = draw(THREE, has_colours=True)
    assert "\x1b[" in coloured[1]
    assert [re.sub(r"\x1b\[[\d;]*m", "", row) for row in coloured] == draw(THREE)


def test_a_workers_name_is_made_harmless() -> None:
    rows = draw(make_status(make_shard(0, worker="\x1b[31mgw0"), make_shard(1)))
    assert "\\x1b[31mgw0" in rows[2]


@pytest.mark.parametrize(("rows", "ours"), [(2, 0), (3, 1), (12, 4), (24, 8), (100, 10)])
def test_most_of_a_terminal_is_left_to_pytest(rows: int, ours: int) -> None:
    assert picture.rows_for(rows) == ours
