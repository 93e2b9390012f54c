"""The guidance cache generates each workflow exactly once, whichever process needs it and whichever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance as make_real_guidance
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.guidance_file import Variant
from tests.results_factory import make_case, make_guidance

CASES = [make_case(prompt_type, instance=n) for n in range(3) for prompt_type in PromptType]

FILL = """
import os, sys, time
from pathlib import Path
from typing import Any
from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.guidance_file import Variant
from tests.results_factory import make_guidance
from tests.storage.test_guidance_cache import CASES

directory, may_hang = Path(sys.argv[1]), sys.argv[2] == "hang"
log = directory / "generated.log"
calls = []

def generate(case, **known):
    with log.open("a") as file:
        file.write(f"{os.getpid()} {case.case_id}\\n")
    calls.append(case)
    if may_hang and len(calls) == 2:
        try:
            with (directory / "hanging").open("x") as file:
                file.write(str(os.getpid()))
            time.sleep(60)  # until killed
        except FileExistsError:
            pass
    time.sleep(0.01)
    return make_guidance(case, **known)

(directory / f"{os.getpid()}.ready").touch()
while len(list(directory.glob("*.ready"))) < 4:
    time.sleep(0.001)
cache = GuidanceCache(directory / "cache", BENCHMARK.task_type)
cache.fill(CASES, generate)
assert all(cache.get(case) == make_guidance(case) for case in CASES)
"""


class Generator:
    """Records the cases that it is called for."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.known: list[tuple[bool, bool]] = []

    def __call__(self, case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> AnyGuidance:
        self.cases.append(case)
        self.known.append((task is not None, optimal is not None))
        return make_guidance(case, task=task, optimal=optimal)


@pytest.fixture
def generator() -> Generator:
    return Generator()


@pytest.fixture
def cache(tmp_path: Path) -> GuidanceCache:
    return GuidanceCache(tmp_path / "guidance", BENCHMARK.task_type)


def test_generated_guidance_is_read_back(tmp_path: Path, cache: GuidanceCache) -> None:
    cache.fill(CASES, make_guidance)
    for reader in (cache, GuidanceCache(tmp_path / "guidance", BENCHMARK.task_type)):
        reader.fill(CASES, make_guidance)
        assert [reader.get(case) for case in CASES] == [make_guidance(case) for case in CASES]


def test_the_benchmarks_guidance_is_equal_after_a_round_trip(cache: GuidanceCache) -> None:
    cases = [make_case(p, task_type=task_type) for task_type in TaskType for p in PromptType]
    cases += [make_case(p, task_type=task_type, flaws=2) for task_type in TaskType for p in FLAWED_PROMPT_TYPES]
    cache.fill(cases, make_real_guidance)
    assert [cache.get(case) for case in cases] == [make_real_guidance(case) for case in cases]


def test_a_workflow_is_generated_once_for_all_models_repeats_and_prompts(
    cache: GuidanceCache, generator: Generator
) -> None:
    models = [make_case(p, model=m, repeat=r) for m in ("a", "b") for r in (0, 1) for p in PromptType]
    assert cache.fill(models, generator) == 8
    assert [case.prompt_type for case in generator.cases] == [*FLAWED_PROMPT_TYPES, PromptType.ALTERNATIVE]
    assert generator.known == [(False, False)] + [(True, True)] * 7


def test_only_what_is_missing_is_generated(cache: GuidanceCache, generator: Generator) -> None:
    cache.fill([make_case(PromptType.OPTIMAL)], make_guidance)
    more = [make_case(PromptType.COT), make_case(FLAWED_PROMPT_TYPES[0]), make_case(instance=1)]
    assert cache.fill(more, generator) == 2
    assert generator.cases == more[1:]
    assert generator.known == [(True, True), (False, False)]
    assert cache.fill(more, generator) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"tool_success_rate": 0.6},
        {"max_turns": 5},
        {"severity": Severity.LIGHT},
        {"seed": 1},
        {"instance": 1},
        {"flaws": 2},
    ],
)
def test_each_axis_that_changes_a_workflow_makes_another(
    cache: GuidanceCache, generator: Generator, other: dict[str, Any]
) -> None:
    prompt_type = PromptType.FLAWED_MISSING_STEP
    cases = [make_case(prompt_type), make_case(prompt_type, **other)]
    assert cache.fill(cases, generator) == 2
    assert generator.cases == cases
    assert [cache.get(case) for case in cases] == [make_guidance(case) for case in cases]


