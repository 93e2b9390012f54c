"""The lowest rows of a terminal can be kept apart from what scrolls above them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_ultra.reporting.live_status import scroll_region as region
from tests.terminal_screen import Seen

STATUS = ["first", "second"]


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen(columns=20, rows=6)
    yield seen
    seen.close()


def write(seen: Seen, text: str) -> list[str]:
    os.write(seen.descriptor, text.encode())
    return seen.look()


def begin(seen: Seen) -> None:
    write(seen, region.enter(6, 2) + region.draw(STATUS, 6))


def test_what_was_there_stays_there(seen: Seen) -> None:
    write(seen, "one\ntwo\nhalf a li")
    begin(seen)
    assert write(seen, "ne\n") == ["one", "two", "half a line", "", "first", "second"]


def test_a_full_screen_makes_room_by_scrolling(seen: Seen) -> None:
    write(seen, "one\ntwo\nthree\nfour\nfive\nhalf a li")
    begin(seen)
    assert write(seen, "ne") == ["three", "four", "five", "half a line", "first", "second"]
    assert seen.scrolled_away == ["one", "two"]


def test_output_scrolls_above_the_rows_and_none_of_it_is_lost(seen: Seen) -> None:
    begin(seen)
    lines = [f"line {number}" for number in range(20)]
    for line in lines:
        write(seen, f"{line}\n" + region.draw(STATUS, 6))
    assert seen.look() == [*lines[-3:], "", *STATUS]
    assert seen.scrolled_away == lines[:-3]


def test_rows_are_drawn_anew_in_place(seen: Seen) -> None:
    write(seen, "one\n")
    begin(seen)
    write(seen, region.draw(["3rd", "4th"], 6))
    assert write(seen, "two") == ["one", "two", "", "", "3rd", "4th"]


def test_a_row_that_is_too_long_does_not_go_on_in_the_next(seen: Seen) -> None:
    begin(seen)
    rows = write(seen, region.draw(["x" * 30, "4th"], 6) + "y" * 25)
    assert rows == ["y" * 20, "y" * 5, "", "", "x" * 20, "4th"]


def test_a_colour_under_way_above_is_neither_lost_nor_taken_over(seen: Seen) -> None:
    write(seen, "\x1b[31mred ")
    begin(seen)
    assert "\x1b[m" in seen.written.decode()
    write(seen, "still red\x1b[m")
    assert seen.look()[0] == "red still red"


def test_leaving_erases_the_rows_and_lets_the_whole_screen_scroll(seen: Seen) -> None:
    write(seen, "one\ntwo\n")
    begin(seen)
    rows = write(seen, region.leave() + "three\n")
    assert rows == ["one", "two", "three", "", "", ""]
    assert write(seen, "4\n5\n6\n7") == ["two", "three", "4", "5", "6", "7"]


@pytest.mark.parametrize(("columns", "rows"), [(20, 4), (20, 9), (12, 6), (40, 12)])
def test_after_a_change_of_size_the_rows_are_at_the_bottom_again(seen: Seen, columns: int, rows: int) -> None:
    write(seen, "one\ntwo\n")
    begin(seen)
    seen.resize(columns, rows)
    shown = write(seen, region.enter(rows, 2) + region.draw(STATUS, rows) + "three\nfour")
    assert shown[-2:] == STATUS
    assert [row for row in shown[:-2] if row][-2:] == ["three", "four"]
    assert not set(STATUS) & set(shown[:-2])
