"""Baseline files: the outcomes of a run, one case per line, small enough to keep in the tested project's repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.core.case import Case, short_name
from pytest_ultra.core.episode import Episode, Outcome, Score, Usage
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, UNREADABLE, check_version, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.stored_files import read_stored

_VERSIONS = ("generator_version", "prompt_version", "scorer_version")
_Fields = Mapping[str, Any]


class Baseline(msgspec.Struct, frozen=True):
    """The content of a file: `common` holds the fields that all cases share, `cases` the others and an outcome."""

    schema_version: int
    run_id: str
    started_at: str
    common: dict[str, Any]
    cases: tuple[dict[str, Any], ...]


def write_baseline(path: Path, episodes: Iterable[Episode], *, run_id: str, started_at: str) -> int:
    """Write the scored episodes and return their number; raise ConfigurationError if there is none.

    They are sorted, so that two files differ only in the lines of cases that differ.
    """
    scored = sorted(
        (e for e in episodes if e.outcome.is_scored), key=lambda episode: (short_name(episode.nodeid), episode.case_id)
    )
    if not scored:
        raise ConfigurationError(f"run {run_id} has scored no case, so there is nothing to compare with later")
    fields = [_fields(episode) for episode in scored]
    common = {name: value for name, value in fields[0].items() if all(other[name] == value for other in fields)}
    lines = [
        {"case": short_name(episode.nodeid), "outcome": str(episode.outcome)}
        | {n: v for n, v in own.items() if n not in common}
        for episode, own in zip(scored, fields, strict=True)
    ]
    head = {"run_id": run_id, "started_at": started_at, "common": common}
    write_atomically(path, _format(head, lines))
    return len(scored)


def _format(head: _Fields, cases: Sequence[_Fields]) -> bytes:
    lines = [b'"schema_version": %d' % SCHEMA_VERSION]
    lines += [b'"%b": %b' % (name.encode(), encode(value)) for name, value in head.items()]
    lines.append(b'"cases": [\n' + b",\n".join(map(encode, cases)) + b"\n]")
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def read_baseline(path: Path) -> tuple[Baseline, tuple[Episode, ...]]:
    """Read a file and its episodes, which have only a case and an outcome; raise ConfigurationError on failure."""
    try:
        content = read_stored(path.resolve())  # the user may name a link
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"{str(path)!r} cannot be read ({reason})") from error
    try:
        check_version(content, path)
        baseline = msgspec.json.decode(content, type=Baseline)
        episodes = tuple(_episode(baseline.common | case) for case in baseline.cases)
    except (*UNREADABLE, KeyError) as error:
        raise ConfigurationError(
            f"{str(path)!r} is not a baseline file ({error}); write one with `pytest-ultra baseline -o FILE`"
        ) from error
    return baseline, episodes


def _fields(episode: Episode) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(episode.case)
    return fields | {name: getattr(episode, name) for name in _VERSIONS}


def _episode(fields: _Fields) -> Episode:
    case = msgspec.convert({name: fields[name] for name in Case.__struct_fields__ if name in fields}, Case)
    score = Score(msgspec.convert(fields["outcome"], Outcome))
    episode = Episode(case, str(fields["case"]), score, Usage(), "", 0.0, 0.0)
    return msgspec.structs.replace(episode, **{name: msgspec.convert(fields[name], int) for name in _VERSIONS})
