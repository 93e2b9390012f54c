"""What a run has come to: an episode for each planned case, as at its end, and what else stands about it on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from pytest_ultra.core.episode import Episode
from pytest_ultra.storage.journal import JournalContents, read_episodes
from pytest_ultra.storage.json_document import skipped_episode
from pytest_ultra.storage.reuse import Plan, read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import is_held, noted_cut_off, read_ending


class State(StrEnum):
    """What has become of a run."""

    ENDED = "ended"  # whatever its tests came to
    CUT_OFF = "cut off"
    GOING_ON = "going on"

    @property
    def label(self) -> str:
        """The state in text. JSON and the store keep the value."""
        return {State.ENDED: "finished", State.CUT_OFF: "interrupted", State.GOING_ON: "running"}[self]


def find_state(run: RunDirectory, *, is_patient: bool = True) -> State:
    """Tell what has become of a run. Without patience, one that another process just looks at may seem to go on."""
    ending = read_ending(run)
    if ending is None:
        held = is_held(run) if is_patient else is_held(run, 0.0)
        return State.GOING_ON if held else State.CUT_OFF
    return State.ENDED if ending.cut_off is None else State.CUT_OFF


def why_cut_off(run: RunDirectory) -> str | None:
    """Return what cut a run off, as far as it has left word of it."""
    ending = read_ending(run)
    return noted_cut_off(run) if ending is None else ending.cut_off


def read_results(run: RunDirectory) -> JournalContents:
    """Read the episodes of a run in planned order, a skipped one for each planned case that was not lived.

    Then come those that nobody planned. Raises ConfigurationError for a newer schema.
    """
    contents, plan = read_episodes(run), read_plan(run)
    if plan is None:
        return contents
    return JournalContents(tuple(complete_results(contents.episodes, plan)), contents.torn)


def complete_results(episodes: Iterable[Episode], plan: Plan) -> Iterator[Episode]:
    """Yield an episode for each planned case, then those that nobody planned."""
    lived = {episode.case_id: episode for episode in episodes}
    for case_id, nodeid in plan.nodeids.items():
        if case_id in lived:
            yield lived.pop(case_id)
        elif case_id in plan.cases:
            yield _skip(case_id, nodeid, plan)
    yield from lived.values()


def _skip(case_id: str, nodeid: str, plan: Plan) -> Episode:
    versions = plan.versions
    return msgspec.structs.replace(
        skipped_episode(plan.cases[case_id], nodeid),
        generator_version=versions.generator,
        prompt_version=versions.prompts,
        scorer_version=versions.scorer,
    )
