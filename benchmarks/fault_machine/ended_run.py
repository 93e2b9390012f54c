"""What an ended run has left on disk, read without the package, so that its own readers are checked too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

SCORED = ("full", "partial", "failed")
_CASE_MARK = re.compile(rb"<case ([0-9a-f]{12})>")


class StoredEpisode(msgspec.Struct, frozen=True):
    """A line of a journal; `endpoint_case` is the endpoint's name for the case, empty if it was never asked."""

    case_id: str
    outcome: str
    started_at: float
    is_reused: bool
    endpoint_case: str

    @property
    def is_scored(self) -> bool:
        return self.outcome in SCORED


class EndedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended. `exit_code` is negative if a signal ended it; `last_signal_at` is 0 if it got none."""

    exit_code: int
    started_at: float
    ended_at: float
    directory: Path | None
    left_processes: int
    last_signal_at: float
    had_few_files: bool

    @property
    def end(self) -> dict[str, Any] | None:
        """The content of `ended.json`, None if the run has not written it."""
        return self._read("ended.json")

    @property
    def planned(self) -> set[str] | None:
        """The ids of the planned cases, None if the run ended before it had a plan."""
        plan = self._read("plan.json")
        return None if plan is None else set(plan["nodeids"])

    @property
    def has_finished(self) -> bool:
        end = self.end
        return end is not None and end["cut_off"] is None

    @property
    def got_signal_after_its_end(self) -> bool:
        """Return whether a signal came when `ended.json` was written or later, and could change the exit code."""
        if self.directory is None or not self.last_signal_at:
            return False
        with suppress(OSError):
            return self.last_signal_at >= (self.directory / "ended.json").stat().st_mtime - 0.1
        return False

    @property
    def crashed_after_its_end(self) -> bool:
        """Return whether pytest itself failed after everything was written, as it can without files for imports."""
        end = self.end
        return self.had_few_files and self.exit_code == 1 and end is not None and end["exit_status"] == 0

    def __str__(self) -> str:
        end = self.end
        state = "no end" if end is None else end["cut_off"] or "finished"
        where = self.directory.name if self.directory else "no directory"
        took_s = self.ended_at - self.started_at
        return f"exit code {self.exit_code} after {took_s:.1f} s, {state}, {len(self.scored())} scored, {where}"

    def episodes(self) -> Iterator[StoredEpisode]:
        for journal in sorted(self.directory.glob("journal-*.jsonl")) if self.directory else ():
            for line in journal.read_bytes().split(b"\n"):
                with suppress(ValueError):
                    yield _read_line(line)

    def scored(self) -> set[str]:
        return {episode.case_id for episode in self.episodes() if episode.is_scored}

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            content = (self.directory / name).read_bytes() if self.directory else b"null"
        except FileNotFoundError:
            return None
        read: dict[str, Any] | None = json.loads(content)
        return read


def _read_line(line: bytes) -> StoredEpisode:
    read = json.loads(line)
    episode, mark = read["episode"], _CASE_MARK.search(line)
    return StoredEpisode(
        case_id=read["case_id"],
        outcome=episode["score"]["outcome"],
        started_at=episode["started_at"],
        is_reused=episode.get("reused", False),
        endpoint_case=mark[1].decode() if mark else "",
    )
