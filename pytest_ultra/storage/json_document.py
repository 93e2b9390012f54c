"""The JSON document of `--ultra-json`: a run, and an episode for each of its planned cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage, flatten
from pytest_ultra.core.transcript import Ended, EndReason
from pytest_ultra.storage.codec import SCHEMA_VERSION, encode
from pytest_ultra.storage.files import write_atomically

Recorded = Mapping[str, Mapping[str, Any]]
"""What tests have recorded, by case id and name."""


def write_document(
    path: Path, run: Mapping[str, Any], episodes: Iterable[Episode], recorded: Recorded = MappingProxyType({})
) -> None:
    """Write the document, sorted by node id, so that the order of arrival does not change it; make missing folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, encode_document(run, sorted(episodes, key=_by_node_id), recorded))


def encode_document(
    run: Mapping[str, Any], episodes: Iterable[Episode], recorded: Recorded = MappingProxyType({})
) -> Iterator[bytes]:
    """Yield the parts of the document, with one episode per line, so that a line diff compares two documents."""
    yield b'{"schema_version": %d,\n"run": %b,\n"episodes": [\n' % (SCHEMA_VERSION, encode(run))
    separator = b""
    for episode in episodes:
        yield separator + encode(_entry(episode, recorded))
        separator = b",\n"
    yield b"\n]}\n"


def _entry(episode: Episode, recorded: Recorded) -> dict[str, Any]:
    properties = recorded.get(episode.case_id)
    return flatten(episode) | ({"properties": dict(properties)} if properties else {})


def complete(episodes: Iterable[Episode], planned: Iterable[tuple[Case, str]]) -> tuple[Episode, ...]:
    """Return an episode for each planned case, in planned order, then the episodes of other cases."""
    by_case = {episode.case_id: episode for episode in episodes}
    expected = {case.case_id: (case, nodeid) for case, nodeid in planned}
    first = tuple(by_case.get(case_id) or skipped_episode(*expected[case_id]) for case_id in expected)
    others = (episode for case_id, episode in by_case.items() if case_id not in expected)
    return first + tuple(sorted(others, key=_by_node_id))


def _by_node_id(episode: Episode) -> tuple[str, str]:
    return episode.nodeid, episode.case_id


def skipped_episode(case: Case, nodeid: str, *, reason: str = "not run: the run ended before it") -> Episode:
    """Return the episode of a case that was never started: without a worker, with Unix time 0 as its start."""
    return Episode(case, nodeid, Score(Outcome.SKIPPED), Usage(), "", 0.0, 0.0, error=reason)


def broken_episode(case: Case, nodeid: str, reason: str, *, at: float) -> Episode:
    """Return the episode of a case that cannot be run: an error of the harness, not of the model; `at` is Unix time."""
    score = Score(Outcome.ERROR, FailureClass.HARNESS)
    return Episode(
        case, nodeid, score, Usage(), "", at, 0.0, error=reason, transcript=(Ended(EndReason.HARNESS, reason),)
    )
