"""Stored files that a damaged disk or a stranger has written: each is one sentence, or one episode's error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.episode_index import index_episodes
from pytest_ultra.storage.journal import encode_line, read_episodes
from pytest_ultra.storage.results import read_results
from pytest_ultra.storage.reuse import find_reuse, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.run_status import is_locked, read_interruption, read_run_end
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from pytest_ultra.storage.stored_files import MOST_LINES_BYTES, StoredLine, UnsafeFileError, read_lines
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import make_run

GOOD, OTHER = make_episode(make_case()), make_episode(make_case(PromptType.COT))
OTHER_LINE = encode_line(OTHER, 1)

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nested": lambda line: line.replace(b'"transcript":[', b'"transcript":[' + b"[" * 5000),
    "nested-elsewhere": lambda line: line.replace(b"{", b'{"other":' + b'{"a":' * 5000, 1),
    "infinite-usage": lambda line: line.replace(b'"prompt_tokens":4000', b'"prompt_tokens":1e308'),
    "huge-usage": lambda line: line.replace(b'"prompt_tokens":4000', b'"prompt_tokens":1' + b"0" * 400),
    "huge-time": lambda line: line.replace(b'"model_time_s":4.2', b'"model_time_s":1e308'),
    "far-future": lambda line: line.replace(b'"started_at":1700000000.0', b'"started_at":1e300'),
    "surrogate": lambda line: line.replace(b'"worker":"gw0"', b'"worker":"\\ud800"'),
    "not-utf-8": lambda line: line.replace(b'"worker":"gw0"', b'"worker":"\xff"'),
    "truncated": lambda line: line[: len(line) // 2] + b"\n",
    "zeros": lambda line: b"\0" * len(line) + b"\n",
    "no-object": lambda _: b"[1, 2]\n",
}  # fmt: skip


def run_with(root: Path, content: bytes, *planned: Episode) -> RunDirectory:
    run = make_run(root, [], planned=[episode.case for episode in planned], run_end=None)
    (run.path / "journal-gw0.jsonl").write_bytes(content)
    return run


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_line_costs_only_its_own_episode(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    damaged = damage(OTHER_LINE)
    assert damaged != OTHER_LINE
    run = run_with(tmp_path, damaged + encode_line(GOOD, 0), GOOD, OTHER)
    contents = read_episodes(run)
    assert contents.episodes == (GOOD,)
    (line,) = contents.damaged
    assert str(line) == f"journal-gw0.jsonl, line 1: {len(damaged)} bytes cannot be read and were skipped"
    assert [episode.case for episode in SlimEpisodes(run).episodes] == [GOOD.case, OTHER.case]
    assert GOOD.case_id in find_reuse(tmp_path, [GOOD.case_id, OTHER.case_id]).episodes


def test_a_line_that_is_too_long_is_skipped_without_reading_it_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"a" * 50 + b"\nshort\n" + b"b" * 20)
    assert list(read_lines(path, 16)) == [
        StoredLine(1, 0, 51, b"a" * 16),
        StoredLine(2, 51, 6, b"short\n"),
        StoredLine(3, 57, 20, b"b" * 16),
    ]


def link(path: Path) -> None:
    elsewhere = path.parent.parent.parent / "elsewhere"
    elsewhere.write_text("secret")
    path.unlink(missing_ok=True)
    path.symlink_to(elsewhere)


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def enlarge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST_LINES_BYTES + 1)  # a sparse file, which takes no room


PLANTED = {"link": link, "pipe": pipe, "large": enlarge}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("run.json", RunDirectory.describe),
        ("plan.json", read_plan),
        ("ended.json", read_run_end),
        ("journal-gw0.jsonl", read_episodes),
        ("journal-gw0.jsonl", index_episodes),
    ],
)
def test_a_file_that_is_not_a_regular_one_or_too_large_is_rejected(
    tmp_path: Path, name: str, read: Callable[[RunDirectory], object], plant: Callable[[Path], None]
) -> None:
    run = make_run(tmp_path, [GOOD])
    plant(run.path / name)
    with pytest.raises(UnsafeFileError, match=rf"{name}' (is a symbolic link|is not a regular file|has [\d,]+ bytes)"):
        read(run)


def test_a_run_directory_that_is_a_link_is_no_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "elsewhere", [GOOD])
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / run.run_id).symlink_to(run.path)
    assert list_runs(tmp_path) == []
    with pytest.raises(UnsafeFileError, match="is a symbolic link"):
        RunDirectory(tmp_path / "runs" / run.run_id).describe()


@pytest.mark.parametrize("plant", [link, pipe])
def test_a_planted_lock_is_not_opened(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    run = make_run(tmp_path, [GOOD], run_end=None)
    plant(run.path / "lock")
    assert not is_locked(run)
    if plant is link:
        assert (tmp_path / "elsewhere").read_text() == "secret"


@pytest.mark.parametrize("plant", [link, pipe])
def test_a_planted_reason_is_not_read(tmp_path: Path, plant: Callable[[Path], None]) -> None:
    run = make_run(tmp_path, [GOOD], run_end=None)
    plant(run.path / "cut-off")
    assert read_interruption(run) == "interrupted"


DESCRIPTIONS = [
    b"", b"[]", b"{}", b"null", b"\xff", b"[" * 5000, b'{"started_at": 5}', b'{"started_at": "yesterday"}',
    b'{"started_at": "2026-01-01T00:00:00+00:00", "options": []}',
    b'{"started_at": "2026-01-01T00:00:00+00:00", "git": "c0ffee"}',
    b'{"started_at": "2026-01-01T00:00:00+00:00", "models": [{"hosts": 5}]}',
    b'{"started_at": "2026-01-01T00:00:00+00:00", "command": "pytest"}',
    b'{"started_at": "2026-01-01T00:00:00+00:00", "other": ' + b"[" * 500 + b"]" * 500 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("content", DESCRIPTIONS)
def test_a_description_of_any_content_is_read_or_damaged(tmp_path: Path, content: bytes) -> None:
    run = make_run(tmp_path, [GOOD])
    (run.path / "run.json").write_bytes(content)
    with pytest.raises(
        ConfigurationError, match=r"run.json' is damaged \(.*\); leave its run out, or restore the file"
    ):
        run.describe()
    assert read_results(run).episodes == (GOOD,)
