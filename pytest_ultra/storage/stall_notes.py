"""Stall notes: files in which workers report a stall, for the first process to read and print."""

from __future__ import annotations

from contextlib import suppress

from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import list_files

_PREFIX = "stall-"


def write_stall_note(run: RunDirectory, worker: str, text: str) -> None:
    """Write or replace the worker's note; on a full disk the note is lost and the run continues."""
    with suppress(OSError):
        write_atomically(run.path / f"{_PREFIX}{worker}", text.encode(), is_durable=False)


def take_stall_notes(run: RunDirectory) -> list[str]:
    """Return the notes written since the last call, in the order of the workers' names, and remove them."""
    notes: list[str] = []
    with suppress(OSError):
        for path in list_files(run.path, f"{_PREFIX}*"):
            notes.append(path.read_text(encoding="utf-8", errors="replace"))
            path.unlink()
    return notes
