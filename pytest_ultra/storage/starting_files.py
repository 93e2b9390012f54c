"""The files with which a worker on another host starts: what it need not run or ask again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.episode_index import index_episodes, newest_episodes
from pytest_ultra.storage.journal import REUSED, journal_path
from pytest_ultra.storage.kept_turns import read_turns, turns_path
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import read_stored

FilePiece = tuple[str, bytes]
"""The name of a file and bytes to add to it."""


def read_starting_files(
    run: RunDirectory, case_ids: Collection[str], number: int, *, is_replacement: bool
) -> Iterator[FilePiece]:
    """Yield the pieces of all files for the worker with this number and these cases.

    The episodes and answers are those that other runs have left; a replacement gets those of all workers too.
    """
    wanted = frozenset(case_ids)
    workers = "*" if is_replacement else REUSED
    yield "run.json", read_stored(run.path / "run.json")
    finished = newest_episodes(index_episodes(run, journal_path(run, workers).name))
    for case_id in wanted & finished.keys():
        yield journal_path(run, REUSED).name, finished[case_id].read_line()
    answers = read_turns(
        run, lambda case_id: case_id in wanted and case_id not in finished, turns_path(run, workers).name
    )
    for turns in answers.values():
        yield turns_path(run, REUSED).name, b"".join(encode(turn) + b"\n" for turn in turns.values())
    if is_replacement:
        with suppress(FileNotFoundError):
            name = f"progress-{number}.json"
            yield name, read_stored(run.path / name)
