"""`pytest-ultra rescore`: scores the stored transcripts of a run again, with the current scorer."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pytest_ultra import __version__
from pytest_ultra.collection.run_suite import SUITE, open_guidance_cache
from pytest_ultra.commands.arguments import DONE, FOUND, Commands, add_command, add_json, add_run, chosen_run
from pytest_ultra.commands.command_output import print_bytes, print_lines, warn
from pytest_ultra.core.case import GENERATOR_VERSION, SCORER_VERSION
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.transcript import Ended, EndReason
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.files import check_writable
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import read_episodes
from pytest_ultra.storage.json_document import encode_document, write_document
from pytest_ultra.storage.run_directory import RunDirectory

DESCRIPTION = """\
Score the stored transcripts of a run again with the scorer of this version, and print which scores have changed. The
run's own files are not changed."""
EPILOG = """\
exit codes:
  0  no score has changed
  1  some scores have changed
  2  the command failed; the message says why"""


class Rescored(msgspec.Struct, frozen=True):
    """A run's episodes with their stored and their new scores, in the same order."""

    before: tuple[Episode, ...]
    after: tuple[Episode, ...]

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
        """How many episodes keep their score because they have no transcript."""
        return sum(not episode.transcript for episode in self.after)


def rescore(run: RunDirectory) -> Rescored:
    """Score a run's episodes again, without changing its directory; warn of those that cannot be read.

    Raises ConfigurationError if the run has no episodes, or if one of them cannot be scored because it has another
    generator version or its workflow is missing.
    """
    contents = read_episodes(run)
    warn("rescore", map(str, contents.damaged))
    if not contents.episodes:
        raise ConfigurationError(f"the run {run.run_id} holds no episodes, so there is nothing to score")
    _check_generator(run, contents.episodes)
    return Rescored(contents.episodes, tuple(_rescore_all(run, contents.episodes)))


def _check_generator(run: RunDirectory, episodes: Iterable[Episode]) -> None:
    others = [e.generator_version for e in episodes if e.generator_version != GENERATOR_VERSION]
    if others:
        versions = ", ".join(map(str, sorted(set(others))))
        made_by = run.describe().get("pytest_ultra", "of another version")
        raise ConfigurationError(
            f"the run {run.run_id} holds {len(others)} transcripts of generator version {versions}, and this "
            f"pytest-ultra has {GENERATOR_VERSION}, with other tasks and tools; use the version "
            f"that made it ({made_by})"
        )


def _rescore_all(run: RunDirectory, episodes: tuple[Episode, ...]) -> Iterator[Episode]:
    """Score task by task, so that the workflows of each are read once; return the episodes in their order."""
    cache = open_guidance_cache(run)
    by_task = sorted(range(len(episodes)), key=lambda index: episodes[index].case.task_key)
    rescored = {index: _rescore(episodes[index], cache, run) for index in by_task}
    return (rescored[index] for index in range(len(episodes)))


def _rescore(episode: Episode, cache: GuidanceCache, run: RunDirectory) -> Episode:
    if not episode.transcript:  # nested too deep to be stored: only the old score is left
        return episode
    last = episode.transcript[-1]
    if isinstance(last, Ended) and last.reason is EndReason.HARNESS:  # an error of the harness gets no score
        return msgspec.structs.replace(episode, scorer_version=SCORER_VERSION)
    new = SUITE.score(episode.case, _find_guidance(episode, cache, run), episode.transcript)
    error = None if new.outcome.is_scored else episode.error
    return msgspec.structs.replace(episode, score=new, error=error, scorer_version=SCORER_VERSION)


def _find_guidance(episode: Episode, cache: GuidanceCache, run: RunDirectory) -> AnyGuidance:
    try:
        return cache.get(episode.case)
    except (LookupError, ConfigurationError, OSError) as error:
        raise ConfigurationError(
            f"{episode.nodeid} cannot be scored: its workflow is not in {str(run.guidance)!r} ({_reason(error)}); "
            "move or copy a run as a whole"
        ) from error


def _reason(error: Exception) -> str:
    return "nothing was generated for it" if isinstance(error, LookupError) else str(error)


def add_rescore(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "rescore", run_rescore, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    add_json(parser)
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, help="write one JSON document with the rescored episodes"
    )


def run_rescore(args: argparse.Namespace) -> int:
    if args.output is not None:
        check_writable(args.output, "--output")
    run = chosen_run(args)
    rescored = rescore(run)
    by = {"pytest_ultra": __version__, "scorer": SCORER_VERSION}
    description = run.describe() | {"rescored_by": by}
    if args.output is not None:
        write_document(args.output, description, rescored.after)
    if args.json:
        print_bytes(b"".join(encode_document(description, rescored.after)))
    else:
        print_lines(summary_lines(run, rescored))
    return FOUND if rescored.changed else DONE


def summary_lines(run: RunDirectory, rescored: Rescored) -> Iterator[str]:
    yield f"run {run.run_id}: {count(len(rescored.after), 'episode')}, {count(rescored.changed, 'score')} changed"
    for (old, new), n in rescored.transitions.items():
        yield f"  {old} -> {new}: {n:,}{' (other figures changed)' if old is new else ''}"
    if kept := rescored.without_transcript:
        yield f"  {count(kept, 'episode')} without a transcript kept the old score and its version"
