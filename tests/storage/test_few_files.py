"""A process that can open no more files reads no directory: that is an error or no news, but never an empty run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ultra.storage.run_directory import RunDirectory

WITHOUT_FILES = """
import resource, sys
from contextlib import suppress
from pathlib import Path
from pytest_ultra.storage.journal import has_journals
from pytest_ultra.storage.progress_files import clear_progress, read_progress
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.stall_notes import take_stall_notes
from pytest_ultra.storage.stored_files import find_stored

root = Path(sys.argv[1])
run = RunDirectory(next((root / "runs").iterdir()))
find = lambda: find_stored(run.path, "journal-*.jsonl")
read = {"progress": lambda: read_progress(run), "clear": lambda: clear_progress(run), "find": find,
        "stall": lambda: take_stall_notes(run), "journals": lambda: has_journals(run), "runs": lambda: list_runs(root)}
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
taken = []
with suppress(OSError):
    while True:
        taken.append(open("/dev/null"))
try:
    result = repr(read[sys.argv[2]]())
except OSError as error:
    result = error.strerror
print(result)
"""


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        ("progress", "()"),
        ("clear", "None"),
        ("stall", "[]"),
        ("journals", "Too many open files"),
        ("find", "Too many open files"),
        ("runs", "Too many open files"),
    ],
)
def test_a_directory_that_cannot_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path, reader: str, expected: str
) -> None:
    run = RunDirectory.create(tmp_path, {}, started_at=0.0)
    (run.path / "journal-main.jsonl").touch()
    command = [sys.executable, "-c", WITHOUT_FILES, str(tmp_path), reader]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own program
    assert done.stdout.strip() == expected
