"""`--ultra-shard`: the cases of one job of a CI matrix. Every job computes the same division."""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import fmean

import msgspec
import pytest

from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.core.axes import TaskType
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.job_shard import JobShard, divide
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.durations_file import Durations, read_durations, task_name


class ShardedCases(msgspec.Struct, frozen=True):
    """The cases of one shard, those of all shards, and what their division rests on, in words.

    `durations` is a hash of the durations by which they were divided, None without any.
    """

    shard: JobShard
    cases: Mapping[str, Case]
    all_cases: Mapping[str, Case]
    basis: str
    durations: str | None

    def describe(self, selection: Iterable[str]) -> dict[str, object]:
        """Return the record for run.json, by which `pytest-ultra merge` proves that nothing is missing."""
        return {
            "number": self.shard.number,
            "of": self.shard.of,
            "cases": len(self.cases),
            "all_cases": len(self.all_cases),
            "matrix": _hash(self.all_cases.values()),
            "durations": self.durations,
            "selection": [*selection],
        }


SHARDED = pytest.StashKey[ShardedCases]()
"""The cases of a run with `--ultra-shard`; missing without it."""


def take_shard(config: pytest.Config, settings: Settings, cases: Mapping[str, Case]) -> Mapping[str, Case]:
    """Return the cases of this job's shard, all without `--ultra-shard`. Raises `pytest.UsageError`.

    All cases of a task are in one shard: its prompt types, which are compared in pairs, its models and its repeats.
    """
    if settings.shard is None:
        return cases
    durations = _read(settings)
    tasks = {name: case.task_key for name, case in cases.items()}
    sizes = Counter(tasks.values())
    if settings.shard.of > len(sizes):
        raise pytest.UsageError(
            f"--ultra-shard: {settings.shard} is a shard of {settings.shard.of}, but the run has "
            f"{count(len(sizes), 'task')}, and all cases of a task are in one shard; use at most {len(sizes)} shards"
        )
    weights, basis = _weigh(sizes, durations)
    shards = divide(weights, settings.shard.of)
    own = {name: case for name, case in cases.items() if shards[tasks[name]] == settings.shard.number}
    digest = None if durations is None else durations.digest
    config.stash[SHARDED] = ShardedCases(settings.shard, own, cases, basis, digest)
    return own


def find_selection(config: pytest.Config) -> list[str]:
    """Return what narrows the collected tests on the command line: all shards must have been narrowed alike."""
    expressions = {"-k": config.getoption("keyword", ""), "-m": config.getoption("markexpr", "")}
    found = [f"{flag} {shlex.quote(text)}" for flag, text in expressions.items() if text]
    found += [f"--deselect {shlex.quote(prefix)}" for prefix in config.getoption("deselect", None) or ()]
    return [*found, *(arg for arg in map(str, config.invocation_params.args) if "::" in arg and arg[0] != "-")]


def _read(settings: Settings) -> Durations | None:
    if settings.durations is None:
        return None
    try:
        return read_durations(settings.durations)
    except ConfigurationError as error:
        raise pytest.UsageError(f"--ultra-durations: {error}") from None


def _weigh(sizes: Mapping[TaskKey, int], durations: Durations | None) -> tuple[dict[TaskKey, int], str]:
    """Return a weight for each task, sorted by task, and its basis in words."""
    tasks = sorted(sizes)
    known = {} if durations is None else {key: s for key in tasks if (s := durations.seconds.get(task_name(key)))}
    if known:
        milliseconds = _fill(known, tasks)
        basis = f"by recorded durations (of {len(known):,} of {count(len(tasks), 'task')})"
        return {key: sizes[key] * milliseconds[key] for key in tasks}, basis
    basis = "by the steps of their tasks" if all(map(_is_built_in, tasks)) else "by number"
    reason = "" if durations is None else "; no task of this run is among the recorded durations"
    return {key: sizes[key] * _steps(key) for key in tasks}, basis + reason


def _fill(known: Mapping[TaskKey, float], tasks: Iterable[TaskKey]) -> dict[TaskKey, int]:
    """Return whole milliseconds: of tasks that are not known, the mean of the known ones like them, else of all."""
    like: dict[tuple[str, str], list[float]] = {}
    for key, seconds in known.items():
        like.setdefault((key.task_type, key.difficulty), []).append(seconds)
    mean = fmean(known.values())
    guesses = {level: fmean(found) for level, found in like.items()}
    return {
        key: max(1, round(1000 * known.get(key, guesses.get((key.task_type, key.difficulty), mean)))) for key in tasks
    }


def _steps(key: TaskKey) -> int:
    """Return twice the mean steps of tasks of this kind; 1 for a task of a suite of the user's own."""
    return sum(LEVELS[key.difficulty].steps_of(TaskType(key.task_type))) if _is_built_in(key) else 1


def _is_built_in(key: TaskKey) -> bool:
    return type(key) is TaskKey and key.task_type in set(TaskType)


def _hash(cases: Iterable[Case]) -> str:
    """Return a hash of all fields of the cases, in their order."""
    return hashlib.blake2b(msgspec.json.encode([*cases]), digest_size=8).hexdigest()
