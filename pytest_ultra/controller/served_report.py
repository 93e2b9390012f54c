"""The report of a run that may still be going on, written again when the run has new episodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

import msgspec

from pytest_ultra.controller.report_contents import NAME, stored_contents, write_report
from pytest_ultra.core.episode import Outcome
from pytest_ultra.storage.results import find_state
from pytest_ultra.storage.run_directory import RunDirectory

_PAUSE_S = 2.0
_PAUSE_PER_WRITING = 5
"""How many times as long as writing the report took it stays as it is, so that a large run is not slowed down."""


class ReportState(msgspec.Struct, frozen=True):
    """What a page shows of its run: `version` changes with the report, `text` is for readers."""

    version: str
    text: str


class ServedReport:
    """The files of the newest report, in a folder. May be used in several threads.

    `find` returns the run that is shown, which can be another one each time; `now` is a monotonic clock in seconds.
    """

    def __init__(self, find: Callable[[], RunDirectory], folder: Path, now: Callable[[], float]) -> None:
        self._find = find
        self._folder = folder
        self._now = now
        self._lock = Lock()
        self._version = ""
        self._cases = ""
        self._next_s = now()

    def state(self) -> ReportState:
        """Return the state of the run, and the version of the report that `read` would return."""
        run = self._find()
        with self._lock:
            is_due = self._now() >= self._next_s
            version = _version_of(run) if is_due or not self._version else self._version
            label = find_state(run).label
            cases = self._cases if self._version.startswith(run.run_id) else ""
            return ReportState(version, f"{label}{cases}, run {run.run_id}")

    def read(self, name: str = NAME) -> bytes | None:
        """Return a file of the report, None if there is none; the main page is written again if it is out of date."""
        with self._lock:
            if name == NAME:
                self._update(self._find())
            path = self._folder / name
            return path.read_bytes() if path.is_file() else None

    def _update(self, run: RunDirectory) -> None:
        version = _version_of(run)
        if version == self._version or (self._version and self._now() < self._next_s):
            return
        started = self._now()
        contents = stored_contents(run)
        if not contents.episodes:
            return
        write_report(self._folder / NAME, msgspec.structs.replace(contents, served_version=version))
        self._version = version
        done = sum(episode.outcome is not Outcome.SKIPPED for episode in contents.episodes)
        self._cases = f": {done:,} of {len(contents.episodes):,} cases"
        self._next_s = self._now() + max(_PAUSE_S, _PAUSE_PER_WRITING * (self._now() - started))


def _version_of(run: RunDirectory) -> str:
    """Return a text that changes whenever an episode is added, or the run ends."""
    journals = sorted(run.path.glob("journal-*"))
    size = sum(path.stat().st_size for path in journals)
    return f"{run.run_id}-{size}-{find_state(run)}"
