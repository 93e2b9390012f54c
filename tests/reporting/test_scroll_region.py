"""The lowest rows of a terminal are reserved, while output scrolls above them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pytest_ultra.reporting.live_status import scroll_region
from tests.terminal_screen import TerminalScreen

STATUS = ["first", "second"]


@pytest.fixture
def screen() -> Iterator[TerminalScreen]:
    screen = TerminalScreen(columns=20, rows=6)
    yield screen
    screen.close()


def write(screen: TerminalScreen, text: str) -> list[str]:
    os.write(screen.descriptor, text.encode())
    return screen.look()


def reserve(screen: TerminalScreen) -> None:
    write(screen, scroll_region.reserve_rows(6, 2) + scroll_region.draw_rows(STATUS, 6))


def test_earlier_output_stays_visible(screen: TerminalScreen) -> None:
    write(screen, "one\ntwo\nhalf a li")
    reserve(screen)
    assert write(screen, "ne\n") == ["one", "two", "half a line", "", "first", "second"]


def test_a_full_screen_makes_room_by_scrolling(screen: TerminalScreen) -> None:
    write(screen, "one\ntwo\nthree\nfour\nfive\nhalf a li")
    reserve(screen)
    assert write(screen, "ne") == ["three", "four", "five", "half a line", "first", "second"]
    assert screen.scrolled_away == ["one", "two"]


def test_output_scrolls_above_the_rows_without_loss(screen: TerminalScreen) -> None:
    reserve(screen)
    lines = [f"line {number}" for number in range(20)]
    for line in lines:
        write(screen, f"{line}\n" + scroll_region.draw_rows(STATUS, 6))
    assert screen.look() == [*lines[-3:], "", *STATUS]
    assert screen.scrolled_away == lines[:-3]


def test_rows_are_redrawn_in_place(screen: TerminalScreen) -> None:
    write(screen, "one\n")
    reserve(screen)
    write(screen, scroll_region.draw_rows(["3rd", "4th"], 6))
    assert write(screen, "two") == ["one", "two", "", "", "3rd", "4th"]


def test_a_row_that_is_too_long_does_not_wrap(screen: TerminalScreen) -> None:
    reserve(screen)
    rows = write(screen, scroll_region.draw_rows(["x" * 30, "4th"], 6) + "y" * 25)
    assert rows == ["y" * 20, "y" * 5, "", "", "x" * 20, "4th"]


def test_a_colour_of_the_output_above_is_kept_and_does_not_leak_into_the_rows(screen: TerminalScreen) -> None:
    write(screen, "\x1b[31mred ")
    reserve(screen)
    assert "\x1b[m" in screen.written.decode()
    write(screen, "still red\x1b[m")
    assert screen.look()[0] == "red still red"


def test_releasing_erases_the_rows_and_lets_the_whole_screen_scroll(screen: TerminalScreen) -> None:
    write(screen, "one\ntwo\n")
    reserve(screen)
    rows = write(screen, scroll_region.release_rows() + "three\n")
    assert rows == ["one", "two", "three", "", "", ""]
    assert write(screen, "4\n5\n6\n7") == ["two", "three", "4", "5", "6", "7"]


@pytest.mark.parametrize(("columns", "rows"), [(20, 4), (20, 9), (12, 6), (40, 12)])
def test_after_a_resize_the_rows_are_at_the_bottom_again(screen: TerminalScreen, columns: int, rows: int) -> None:
    write(screen, "one\ntwo\n")
    reserve(screen)
    screen.resize(columns, rows)
    shown = write(screen, scroll_region.reserve_rows(rows, 2) + scroll_region.draw_rows(STATUS, rows) + "three\nfour")
    assert shown[-2:] == STATUS
    assert [row for row in shown[:-2] if row][-2:] == ["three", "four"]
    assert not set(STATUS) & set(shown[:-2])
