"""Episodes in memory without their transcripts: what is kept, and what is read from disk when it is asked for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pytest_ultra.core.episode import Episode
from pytest_ultra.storage import slim_episodes
from pytest_ultra.storage.journal import encode_line, read_episodes
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from tests.results_factory import obedient_episode
from tests.storage.stored_runs import make_run, write

ONE = obedient_episode()
OTHER = msgspec.structs.replace(ONE, case=msgspec.structs.replace(ONE.case, repeat=1), nodeid="other")


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return make_run(tmp_path / ".ultra", [ONE, OTHER])


def lose_journals(run: RunDirectory) -> None:
    for path in run.path.glob("journal-*.jsonl"):
        path.unlink()


def test_no_transcript_is_in_memory_and_each_is_read_when_it_is_asked_for(run: RunDirectory) -> None:
    stored = SlimEpisodes(run)
    assert [episode.transcript for episode in stored.found] == [(), ()]
    assert tuple(map(stored.read, stored.found)) == read_episodes(run).episodes
    lose_journals(run)
    with pytest.raises(FileNotFoundError):
        stored.read(stored.found[0])


def test_some_transcripts_are_kept_up_to_a_limit(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slim_episodes, "MOST_KEPT_BYTES", len(encode_line(ONE, 0)))
    stored = SlimEpisodes(run, keep_some=True)
    kept, on_disk = (slim_of(stored, episode) for episode in (ONE, OTHER))
    assert stored.read(on_disk) == OTHER
    lose_journals(run)
    assert stored.read(kept) == ONE
    with pytest.raises(FileNotFoundError):
        stored.read(on_disk)


def slim_of(stored: SlimEpisodes, episode: Episode) -> Episode:
    return next(slim for slim in stored.found if slim.case == episode.case)


def test_the_newest_episode_of_a_case_counts(tmp_path: Path) -> None:
    newer = msgspec.structs.replace(ONE, started_at=ONE.started_at + 1, worker="gw1")
    run = make_run(tmp_path / ".ultra", [newer])
    write(run, [ONE], worker="gw1")
    assert [episode.worker for episode in SlimEpisodes(run).found] == ["gw1"]
    assert SlimEpisodes(run).read(ONE) == newer
