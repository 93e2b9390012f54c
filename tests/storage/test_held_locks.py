"""A look at a lock says whether a process holds it, however many look at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from pytest_ultra.storage.held_locks import is_held
from pytest_ultra.storage.round_files import RoundFiles
from tests.storage.stored_runs import make_run


def test_a_lock_is_held_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    assert not is_held(path)
    with FileLock(path):
        assert is_held(path)
        assert is_held(path), "a look changes nothing"
    path.touch()
    assert not is_held(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        is_held(tmp_path / "lock")


def test_workers_that_look_at_once_do_not_hide_that_one_is_gone(tmp_path: Path) -> None:
    files = RoundFiles(make_run(tmp_path, []))
    assert files.is_gone(0), "it never took part"
    lock = files.join(0)
    assert not files.is_gone(0)
    lock.release()
    (files._folder / "alive-0").touch()

    def look(_: int) -> bool:
        return all(files.is_gone(0) for _ in range(300))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(look, range(4)))
