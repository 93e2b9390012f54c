"""Displays put the status where it belongs, and leave the terminal as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec
import pytest

from pytest_ultra.reporting.live_status.displays import Log, Screen
from pytest_ultra.reporting.live_status.terminal_device import Terminal
from tests.reporting.statuses import THREE
from tests.terminal_screen import Seen


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    yield seen
    seen.close()


@pytest.fixture
def screen(seen: Seen) -> Iterator[Screen]:
    terminal = Terminal(seen.descriptor)
    yield Screen(terminal, has_colours=False)
    terminal.close()


def test_a_screen_keeps_its_rows_while_others_write(seen: Seen, screen: Screen) -> None:
    screen.show(THREE)
    for number in range(50):
        os.write(seen.descriptor, f"line {number}\n".encode())
        seen.look()  # a terminal that nobody reads takes no more after a while
        screen.show(THREE)
    rows = seen.look()
    assert rows[16:18] == ["line 49", ""]
    assert rows[18].startswith("- ultra -")
    assert rows[-1].startswith(" 37 calls in flight")
    screen.close()
    assert seen.look()[16:] == ["line 49"] + [""] * 7


@pytest.mark.parametrize(("columns", "height"), [(60, 12), (100, 40), (80, 9), (30, 6)])
def test_a_screen_follows_a_change_of_size(seen: Seen, screen: Screen, columns: int, height: int) -> None:
    os.write(seen.descriptor, b"before\n")
    screen.show(THREE)
    seen.resize(columns, height)
    screen.adapt()
    os.write(seen.descriptor, b"after\n")
    rows = seen.look()
    assert [row for row in rows if row in ("before", "after")][-1] == "after"
    assert len([row for row in rows if row.startswith(" all")]) == 1
    assert "in flight" in rows[-1]


def test_nothing_is_written_while_nothing_changes(seen: Seen, screen: Screen) -> None:
    screen.adapt()
    assert not seen.written
    screen.show(THREE)
    seen.look()
    written = seen.written
    screen.adapt()
    seen.look()
    assert seen.written == written


@pytest.mark.parametrize(("columns", "height"), [(19, 24), (80, 2)])
def test_a_screen_that_gets_too_small_is_left_alone(seen: Seen, screen: Screen, columns: int, height: int) -> None:
    screen.show(THREE)
    seen.resize(columns, height)
    screen.adapt()
    os.write(seen.descriptor, b"\nalone")
    assert seen.look()[-1] in ("", "alone")
    assert not [row for row in seen.look() if "all [" in row]


def test_a_terminal_that_is_gone_is_no_error(seen: Seen) -> None:
    reading, writing = os.pipe()
    terminal = Terminal(writing)
    os.close(reading)
    os.close(writing)
    screen = Screen(terminal, has_colours=False)
    screen.show(THREE)
    terminal.write("into a closed pipe")
    screen.close()
    terminal.close()
    terminal.write("into nothing")
    assert terminal.size() is None
    assert not seen.written


def test_a_log_gets_a_line_when_it_is_due() -> None:
    said: list[str] = []
    log = Log(said.append, interval_s=30)
    for elapsed_s in (1, 29, 31, 32, 60, 62, 92, 200):
        log.show(msgspec.structs.replace(THREE, elapsed_s=float(elapsed_s)))
        log.adapt()
    log.close()
    assert len(said) == 4
    assert all(line.startswith("ultra: 33/150 done") for line in said)