def test_guidance_that_was_never_requested_is_missing(cache: GuidanceCache) -> None:
    cache.fill([make_case()], make_guidance)
    with pytest.raises(LookupError, match=r"nothing was generated for Case\(model='gpt-4o-mini'"):
        cache.get(make_case(PromptType.FLAWED_MISSING_STEP))


@pytest.mark.parametrize(
    ("made_for", "generated"),
    [(PromptType.OPTIMAL, "none"), (PromptType.FLAWED_TOOL_MISUSE, r"tool_misuse \(severe\)")],
)
def test_a_generator_that_makes_a_wrong_flaw_is_reported(
    cache: GuidanceCache, made_for: PromptType, generated: str
) -> None:
    def wrong(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> AnyGuidance:
        other = msgspec.structs.replace(case, prompt_type=made_for)
        return make_guidance(other, task=task, optimal=optimal)

    message = (
        rf"^workflow generator: it generated flaw {generated} for Case\(.*\); "
        r"it must generate missing_step \(severe\)$"
    )
    with pytest.raises(ConfigurationError, match=message):
        cache.fill([make_case(PromptType.FLAWED_MISSING_STEP)], wrong)


def test_a_generator_that_composes_too_few_flaws_is_reported(cache: GuidanceCache) -> None:
    def wrong(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> AnyGuidance:
        return make_guidance(msgspec.structs.replace(case, flaws=1), task=task, optimal=optimal)

    message = (
        r"generated flaw missing_step \(severe\) for Case\(.*\); it must generate missing_step \(severe\) of 2 kinds$"
    )
    with pytest.raises(ConfigurationError, match=message):
        cache.fill([make_case(PromptType.FLAWED_MISSING_STEP, flaws=2)], wrong)


def test_guidance_of_another_process_is_found_without_filling(tmp_path: Path, cache: GuidanceCache) -> None:
    cache.fill(CASES, make_guidance)
    assert GuidanceCache(tmp_path / "guidance", BENCHMARK.task_type).get(CASES[0]) == make_guidance(CASES[0])


def test_a_generator_that_fails_releases_the_lock_and_keeps_finished_tasks(
    cache: GuidanceCache, generator: Generator
) -> None:
    def failing(case: Case, *, task: Task | None = None, optimal: Workflow | None = None) -> AnyGuidance:
        if case.instance == 1:
            raise OSError("no planner")
        return make_guidance(case, task=task, optimal=optimal)

    with pytest.raises(OSError, match="no planner"):
        cache.fill(CASES, failing)
    assert cache.fill(CASES, generator) == 16
    assert {case.instance for case in generator.cases} == {1, 2}


def start(directory: Path, mode: str = "") -> subprocess.Popen[bytes]:
    """Start one of four processes that fill the cache; with `hang`, the first to generate a second workflow hangs."""
    command = [sys.executable, "-c", FILL, str(directory), mode]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])  # noqa: S603 - our own script


def generated(directory: Path) -> list[tuple[int, str]]:
    log = directory / "generated.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(pid), case_id) for pid, case_id in map(str.split, lines)]


def test_four_processes_that_start_together_generate_everything_once(tmp_path: Path) -> None:
    processes = [start(tmp_path) for _ in range(4)]
    assert [process.wait(30) for process in processes] == [0] * 4
    cases = [case_id for _, case_id in generated(tmp_path)]
    assert len(cases) == len(set(cases)) == 24


def test_if_the_lock_holder_is_killed_another_process_does_its_task(tmp_path: Path) -> None:
    processes = {process.pid: process for process in (start(tmp_path, "hang") for _ in range(4))}
    deadline = time.monotonic() + 20
    hanging = tmp_path / "hanging"
    while not (hanging.exists() and hanging.read_text()) and time.monotonic() < deadline:
        time.sleep(0.005)
    holder = int(hanging.read_text())
    os.kill(holder, signal.SIGKILL)
    codes = {pid: process.wait(30) for pid, process in processes.items()}
    assert codes == {pid: -signal.SIGKILL if pid == holder else 0 for pid in processes}
    by_holder = [case_id for pid, case_id in generated(tmp_path) if pid == holder]
    by_others = [case_id for pid, case_id in generated(tmp_path) if pid != holder]
    assert len(by_others) == len(set(by_others)) == 24
    assert len(by_holder) == 2  # which the kill discarded


def test_a_variant_has_the_conditions_of_the_optimal_workflow() -> None:
    assert Variant.of(make_case(PromptType.FLAWED_MISSING_STEP, tool_success_rate=0.5)).conditions == (0.5, 30)
