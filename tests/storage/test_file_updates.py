"""Updates of a run's files: what one host writes is the same on another, and nothing else can be written there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_ultra.storage.file_updates import REPLACE, FileUpdate, UnexpectedUpdateError, UpdateReader, apply_update
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.shared_disk import is_shared, write_token

LISTED = ("os.listdir", "os.scandir")


@pytest.fixture
def runs(tmp_path: Path) -> tuple[RunDirectory, RunDirectory]:
    there, here = (RunDirectory(tmp_path / name) for name in ("there", "here"))
    there.guidance.mkdir(parents=True)
    here.path.mkdir()
    return there, here


def send(reader: UpdateReader, here: RunDirectory) -> list[str]:
    updates = list(reader.read())
    for update in updates:
        apply_update(here, update)
    return [name for name, _, _ in updates]


def test_files_grow_and_are_replaced_as_on_the_workers_host(runs: tuple[RunDirectory, RunDirectory]) -> None:
    there, here = runs
    reader = UpdateReader(there, "gw1")
    (there.path / "journal-gw1.jsonl").write_bytes(b"a" * 200_000 + b"\n")
    (there.path / "journal-gw2.jsonl").write_bytes(b"of another worker\n")
    (there.path / "progress-1.json").write_text("1")
    (there.guidance / "ab-cd.json").write_text("{}")
    assert set(send(reader, here)) == {"journal-gw1.jsonl", "progress-1.json", "guidance/ab-cd.json"}
    assert send(reader, here) == []
    with (there.path / "journal-gw1.jsonl").open("ab") as file:
        file.write(b"second line\nhalf of the thi")
    (there.path / "progress-1.json").write_text("22")
    assert send(reader, here) == ["journal-gw1.jsonl", "progress-1.json"]
    for name in ("journal-gw1.jsonl", "progress-1.json", "guidance/ab-cd.json"):
        assert (here.path / name).read_bytes() == (there.path / name).read_bytes()
    assert not (here.path / "journal-gw2.jsonl").exists()


def test_a_look_at_thousands_of_workflows_that_are_all_sent_opens_no_folder_of_them(
    runs: tuple[RunDirectory, RunDirectory],
) -> None:
    there, here = runs
    reader = UpdateReader(there, "gw1")
    (there.guidance / "ab-cd.json").write_text("{}")
    assert send(reader, here) == ["guidance/ab-cd.json"]
    (there.guidance / "ef-01.json").write_text("{}")  # perhaps within the same tick
    assert send(reader, here) == ["guidance/ef-01.json"]
    os.utime(there.guidance, (1, 1))
    assert send(reader, here) == []
    opened: list[str] = []
    is_watched = True
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if is_watched and event in LISTED else None)
    assert send(reader, here) == []
    assert list(reader.read_growth()) == []
    is_watched = False
    assert str(there.guidance) not in opened
    (there.guidance / "ef-02.json").write_text("{}")
    assert send(reader, here) == ["guidance/ef-02.json"]


@pytest.mark.parametrize(
    "update",
    [
        ("run.json", REPLACE, b""),
        ("../journal-gw1.jsonl", 0, b""),
        ("journal-../../x.jsonl", 0, b""),
        ("/tmp/progress-1.json", REPLACE, b""),  # noqa: S108 - it is refused
        ("guidance/../run.json", REPLACE, b""),
        ("journal-gw1.jsonl", 5, b"behind a gap"),
        ("journal-gw1.jsonl", REPLACE, b""),
    ],
)
def test_any_other_update_is_refused(runs: tuple[RunDirectory, RunDirectory], update: FileUpdate) -> None:
    with pytest.raises(UnexpectedUpdateError):
        apply_update(runs[1], update)


def test_only_the_token_of_this_host_in_this_folder_means_a_shared_disk(
    runs: tuple[RunDirectory, RunDirectory],
) -> None:
    there, here = runs
    token = write_token(here)
    assert is_shared(here.path, token)
    assert not is_shared(there.path, token)
    assert not is_shared(here.path, f"other-{token}")
    write_token(here)
    assert not is_shared(here.path, token)
