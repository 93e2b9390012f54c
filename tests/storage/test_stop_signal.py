"""The stop signal: sent once, seen by every process of the run, and withdrawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stop_signal import is_stop_sent, send_stop, withdraw_stop


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, {}, started_at=0.0)


def test_a_stop_is_seen_until_it_is_withdrawn(run: RunDirectory) -> None:
    assert not is_stop_sent(run)
    send_stop(run)
    send_stop(run)
    assert is_stop_sent(RunDirectory.open(run.path))
    assert (run.path / "stop").is_file()
    withdraw_stop(run)
    assert not is_stop_sent(run)


def test_a_stop_that_was_never_sent_can_be_withdrawn(run: RunDirectory) -> None:
    before = set(run.path.iterdir())
    withdraw_stop(run)
    assert set(run.path.iterdir()) == before


def test_a_stop_that_cannot_be_written_raises(run: RunDirectory) -> None:
    with pytest.raises(OSError, match="No such file"):
        send_stop(RunDirectory(run.path / "missing"))
