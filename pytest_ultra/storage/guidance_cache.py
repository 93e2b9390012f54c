"""The cache of generated tasks and workflows: generated once per run, by the first process that needs them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Protocol

import msgspec
from filelock import FileLock

from pytest_ultra.core.axes import FlawKind, PromptType, Severity, Visibility
from pytest_ultra.core.case import GENERATOR_VERSION, Case, SuiteTaskKey, TaskKey
from pytest_ultra.core.guidance import AnyGuidance, FlawedWorkflow, Guidance, TaskT
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, UNREADABLE, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.stored_files import find_stored, read_stored


class Generate(Protocol):
    """Generates the guidance of a case; `task` and `optimal` are the result of an earlier call for the same task."""

    def __call__(self, case: Case, *, task: Any = None, optimal: Workflow | None = None) -> AnyGuidance: ...


class Variant(msgspec.Struct, frozen=True):
    """The inputs of a case's guidance besides the task."""

    tool_success_rate: float
    max_turns: int
    flaw_kind: FlawKind | None
    severity: Severity | None
    flaws: int = 1
    visibility: Visibility | None = None
    is_alternative: bool = False

    @classmethod
    def of(cls, case: Case) -> Variant:
        kind = case.prompt_type.flaw_kind
        flaws = case.flaws if kind else 1
        conditions = (case.tool_success_rate, case.max_turns)
        is_alternative = case.prompt_type is PromptType.ALTERNATIVE
        return cls(*conditions, kind, case.severity, flaws, case.flaw_visibility if kind else None, is_alternative)

    @classmethod
    def for_flaw(cls, conditions: tuple[float, int], flawed: FlawedWorkflow) -> Variant:
        return cls(*conditions, flawed.kind, flawed.severity, flawed.flaws, flawed.wanted_visibility)

    @property
    def conditions(self) -> tuple[float, int]:
        """The inputs of the optimal workflow."""
        return self.tool_success_rate, self.max_turns


_Variants = dict[Variant, Case]


class Plans(msgspec.Struct, frozen=True):
    """The workflows of one task for one tool success rate and one turn limit."""

    tool_success_rate: float
    max_turns: int
    optimal: Workflow
    flawed: tuple[FlawedWorkflow, ...]
    alternative: Workflow | None = None

    @property
    def conditions(self) -> tuple[float, int]:
        return self.tool_success_rate, self.max_turns

    def variants(self) -> Iterator[Variant]:
        yield Variant(*self.conditions, None, None)
        if self.alternative is not None:
            yield Variant(*self.conditions, None, None, is_alternative=True)
        for flawed in self.flawed:
            yield Variant.for_flaw(self.conditions, flawed)

    def find_flawed(self, variant: Variant) -> FlawedWorkflow | None:
        return next((f for f in self.flawed if Variant.for_flaw(self.conditions, f) == variant), None)


class GuidanceFile(msgspec.Struct, Generic[TaskT], frozen=True):
    """The task and the workflows that one call of `fill` generated for it."""

    task: TaskT
    plans: tuple[Plans, ...]


class GuidanceCache:
    """Guidance by case, in files of a directory that all processes of a run share.

    A file holds everything that one call of `fill` generated for one task. So 3,000 cases of 300 tasks cost 300
    fsyncs (0.1 s on an SSD) rather than 3,000, a task's world is stored once, and a kill loses at most one task.
    A file's name is a hash of everything that determines its content, including the generator version.
    """

    def __init__(self, directory: Path, task_type: type[Any], own_task_type: type[Any] | None = None) -> None:
        """Create a cache in `directory` that decodes tasks as `task_type`, the suite's record of a task.

        Tasks of a user's suite are decoded as `own_task_type`.
        """
        self._directory = directory
        self._decoders = tuple(map(_decoder, (task_type, own_task_type or task_type)))
        self._list_paths()
        self._load = lru_cache(maxsize=64)(self._read)

    def fill(self, cases: Iterable[Case], generate: Generate) -> int:
        """Generate the workflows that `cases` need and that are missing; return the number of calls of `generate`.

        This holds the directory's file lock, which the operating system releases when the process is killed. The
        tasks that a killed process has finished are kept; the next process generates the unfinished one again.
        """
        wanted = _by_task(cases)
        if not self._find_missing(wanted):
            return 0
        self._directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self._directory / "lock").acquire(poll_interval=0.02):
            missing = self._find_missing(wanted)
            generated = sum(self._generate(key, variants, generate) for key, variants in missing.items())
            self._list_paths()
        self._load.cache_clear()
        return generated

    def get(self, case: Case) -> AnyGuidance:
        """Return the case's guidance; raise LookupError if no call of `fill` included the case.

        Raises ConfigurationError if a file that may hold it is damaged.
        """
        variant = Variant.of(case)
        for file in self._load(case.task_key):
            for plans in file.plans:
                if variant in plans.variants():
                    alternative = plans.alternative if variant.is_alternative else None
                    return Guidance(file.task, plans.optimal, plans.find_flawed(variant), alternative)
        for path in self._paths.get(_address(case.task_key), ()):
            self._decode(path, case.task_key)
        raise LookupError(f"nothing was generated for {case}")

    def _find_missing(self, wanted: dict[TaskKey, _Variants]) -> dict[TaskKey, _Variants]:
        self._list_paths()
        missing = {}
        for key, variants in wanted.items():
            existing = {variant for file in self._read(key) for plans in file.plans for variant in plans.variants()}
            if absent := {variant: case for variant, case in variants.items() if variant not in existing}:
                missing[key] = absent
        return missing

    def _generate(self, key: TaskKey, variants: _Variants, generate: Generate) -> int:
        known = self._read(key)
        draft = _Draft(
            known[0].task if known else None, {p.conditions: p.optimal for file in known for p in file.plans}
        )
        generated = sum(draft.add(variant, case, generate) for variant, case in variants.items())
        name = f"{_address(key)}-{_digest(list(variants))}.json"
        write_atomically(self._directory / name, encode(draft.finish()))
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
            decoder = self._decoders[isinstance(key, SuiteTaskKey)]
            file: GuidanceFile[Any] = decoder.decode(read_stored(path))
        except UNREADABLE as error:
            raise ConfigurationError(f"{str(path)!r} is unreadable: {error}") from error
        return file

    def _list_paths(self) -> None:
        self._paths: dict[str, list[Path]] = {}
        for path in find_stored(self._directory, "*-*.json"):
            self._paths.setdefault(path.name.partition("-")[0], []).append(path)


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


def _by_task(cases: Iterable[Case]) -> dict[TaskKey, _Variants]:
    """Group the variants by task, those with the optimal workflow alone last: any other generates that too."""
    wanted: dict[TaskKey, _Variants] = {}
    for case in sorted(cases, key=lambda case: case.prompt_type in _GENERATED_LAST):
        wanted.setdefault(case.task_key, {}).setdefault(Variant.of(case), case)
    return wanted


def _address(key: TaskKey) -> str:
    return _digest([SCHEMA_VERSION, GENERATOR_VERSION, key])


def _digest(content: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(content), digest_size=12).hexdigest()
