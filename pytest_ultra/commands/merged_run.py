"""Merges the runs of several CI jobs into one, after checking that they are parts of one matrix."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.core.axes import FLAWED_MARK, FaultKind
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Outcome
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.episode_index import IndexedEpisode, index_episodes, newest_episodes
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.journal import DamagedLine, describe_damage, journal_path, read_journals
from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.reuse import Plan, read_plan, write_plan
from pytest_ultra.storage.run_description import ShardRecord
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, lock_run, read_run_end, write_run_end
from pytest_ultra.storage.stored_files import find_stored, read_stored

AXES = ("model", "agent", "prompt_type", "task_type", "difficulty", "severity", "prompt_variant", "tool_success_rate")
"""The options in which jobs may differ, because they share the matrix."""
COMMON = (
    *("instances", "repeats", "seed", "max_turns", "timeout", "temperature"),
    *("flaws_per_case", "flaw_visibility", "tool_protocol", "tool_discovery", "fault_kind"),
)
"""The options that must be the same, because the outcome of a case depends on them."""
_WHEN_MISSING: dict[str, list[Any]] = {"fault_kind": [FaultKind.TRANSIENT.value], "agent": []}
"""The values of options that came later, in runs from before."""
BY_MODEL = ("request", "header")
"""The options that are stored for each model."""


class Part(msgspec.Struct, frozen=True):
    """One of the runs to merge, as it is on disk."""

    run: RunDirectory
    described: dict[str, Any]
    plan: Plan
    episodes: dict[str, IndexedEpisode]
    damage: tuple[str, ...]
    """Which lines of its journals cannot be read."""

    @property
    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = self.described.get("options", {})
        return options

    @property
    def shard(self) -> ShardRecord | None:
        """Which shard of a run with `--ultra-shard` it is."""
        return msgspec.convert(self.described.get("shard"), ShardRecord | None)

    @property
    def missing(self) -> list[str]:
        """The node ids of the planned cases that were not run."""
        return [
            nodeid
            for case_id, nodeid in self.plan.nodeids.items()
            if case_id not in self.episodes or self.episodes[case_id].outcome is Outcome.SKIPPED
        ]


def find_parts(paths: Iterable[Path]) -> list[Part]:
    """Return the runs at or under each path, each once, without superseded ones.

    A run is superseded by later runs in the same folder that planned all of its cases, as when it was interrupted and
    resumed.
    """
    runs = {path.resolve(): path for given in paths for path in _find_runs(given)}
    folders: dict[Path, list[Part]] = {}
    for resolved, path in sorted(runs.items(), reverse=True):
        siblings = folders.setdefault(resolved.parent, [])
        part = _read(RunDirectory(path))
        if not siblings or not part.plan.nodeids.keys() <= {id_ for other in siblings for id_ in other.plan.nodeids}:
            siblings.append(part)
    return [part for folder in sorted(folders) for part in reversed(folders[folder])]


def _find_runs(path: Path) -> list[Path]:
    if (path / "run.json").is_file():
        return [path.resolve() if path.is_symlink() else path]  # the user may name a link
    found = sorted(file.parent for file in path.rglob("run.json") if not file.parent.is_symlink())
    if not found:
        raise ConfigurationError(
            f"{str(path)!r} holds no run; give a run's directory, an .ultra folder, or an artifact that contains one"
        )
    return found


def _read(run: RunDirectory) -> Part:
    plan = read_plan(run)
    if plan is None or plan.nodeids.keys() != plan.cases.keys():
        raise ConfigurationError(
            f"the run {run.run_id} has no stored plan; it was made by an older pytest-ultra, or was interrupted early"
        )
    damaged, readable = [], set()
    for line in read_journals(run):
        if isinstance(line, DamagedLine):
            damaged.append(line)
        else:
            readable.add(line.place)
    episodes = newest_episodes(indexed for indexed in index_episodes(run) if indexed.place in readable)
    return Part(run, run.describe(), plan, episodes, describe_damage(run, damaged))


def check_parts(parts: Sequence[Part], *, is_incomplete_allowed: bool) -> None:
    """Raise ConfigurationError unless the parts have ended, share a configuration and no case, and are complete."""
    for part in parts:
        if find_state(part.run) is State.RUNNING:
            raise ConfigurationError(f"the run {part.run.run_id} is still running; merge it when it has ended")
    _check_common(parts, "versions", [part.described.get("versions") for part in parts])
    for name in COMMON:
        _check_common(parts, name, [part.options.get(name, _WHEN_MISSING.get(name)) for part in parts])
    for model in _union(part.options.get("model", ()) for part in parts):
        shared = [part for part in parts if model in part.options.get("model", ())]
        _check_common(
            shared, f"request of {model}", [part.options.get("request", {}).get(model, {}) for part in shared]
        )
    _check_distinct(parts)
    if not is_incomplete_allowed:
        _check_complete(parts)


def _check_common(parts: Sequence[Part], name: str, values: Sequence[Any]) -> None:
    for part, value in zip(parts, values, strict=True):
        if value != values[0]:
            raise ConfigurationError(
                f"the runs have different configurations: {name} is {values[0]} in {parts[0].run.run_id} and {value} "
                f"in {part.run.run_id}; only these options may differ: {', '.join(AXES)}"
            )


def _check_distinct(parts: Sequence[Part]) -> None:
    owners: dict[str, Part] = {}
    for part in parts:
        shared = [case_id for case_id in part.plan.nodeids if case_id in owners]
        if shared:
            other = owners[shared[0]].run.run_id
            raise ConfigurationError(
                f"{count(len(shared), 'case')} of the run {part.run.run_id} were planned by another run as well, "
                f"such as {part.plan.nodeids[shared[0]]} by {other}; a case may be in one run only: leave one run out"
            )
        owners |= dict.fromkeys(part.plan.nodeids, part)


def _check_complete(parts: Sequence[Part]) -> None:
    for part in parts:
        if part.missing:
            raise ConfigurationError(
                f"the run {part.run.run_id} is not complete: {len(part.missing):,} of its "
                f"{count(len(part.plan.nodeids), 'planned case')} were not run, such as {part.missing[0]}; resume "
                "it, or merge without them by --incomplete"
            )


def find_gap(parts: Sequence[Part]) -> int:
    """Return how many cases of the matrix are in no part, which means that a part may be missing.

    Return 0 if the parts name different matrices, because then nothing says what the whole is.
    """
    axes = [{name: part.options.get(name, _WHEN_MISSING.get(name)) for name in AXES} for part in parts]
    if all(part.shard is not None for part in parts):  # their records say what the whole is
        return 0
    if any(each != axes[0] for each in axes) or None in axes[0].values():
        return 0
    if parts[0].options.get("suite"):  # which plans its tasks can have is not in the options
        return 0
    planned = sum(len(part.plan.nodeids) for part in parts)
    return max(0, _matrix_size(parts[0].options) - planned)


def _matrix_size(options: dict[str, Any]) -> int:
    flawed = sum(name.startswith(FLAWED_MARK) for name in options["prompt_type"])
    variants = len(options["prompt_type"]) - flawed + flawed * len(options["severity"])
    tested = len(options["model"]) + len(options.get("agent", ()))
    others = [len(options[name]) for name in AXES if name not in ("model", "agent", "prompt_type", "severity")]
    return prod([variants, tested, options["instances"], options["repeats"], *others])


def merge(parts: Sequence[Part], root: Path, missing_shards: str = "") -> RunDirectory:
    """Write one run with all parts, workflows included, under `root`; the parts are not changed.

    `missing_shards` names shards that are in no part.
    """
    run = RunDirectory.create(root, _describe(parts), started_at=time.time())
    lock = lock_run(run)
    try:
        _copy_guidance(run, parts)
        write_plan(run, _join_plans(parts))
        write_atomically(journal_path(run, "merged"), _lines(parts))
        write_run_end(run, _join_ends(parts, missing_shards))
    except BaseException:
        run.discard()
        raise
    finally:
        lock.release()
    (run.path / "lock").unlink(missing_ok=True)
    return run


def _describe(parts: Sequence[Part]) -> dict[str, Any]:
    """Describe what made the parts; where they differ in more than axes, `merged_from` has the value of each."""
    described = [part.described for part in parts]
    common = {
        name: value
        for name, value in described[0].items()
        if name not in ("run_id", "schema_version", "shard") and all(other.get(name) == value for other in described)
    }
    axes = {name: _union(part.options.get(name, ()) for part in parts) for name in AXES}
    own = ("run_id", "started_at", "pytest_ultra", "python", "git", "command", "shard")
    return common | {
        "started_at": min(each["started_at"] for each in described),
        "options": parts[0].options | axes | {name: _join_by_model(parts, name) for name in BY_MODEL} | {"shard": None},
        "models": _union(each.get("models", ()) for each in described),
        "merged_from": [{name: each[name] for name in own if name in each} for each in described],
    }


def _join_by_model(parts: Sequence[Part], name: str) -> dict[str, Any]:
    return {model: value for part in parts for model, value in part.options.get(name, {}).items()}


def _union(lists: Iterable[Iterable[Any]]) -> list[Any]:
    union: list[Any] = []
    for value in (value for values in lists for value in values):
        if value not in union:
            union.append(value)
    return union


def _join_plans(parts: Sequence[Part]) -> Plan:
    nodeids = {case_id: nodeid for part in parts for case_id, nodeid in part.plan.nodeids.items()}
    cases = {case_id: case for part in parts for case_id, case in part.plan.cases.items()}
    if all(part.shard is not None for part in parts):
        cases = dict(sorted(cases.items(), key=lambda item: _place(item[1], parts[0].options)))
        nodeids = {case_id: nodeids[case_id] for case_id in cases}
    return Plan(is_new_start=True, nodeids=nodeids, cases=cases, versions=parts[0].plan.versions)


def _place(case: Case, options: Mapping[str, Any]) -> tuple[int, ...]:
    """Return where the task of a case comes in the one run that shards are of."""
    names = ("task_type", "difficulty", "tool_success_rate")
    values = [(options.get(name, []), getattr(case, name)) for name in names]
    return (case.instance, case.repeat, *(listed.index(own) if own in listed else 0 for listed, own in values))


def _lines(parts: Sequence[Part]) -> Iterator[bytes]:
    """Yield the newest journal line of each planned case, byte by byte as it was written."""
    for part in parts:
        for case_id in part.plan.nodeids:
            indexed = part.episodes.get(case_id)
            if indexed is not None:
                yield indexed.read_line().rstrip(b"\n") + b"\n"


def _join_ends(parts: Sequence[Part], missing_shards: str) -> RunEnd:
    ends = [end for part in parts if (end := read_run_end(part.run)) is not None]
    cases = sum(len(part.missing) for part in parts)
    missing = " and ".join(filter(None, (missing_shards, count(cases, "planned case") if cases else "")))
    return RunEnd(
        exit_status=max((end.exit_status for end in ends), default=1),
        ended_at=max((end.ended_at for end in ends), default=time.time()),
        interruption=f"merged without {missing}" if missing else None,
    )


def _copy_guidance(run: RunDirectory, parts: Sequence[Part]) -> None:
    run.guidance.mkdir()
    for part in parts:
        for path in find_stored(part.run.guidance, "*.json"):
            copy, content = run.guidance / path.name, read_stored(path)
            if copy.exists() and copy.read_bytes() != content:
                raise ConfigurationError(
                    f"the run {part.run.run_id} has other workflows for the same task than another run (in "
                    f"{path.name}); make your own generator give the same in each job, or generate them once"
                )
            write_atomically(copy, content, is_durable=False)
