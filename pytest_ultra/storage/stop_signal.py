"""The stop signal of a run: a file that asks all workers to stop at once."""

from __future__ import annotations

from pathlib import Path

from pytest_ultra.storage.run_directory import RunDirectory


def send_stop(run: RunDirectory) -> None:
    """Ask all workers of the run to stop; raise OSError if the file cannot be written."""
    _stop_path(run).touch()


def withdraw_stop(run: RunDirectory) -> None:
    """Remove the signal, once all workers have exited."""
    _stop_path(run).unlink(missing_ok=True)


def is_stop_sent(run: RunDirectory) -> bool:
    return _stop_path(run).exists()


def _stop_path(run: RunDirectory) -> Path:
    return run.path / "stop"
