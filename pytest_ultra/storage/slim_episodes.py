"""The episodes of a run without their transcripts, which stay on disk: 50,000 of them take about 200 MB."""

from __future__ import annotations

from functools import cached_property

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.storage.journal import DamagedLine, JournalPlace, PlacedLine, Recency, in_order, read_journals
from pytest_ultra.storage.results import complete_plan
from pytest_ultra.storage.reuse import read_plan
from pytest_ultra.storage.run_directory import RunDirectory

MOST_KEPT_BYTES = 16 * 1024 * 1024
"""How much of the journals `keep_some` keeps: 1,000 usual episodes, which take 50 MB."""


class SlimEpisodes:
    """The newest episode of each case, and the damaged lines. `read` returns an episode with its transcript."""

    def __init__(self, run: RunDirectory, *, keep_some: bool = False) -> None:
        """Read all journals once; raise ConfigurationError if one has a newer schema version.

        With `keep_some`, the transcripts of as many episodes as fit into `MOST_KEPT_BYTES` are not read again.
        """
        self._run = run
        self._free_bytes = MOST_KEPT_BYTES if keep_some else 0
        self._kept: dict[str, _Kept] = {}
        damaged: list[DamagedLine] = []
        for line in read_journals(run):
            if isinstance(line, DamagedLine):
                damaged.append(line)
            else:
                self._add(line)
        self.damaged = tuple(damaged)

    @cached_property
    def found(self) -> tuple[Episode, ...]:
        """The episodes in the journals, sorted by node id and case id."""
        return tuple(sorted((kept.slim for kept in self._kept.values()), key=in_order))

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """An episode for each planned case in planned order, as `read_results` gives them, then all others."""
        plan = read_plan(self._run)
        return self.found if plan is None else tuple(complete_plan(self.found, plan))

    def read(self, episode: Episode) -> Episode:
        """Return the episode with its transcript, or unchanged if there is none on disk."""
        kept = self._kept.get(episode.case_id)
        return episode if kept is None else kept.whole or kept.place.read() or episode

    def _add(self, line: PlacedLine) -> None:
        case_id, recency = line.episode.case_id, line.recency
        before = self._kept.get(case_id)
        if before is not None and before.recency > recency:
            return
        is_kept = line.place.length <= self._free_bytes
        self._free_bytes -= line.place.length if is_kept else 0
        slim = msgspec.structs.replace(line.episode, transcript=(), plan="")
        self._kept[case_id] = _Kept(recency, slim, line.place, line.episode if is_kept else None)


class _Kept(msgspec.Struct, frozen=True):
    recency: Recency
    slim: Episode
    place: JournalPlace
    whole: Episode | None
