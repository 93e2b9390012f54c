"""Workers' progress reports can be read at any time, and are removed at the end of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ultra.core.progress import Cohort, ShardProgress
from pytest_ultra.storage.progress_files import clear_progress, read_progress, write_progress
from pytest_ultra.storage.run_directory import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, {}, started_at=0.0)


def progress(number: int, worker: str, done: int = 0) -> ShardProgress:
    return ShardProgress(number=number, worker=worker, planned=None, slots=2, most_answers=30, cost=0.25, done=done)


def test_reports_are_read_in_the_order_of_the_shards(run: RunDirectory) -> None:
    shards = [progress(number, f"gw{number}", done=number) for number in (0, 2, 10, 11)]
    for shard in reversed(shards):
        write_progress(run, shard)
    assert list(read_progress(run)) == shards


def test_all_fields_are_read_back(run: RunDirectory) -> None:
    cohorts = (Cohort(6, 2, 5), Cohort(7, 0, 1))
    report = ShardProgress(
        number=0, worker="main", planned=6, slots=4, most_answers=30, tokens=9, ended=cohorts[:1], ahead=cohorts
    )
    write_progress(run, report)
    assert read_progress(run) == (report,)


def test_a_replacement_overwrites_the_crashed_workers_report(run: RunDirectory) -> None:
    write_progress(run, progress(1, "gw1", done=3))
    write_progress(run, progress(1, "gw4", done=4))
    assert [(each.worker, each.done) for each in read_progress(run)] == [("gw4", 4)]


def test_a_damaged_file_is_skipped(run: RunDirectory) -> None:
    write_progress(run, progress(1, "gw1"))
    (run.path / "progress-0.json").write_bytes(b'{"number": 0, "wor')
    assert [each.number for each in read_progress(run)] == [1]


def test_a_report_that_cannot_be_written_does_not_stop_the_run(run: RunDirectory) -> None:
    write_progress(RunDirectory(run.path / "gone"), progress(0, "gw0"))
    assert read_progress(RunDirectory(run.path / "gone")) == ()


def test_no_file_is_left_after_clearing(run: RunDirectory) -> None:
    before = set(run.path.iterdir())
    write_progress(run, progress(0, "gw0"))
    clear_progress(run)
    assert set(run.path.iterdir()) == before
