"""The cache of generated tasks and workflows: generated once per run, by the first process that needs them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import msgspec
from filelock import FileLock

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import GENERATOR_VERSION, Case, SuiteTaskKey, TaskKey
from pytest_ultra.core.guidance import AnyGuidance, FlawedWorkflow, Guidance
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, UNREADABLE, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.guidance_file import GuidanceFile, Plans, Variant, Variants
from pytest_ultra.storage.stored_files import find_stored, read_stored


class Generate(Protocol):
    """Generates the guidance of a case; `task` and `optimal` are the result of an earlier call for the same task."""

    def __call__(self, case: Case, *, task: Any = None, optimal: Workflow | None = None) -> AnyGuidance: ...


class EarlierGuidance(Protocol):
    """Guidance of earlier runs."""

    def complete(self, generate: Generate) -> Generate:
        """Return a function that generates only what no earlier run has generated."""

    def keep(self, name: str, content: bytes) -> None:
        """Keep a task's file for later runs."""


class SharedGuidance(Protocol):
    """Guidance of other hosts, which share no disk with this one."""

    def hold(self, address: str) -> AbstractContextManager[Mapping[str, bytes]]:
        """Let no other host generate a task meanwhile; yield its files that others have shared, by name."""

    def share(self, address: str, name: str, content: bytes) -> None:
        """Share a task's file with other hosts."""


_FILE_NAME = re.compile(r"[0-9a-f]+-[0-9a-f]+\.json")


class GuidanceCache:
    """Guidance by case, in files of a directory that all processes of a run share.

    A file holds everything that one call of `fill` generated for one task. So 3,000 cases of 300 tasks cost 300
    fsyncs (0.1 s on an SSD) rather than 3,000, a task's world is stored once, and a kill loses at most one task.
    A file's name is a hash of everything that determines its content, including the generator version.
    """

    def __init__(
        self,
        directory: Path,
        task_type: type[Any],
        find_own_type: Callable[[], type[Any]] | None = None,
        shared: SharedGuidance | None = None,
    ) -> None:
        """Create a cache in `directory` that decodes tasks as `task_type`, the suite's record of a task.

        Tasks of a user's suite are decoded as what `find_own_type` returns, which is called when there is one. With
        `shared`, processes on other hosts are those that share the work too.
        """
        self._directory = directory
        self._decoder = _decoder(task_type)
        self._find_own_type = find_own_type or (lambda: task_type)
        self._shared = shared
        self._list_paths()
        self._load = lru_cache(maxsize=64)(lambda key, files: self._read(key))  # noqa: ARG005 - new files are read

    def fill(self, cases: Iterable[Case], generate: Generate, earlier: EarlierGuidance | None = None) -> int:
        """Generate the workflows that `cases` need and that are missing; return the number of calls of `generate`.

        Each task has a lock, so that processes share the work and none does it twice. The operating system releases it
        when its holder is killed; another process then generates that task again. What `earlier` has is taken from it.
        """
        wanted = _by_task(cases)
        return sum(self._fill_task(key, variants, generate, earlier) for key, variants in wanted.items())

    def get(self, case: Case) -> AnyGuidance:
        """Return the case's guidance; raise LookupError if no call of `fill` included the case.

        Raises ConfigurationError if a file that may hold it is damaged.
        """
        found = self._find(case)
        if found is None and self._listed_at != self._changed_at():  # another process may have generated it
            self._list_paths()
            found = self._find(case)
        if found is None:
            for path in self._paths.get(_address(case.task_key), ()):
                self._decode(path, case.task_key)
            raise LookupError(f"nothing was generated for {case}")
        return found

    def _find(self, case: Case) -> AnyGuidance | None:
        key, variant = case.task_key, Variant.of(case)
        for file in self._load(key, len(self._paths.get(_address(key), ()))):
            for plans in file.plans:
                if variant in plans.variants():
                    alternative = plans.alternative if variant.is_alternative else None
                    return Guidance(file.task, plans.optimal, plans.find_flawed(variant), alternative)
        return None

    def _fill_task(self, key: TaskKey, variants: Variants, generate: Generate, earlier: EarlierGuidance | None) -> int:
        absent = self._find_absent(key, variants)
        if not absent:
            return 0
        if isinstance(key, SuiteTaskKey):  # made by a user's code, which may have changed
            earlier = None
        self._directory.mkdir(parents=True, exist_ok=True)
        address = _address(key)
        path = self._directory / f"{address}-{_digest(list(absent))}.json"
        with FileLock(self._directory / f"lock-{address[:2]}").acquire(poll_interval=0.02):
            if path.exists():
                self._add_path(path)
            absent = self._find_absent(key, absent)
            if not absent:
                return 0
            with self._hold(address) as files:
                self._take(key, files)
                return self._generate(key, self._find_absent(key, absent), path, generate, earlier)

    def _hold(self, address: str) -> AbstractContextManager[Mapping[str, bytes]]:
        return nullcontext({}) if self._shared is None else self._shared.hold(address)

    def _take(self, key: TaskKey, files: Mapping[str, bytes]) -> None:
        """Write a task's files from other hosts; leave out a damaged one, which is generated again."""
        for name, content in files.items():
            path = self._directory / name
            if _FILE_NAME.fullmatch(name) and _address_in(path) == _address(key):
                with suppress(*UNREADABLE):
                    self._decoder_of(key).decode(content)
                    write_atomically(path, content)
                    self._add_path(path)

    def _find_absent(self, key: TaskKey, variants: Variants) -> Variants:
        existing = {variant for file in self._read(key) for plans in file.plans for variant in plans.variants()}
        return {variant: case for variant, case in variants.items() if variant not in existing}

    def _generate(
        self, key: TaskKey, variants: Variants, path: Path, generate: Generate, earlier: EarlierGuidance | None
    ) -> int:
        if not variants:
            return 0
        known = self._read(key)
        draft = _Draft(
            known[0].task if known else None, {p.conditions: p.optimal for file in known for p in file.plans}
        )
        source = generate if earlier is None else earlier.complete(generate)
        generated = sum(draft.add(variant, case, source) for variant, case in variants.items())
        content = encode(draft.finish())
        write_atomically(path, content)
        self._add_path(path)
        if self._shared is not None:
            self._shared.share(_address(key), path.name, content)
        if earlier is not None:
            earlier.keep(path.name, content)
        return generated

    def _read(self, key: TaskKey) -> tuple[GuidanceFile[Any], ...]:
        """Return what is on disk for a task; a file that cannot be read is generated again."""
        files = []
        for path in self._paths.get(_address(key), ()):
            with suppress(ConfigurationError):
                files.append(self._decode(path, key))
        return tuple(files)

    def _decode(self, path: Path, key: TaskKey) -> GuidanceFile[Any]:
        try:
            file: GuidanceFile[Any] = self._decoder_of(key).decode(self._read_content(path))
        except UNREADABLE as error:
            raise ConfigurationError(f"{str(path)!r} is unreadable: {error}") from error
        return file

    def _decoder_of(self, key: TaskKey) -> msgspec.json.Decoder[GuidanceFile[Any]]:
        return self._own_decoder if isinstance(key, SuiteTaskKey) else self._decoder

    @cached_property
    def _own_decoder(self) -> msgspec.json.Decoder[GuidanceFile[Any]]:
        return _decoder(self._find_own_type())

    def _read_content(self, path: Path) -> bytes:
        return read_stored(path)

    def _list_paths(self) -> None:
        self._listed_at = self._changed_at()
        paths: dict[str, list[Path]] = {}
        for path in find_stored(self._directory, "*-*.json"):
            paths.setdefault(_address_in(path), []).append(path)
        self._paths = paths

    def _changed_at(self) -> int | None:
        """Return when a file was last added to the folder, None if there is no folder."""
        try:
            return self._directory.stat().st_mtime_ns
        except OSError:
            return None

    def _add_path(self, path: Path) -> None:
        paths = self._paths.setdefault(_address_in(path), [])
        if path not in paths:
            paths.append(path)


