"""Durations files: how long the episodes of each task took, small enough to keep in the tested project's repository."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Annotated

import msgspec

from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, UNREADABLE, check_version, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.stored_files import read_stored

_MOST_S = 10_000_000
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=_MOST_S)]


class Durations(msgspec.Struct, frozen=True):
    """The mean seconds of an episode by the name of its task, and the run that they come from."""

    seconds: dict[str, _Seconds]
    run_id: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def digest(self) -> str:
        """A hash of the durations, whatever the file's line ends: 16 hex digits."""
        return hashlib.blake2b(msgspec.json.encode(self.seconds, order="sorted"), digest_size=8).hexdigest()


def task_name(key: TaskKey) -> str:
    """Name a task without its seed: tasks of other seeds are about as long."""
    return f"{key.task_type}-{key.difficulty}-{key.instance}"


def write_durations(path: Path, episodes: Iterable[Episode], *, run_id: str) -> int:
    """Write the durations of the scored episodes, without waiting for limits; return the number of tasks.

    Raises ConfigurationError if no episode was scored.
    """
    times: dict[str, list[float]] = {}
    for episode in episodes:
        if episode.outcome.is_scored:
            own_s = episode.usage.model_time_s + episode.usage.tool_time_s
            times.setdefault(task_name(episode.case.task_key), []).append(own_s)
    if not times:
        raise ConfigurationError(f"run {run_id} has scored no case, so it has no durations")
    lines = [b"%b: %b" % (encode(name), encode(round(fmean(found), 3))) for name, found in sorted(times.items())]
    head = b'{\n"schema_version": %d,\n"run_id": %b,\n"seconds": {\n' % (SCHEMA_VERSION, encode(run_id))
    write_atomically(path, head + b",\n".join(lines) + b"\n}\n}\n")
    return len(times)


def read_durations(path: Path) -> Durations:
    """Read a file; raise ConfigurationError if that fails."""
    try:
        content = read_stored(path.resolve())  # the user may name a link
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"{str(path)!r} cannot be read ({reason}); {_WAY_OUT}") from error
    check_version(content, path)
    try:
        return msgspec.json.decode(content, type=Durations)
    except UNREADABLE as error:
        raise ConfigurationError(f"{str(path)!r} is not a durations file ({error}); {_WAY_OUT}") from error


_WAY_OUT = "write one with `pytest-ultra durations -o FILE`"
