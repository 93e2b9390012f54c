"""Scoring the transcripts of a run again, with the scorer of today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.core.case import GENERATOR_VERSION, SCORER_VERSION
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.transcript import Ended, EndReason
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import Torn, read_episodes
from pytest_ultra.storage.run_directory import RunDirectory


class Rescored(msgspec.Struct, frozen=True):
    """A run's episodes as they were and as they are scored now, in the same order; and what of it was torn."""

    before: tuple[Episode, ...]
    after: tuple[Episode, ...]
    torn: tuple[Torn, ...] = ()

    @property
    def transitions(self) -> dict[tuple[Outcome, Outcome], int]:
        """How many scores have changed, by the outcomes before and after, in the order of outcomes."""
        counts = Counter(
            (old.outcome, new.outcome)
            for old, new in zip(self.before, self.after, strict=True)
            if old.score != new.score
        )
        order = list(Outcome)
        return dict(sorted(counts.items(), key=lambda item: [order.index(outcome) for outcome in item[0]]))

    @property
    def changed(self) -> int:
        return sum(self.transitions.values())

    @property
    def without_transcript(self) -> int:
        """How many episodes are as they were because there is no transcript to score."""
        return sum(not episode.transcript for episode in self.after)


def rescore(run: RunDirectory) -> Rescored:
    """Score a run's episodes again; nothing in its directory is altered.

    Raises ConfigurationError when the run has no episodes, or when one of them cannot be scored: it is of another
    generator's version, or its workflow is not there any more.
    """
    contents = read_episodes(run)
    if not contents.episodes:
        raise ConfigurationError(f"the run {run.run_id} holds no episodes, so there is nothing to score")
    _check_generator(run, contents.episodes)
    return Rescored(contents.episodes, tuple(_rescore_all(run, contents.episodes)), contents.torn)


def _check_generator(run: RunDirectory, episodes: Iterable[Episode]) -> None:
    others = [e.generator_version for e in episodes if e.generator_version != GENERATOR_VERSION]
    if others:
        versions = ", ".join(map(str, sorted(set(others))))
        made_by = run.describe().get("pytest_ultra", "of another version")
        raise ConfigurationError(
            f"the run {run.run_id} holds {len(others)} transcripts of generator version {versions}, and this is "
            f"{GENERATOR_VERSION}: tasks and tools are not those of then; use the pytest-ultra that made it ({made_by})"
        )


def _rescore_all(run: RunDirectory, episodes: tuple[Episode, ...]) -> Iterator[Episode]:
    """Go from task to task, so that each one's workflows are read once, and return the episodes in their order."""
    cache = GuidanceCache(run.guidance, BENCHMARK.task_type)
    by_task = sorted(range(len(episodes)), key=lambda index: episodes[index].case.task_key)
    rescored = {index: _rescore(episodes[index], cache, run) for index in by_task}
    return (rescored[index] for index in range(len(episodes)))


def _rescore(episode: Episode, cache: GuidanceCache, run: RunDirectory) -> Episode:
    if not episode.transcript:  # nested too deep to be kept: the old score is all there is, under its old version
        return episode
    last = episode.transcript[-1]
    if isinstance(last, Ended) and last.reason is EndReason.HARNESS:  # nobody judges what we ourselves broke off
        return msgspec.structs.replace(episode, scorer_version=SCORER_VERSION)
    new = score(episode.case, _find_guidance(episode, cache, run), episode.transcript)
    error = None if new.outcome.is_scored else episode.error
    return msgspec.structs.replace(episode, score=new, error=error, scorer_version=SCORER_VERSION)


def _find_guidance(episode: Episode, cache: GuidanceCache, run: RunDirectory) -> AnyGuidance:
    try:
        return cache.get(episode.case)
    except (LookupError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"{episode.nodeid} cannot be scored: its workflow is not in {str(run.guidance)!r} ({_reason(error)}); "
            "a run is moved or copied as a whole"
        ) from error


def _reason(error: Exception) -> str:
    return "nothing was generated for it" if isinstance(error, LookupError) else f"unreadable: {error}"