def _decoder(task_type: type[Any]) -> msgspec.json.Decoder[GuidanceFile[Any]]:
    return msgspec.json.Decoder(GuidanceFile[task_type])  # type: ignore[valid-type]  # it is a value


class _Draft:
    """A task's file while its workflows are generated."""

    def __init__(self, task: Any, optimal: dict[tuple[float, int], Workflow]) -> None:
        self._task = task
        self._optimal = optimal
        self._flawed: dict[tuple[float, int], list[FlawedWorkflow]] = {}
        self._alternative: dict[tuple[float, int], Workflow] = {}

    def add(self, variant: Variant, case: Case, generate: Generate) -> bool:
        """Generate a variant and return True; return False if it is optimal and a flawed variant has generated it."""
        flaws = self._flawed.setdefault(variant.conditions, [])
        is_optimal = variant.flaw_kind is None and not variant.is_alternative
        if is_optimal and variant.conditions in self._optimal:
            return False
        guidance = generate(case, task=self._task, optimal=self._optimal.get(variant.conditions))
        self._task, self._optimal[variant.conditions] = guidance.task, guidance.optimal
        flaws += _check_flaw(variant, case, guidance)
        if variant.is_alternative:
            self._alternative[variant.conditions] = _check_alternative(case, guidance)
        return True

    def finish(self) -> GuidanceFile[Any]:
        if self._task is None:
            raise LookupError("nothing was generated")
        plans = (
            Plans(*key, self._optimal[key], tuple(flaws), self._alternative.get(key))
            for key, flaws in self._flawed.items()
        )
        return GuidanceFile(self._task, tuple(plans))


def _check_flaw(variant: Variant, case: Case, guidance: AnyGuidance) -> tuple[FlawedWorkflow, ...]:
    if variant.flaw_kind is None:
        return ()
    flawed = guidance.flawed and msgspec.structs.replace(guidance.flawed, wanted_visibility=variant.visibility)
    got = Variant.for_flaw(variant.conditions, flawed) if flawed else None
    if flawed is None or got != variant:
        generated = "none" if got is None else _describe(got)
        raise ConfigurationError(
            f"workflow generator: it generated flaw {generated} for {case}; it must generate {_describe(variant)}"
        )
    return (flawed,)


def _check_alternative(case: Case, guidance: AnyGuidance) -> Workflow:
    if guidance.alternative is None:
        raise ConfigurationError(f"workflow generator: it generated no alternative workflow for {case}")
    return guidance.alternative


def _describe(variant: Variant) -> str:
    composed = "" if variant.flaws == 1 else f" of {variant.flaws} kinds"
    return f"{variant.flaw_kind} ({variant.severity}){composed}"


_GENERATED_LAST = (PromptType.BASELINE, PromptType.COT, PromptType.OPTIMAL)


def _by_task(cases: Iterable[Case]) -> dict[TaskKey, Variants]:
    """Group the variants by task, those with the optimal workflow alone last: any other generates that too."""
    wanted: dict[TaskKey, Variants] = {}
    for case in sorted(cases, key=lambda case: case.prompt_type in _GENERATED_LAST):
        wanted.setdefault(case.task_key, {}).setdefault(Variant.of(case), case)
    return wanted


def _address_in(path: Path) -> str:
    return path.name.partition("-")[0]


def _address(key: TaskKey) -> str:
    return _digest([SCHEMA_VERSION, GENERATOR_VERSION, key])


def _digest(content: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(content), digest_size=12).hexdigest()
