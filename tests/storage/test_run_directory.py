"""Run directories: creation, names, and errors."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.run_directory import RunDirectory

NOON = 1_700_000_000.25


def test_a_run_describes_itself(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "kept", {"options": {"seed": 3}}, started_at=NOON)
    assert run.path.parent == tmp_path / "kept" / "runs"
    assert RunDirectory.open(run.path).describe() == {
        "schema_version": 1,
        "run_id": "20231114T221320.250000Z",
        "started_at": "2023-11-14T22:13:20.250000+00:00",
        "options": {"seed": 3},
    }


def test_a_run_names_its_guidance_and_its_budget(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "20231114T221320.250000Z")
    assert (run.guidance, run.budget) == (run.path / "guidance", run.path / "budget")


def test_run_ids_sort_by_time_even_within_a_second(tmp_path: Path) -> None:
    moments = [*[NOON] * 12, NOON + 0.001, NOON + 1, NOON + 86_400 * 400]
    ids = [RunDirectory.create(tmp_path, {}, started_at=moment).run_id for moment in moments]
    assert ids == sorted(set(ids))


def test_runs_that_start_together_get_separate_directories(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: RunDirectory.create(tmp_path, {}, started_at=NOON), range(40)))
    assert len({run.path for run in runs}) == 40


def test_git_ignores_the_directory(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, {}, started_at=NOON)
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def test_the_users_gitignore_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("runs/\n")
    RunDirectory.create(tmp_path, {}, started_at=NOON)
    assert (tmp_path / ".gitignore").read_text() == "runs/\n"


def test_an_unwritable_directory_is_named_with_the_reason_and_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    root = tmp_path / "file" / "ultra"
    message = f"--ultra-dir: cannot write to '{root}/runs' (not a directory); name a directory that can be written"
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        RunDirectory.create(root, {}, started_at=NOON)


def test_a_root_in_which_files_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").symlink_to("missing/elsewhere")
    with pytest.raises(ConfigurationError, match=r"^--ultra-dir: cannot write to .*No such file.*name a directory"):
        RunDirectory.create(tmp_path, {}, started_at=NOON)


def test_opening_a_directory_without_a_run_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"holds no run: it has no run.json; name a directory under runs/"):
        RunDirectory.open(tmp_path)


def test_a_run_with_a_newer_schema_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(ConfigurationError, match=r"newer pytest-ultra \(schema 99, this one reads up to 1\); upgrade"):
        RunDirectory.open(tmp_path).describe()
