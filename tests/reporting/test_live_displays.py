"""Each display shows the status in its place, and restores the terminal when it is closed."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec
import pytest

from pytest_ultra.reporting.live_status.displays import LogDisplay, ScreenDisplay
from pytest_ultra.reporting.live_status.terminal_device import Terminal
from tests.reporting.status_factory import THREE
from tests.terminal_screen import TerminalScreen


@pytest.fixture
def screen() -> Iterator[TerminalScreen]:
    screen = TerminalScreen()
    yield screen
    screen.close()


@pytest.fixture
def display(screen: TerminalScreen) -> Iterator[ScreenDisplay]:
    terminal = Terminal(screen.descriptor)
    yield ScreenDisplay(terminal, has_colours=False)
    terminal.close()


def test_a_screen_display_keeps_its_rows_while_others_write(screen: TerminalScreen, display: ScreenDisplay) -> None:
    display.show(THREE)
    for number in range(50):
        os.write(screen.descriptor, f"line {number}\n".encode())
        screen.look()  # empties the pseudo-terminal's buffer, which would fill up
        display.show(THREE)
    rows = screen.look()
    assert rows[16:18] == ["line 49", ""]
    assert rows[18].startswith("- ultra -")
    assert rows[-1].startswith(" 37 calls in flight")
    display.close()
    assert screen.look()[16:] == ["line 49"] + [""] * 7


@pytest.mark.parametrize(("columns", "height"), [(60, 12), (100, 40), (80, 9), (30, 6)])
def test_a_screen_display_follows_a_resize(
    screen: TerminalScreen, display: ScreenDisplay, columns: int, height: int
) -> None:
    os.write(screen.descriptor, b"before\n")
    display.show(THREE)
    screen.resize(columns, height)
    display.redraw_if_resized()
    os.write(screen.descriptor, b"after\n")
    rows = screen.look()
    assert [row for row in rows if row in ("before", "after")][-1] == "after"
    assert len([row for row in rows if row.startswith(" all")]) == 1
    assert "in flight" in rows[-1]


def test_nothing_is_written_while_nothing_changes(screen: TerminalScreen, display: ScreenDisplay) -> None:
    display.redraw_if_resized()
    assert not screen.written
    display.show(THREE)
    screen.look()
    written = screen.written
    display.redraw_if_resized()
    screen.look()
    assert screen.written == written


@pytest.mark.parametrize(("columns", "height"), [(19, 24), (80, 2)])
def test_a_screen_that_becomes_too_small_shows_no_status(
    screen: TerminalScreen, display: ScreenDisplay, columns: int, height: int
) -> None:
    display.show(THREE)
    screen.resize(columns, height)
    display.redraw_if_resized()
    os.write(screen.descriptor, b"\nalone")
    assert screen.look()[-1] in ("", "alone")
    assert not [row for row in screen.look() if "all [" in row]


def test_writing_to_a_closed_terminal_is_no_error(screen: TerminalScreen) -> None:
    reading, writing = os.pipe()
    terminal = Terminal(writing)
    os.close(reading)
    os.close(writing)
    display = ScreenDisplay(terminal, has_colours=False)
    display.show(THREE)
    terminal.write("into a closed pipe")
    display.close()
    terminal.close()
    terminal.write("into nothing")
    assert terminal.size() is None
    assert not screen.written


def test_a_log_display_writes_a_line_when_it_is_due() -> None:
    lines: list[str] = []
    log = LogDisplay(lines.append, interval_s=30)
    for elapsed_s in (1, 29, 31, 32, 60, 62, 92, 200):
        log.show(msgspec.structs.replace(THREE, elapsed_s=float(elapsed_s)))
        log.redraw_if_resized()
    log.close()
    assert len(lines) == 4
    assert all(line.startswith("ultra: 33/150 done") for line in lines)
