"""Stall notes: each is read once, a newer one replaces the older, and a full disk does not stop the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stall_notes import take_stall_notes, write_stall_note


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, {}, started_at=0.0)


def test_notes_are_read_once_in_the_order_of_workers(run: RunDirectory) -> None:
    before = set(run.path.iterdir())
    write_stall_note(run, "gw1", "no answer for 30 s (gw1)")
    write_stall_note(run, "gw0", "no answer for 30 s (gw0): äö")
    assert (run.path / "stall-gw0").is_file()
    assert take_stall_notes(run) == ["no answer for 30 s (gw0): äö", "no answer for 30 s (gw1)"]
    assert take_stall_notes(run) == []
    assert set(run.path.iterdir()) == before


def test_a_newer_note_replaces_the_workers_older_one(run: RunDirectory) -> None:
    write_stall_note(run, "gw0", "30 s")
    write_stall_note(run, "gw0", "60 s")
    assert take_stall_notes(run) == ["60 s"]


def test_a_note_that_cannot_be_written_is_dropped(run: RunDirectory) -> None:
    missing = RunDirectory(run.path / "missing")
    write_stall_note(missing, "gw0", "30 s")
    assert take_stall_notes(missing) == []
