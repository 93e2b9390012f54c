"""The results of a stored run: its state, and an episode for each planned case, with or without transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.storage.journal import JournalContents, read_episodes
from pytest_ultra.storage.json_document import skipped_episode
from pytest_ultra.storage.reuse import Plan, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import is_locked, read_interruption, read_run_end


class State(StrEnum):
    """The state of a run."""

    FINISHED = "ended"  # whatever the outcomes of its tests
    INTERRUPTED = "cut off"
    RUNNING = "going on"

    @property
    def label(self) -> str:
        """The state in text output; JSON output has the value, which was the text in older versions."""
        return self.name.lower()


def find_state(run: RunDirectory) -> State:
    end = read_run_end(run)
    if end is None:
        return State.RUNNING if is_locked(run) else State.INTERRUPTED
    return State.FINISHED if end.interruption is None else State.INTERRUPTED


def interruption_of(run: RunDirectory) -> str | None:
    """Return why a run was interrupted, None if it was not or no reason was recorded."""
    end = read_run_end(run)
    return read_interruption(run) if end is None else end.interruption


def read_results(run: RunDirectory) -> JournalContents:
    """Read an episode for each planned case in planned order, skipped if the case was not run, then all others.

    Raises ConfigurationError if a file has a newer schema version.
    """
    contents, plan = read_episodes(run), read_plan(run)
    if plan is None:
        return contents
    return JournalContents(tuple(complete_plan(contents.episodes, plan)), contents.damaged)


def complete_plan(episodes: Iterable[Episode], plan: Plan) -> Iterator[Episode]:
    """Yield an episode for each planned case, then those of other cases."""
    by_case = {episode.case_id: episode for episode in episodes}
    for case_id, nodeid in plan.nodeids.items():
        if case_id in by_case:
            yield by_case.pop(case_id)
        elif case_id in plan.cases:
            yield _skip(case_id, nodeid, plan)
    yield from by_case.values()


def _skip(case_id: str, nodeid: str, plan: Plan) -> Episode:
    versions = plan.versions
    return msgspec.structs.replace(
        skipped_episode(plan.cases[case_id], nodeid),
        generator_version=versions.generator,
        prompt_version=versions.prompts,
        scorer_version=versions.scorer,
    )
