"""The document that `--ultra-json` asks for: one run, and one episode for each of its planned cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage, flatten
from pytest_ultra.core.transcript import Ended, EndReason
from pytest_ultra.storage.codec import SCHEMA_VERSION, encode
from pytest_ultra.storage.files import write_atomically


def write_document(
    path: Path, run: Mapping[str, Any], episodes: Iterable[Episode], planned: Iterable[tuple[Case, str]] = ()
) -> None:
    """Write the document: planned cases (with their node ids) in their order, whatever else was lived after them."""
    write_atomically(path, encode_document(run, complete(episodes, planned)))


def encode_document(run: Mapping[str, Any], episodes: Iterable[Episode]) -> bytes:
    """Encode the document, an episode a line, so that two documents can be compared by line."""
    entries = b",\n".join(encode(flatten(episode)) for episode in episodes)
    head = b'{"schema_version": %d,\n"run": %b,\n"episodes": [\n' % (SCHEMA_VERSION, encode(run))
    return head + entries + b"\n]}\n"


def complete(episodes: Iterable[Episode], planned: Iterable[tuple[Case, str]]) -> tuple[Episode, ...]:
    """Return an episode for each planned case, in planned order, then the episodes that nobody planned."""
    lived = {episode.case_id: episode for episode in episodes}
    expected = {case.case_id: (case, nodeid) for case, nodeid in planned}
    first = tuple(lived.get(case_id) or skipped_episode(*expected[case_id]) for case_id in expected)
    others = (episode for case_id, episode in lived.items() if case_id not in expected)
    return first + tuple(sorted(others, key=lambda episode: (episode.nodeid, episode.case_id)))


def skipped_episode(case: Case, nodeid: str, *, reason: str = "not lived: the run ended before it") -> Episode:
    """Make the episode of a case that was never begun: no worker, and the beginning of Unix time as its start."""
    return Episode(case, nodeid, Score(Outcome.SKIPPED), Usage(), "", 0.0, 0.0, error=reason)


def broken_episode(case: Case, nodeid: str, reason: str, *, at: float) -> Episode:
    """Make the episode of a case that cannot be lived: an error, of which the model is innocent."""
    score = Score(Outcome.ERROR, FailureClass.HARNESS)
    return Episode(
        case, nodeid, score, Usage(), "", at, 0.0, error=reason, transcript=(Ended(EndReason.HARNESS, reason),)
    )
