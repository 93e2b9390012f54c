"""Checks before a run costs anything: its output files can be written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pytest_ultra.options.settings import Settings


def check_outputs(settings: Settings) -> None:
    """Raise `pytest.UsageError` if an output file cannot be written, or there is nothing to replay."""
    cassettes = settings.cassette_dir if settings.cassette else None
    check_cassettes = _check_not_empty if settings.cassette == "replay" else _check_folder
    checks = (
        (settings.json, "--ultra-json", _check_file),
        (settings.html, "--ultra-html", _check_file),
        (settings.markdown, "--ultra-markdown", _check_file),
        (settings.dir, "--ultra-dir", _check_folder),
        (settings.dir / "runs", "--ultra-dir", _check_folder),
        (cassettes, "--ultra-cassette-dir", check_cassettes),
    )
    for path, flag, check in checks:
        if path is not None:
            try:
                check(path)
            except ValueError as error:
                raise pytest.UsageError(f"{flag}: {error}") from None


def _check_file(path: Path) -> None:
    """Raise ValueError unless a file can be written at this path; missing folders are made when it is written."""
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder; give the path of a file")
    if path.is_char_device() or path.is_fifo():  # such as /dev/stdout: its folder need not be writable
        return
    nearest = _nearest(path.parent)
    if not nearest.is_dir():
        raise ValueError(f"{str(path)!r} cannot be written: {str(nearest)!r} is a file; give another path")
    _probe(path, nearest)


def _check_folder(path: Path) -> None:
    """Raise ValueError unless this path is a folder, or one can be created there."""
    if path.is_symlink() and not path.exists():
        raise ValueError(f"{str(path)!r} is a symbolic link to nothing; create its target, or give another path")
    nearest = _nearest(path)
    if not nearest.is_dir():
        raise ValueError(f"{str(path)!r} cannot be created: {str(nearest)!r} is a file; give the path of a folder")
    _probe(path, nearest)


def _nearest(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _check_not_empty(path: Path) -> None:
    """Raise ValueError unless this path is a folder that is not empty."""
    if not (path.is_dir() and any(path.iterdir())):
        raise ValueError(
            f"there is nothing to replay in {str(path)!r}; record first with --ultra-cassette=record, or give the "
            "folder of a recording"
        )


def _probe(wanted: Path, folder: Path) -> None:
    """Try to write, and leave nothing behind: permissions do not suffice (root, read-only mounts, /proc)."""
    try:
        if wanted.is_file():
            wanted.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(f"{str(wanted)!r} cannot be written ({error.strerror}); give another path") from None
