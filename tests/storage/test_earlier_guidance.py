"""Guidance of earlier runs: taken instead of generated, whatever has happened to its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.storage.earlier_guidance import EarlierRuns
from pytest_ultra.storage.guidance_cache import GuidanceCache
from tests.results_factory import make_case, make_guidance

CASES = [make_case(PromptType.OPTIMAL), make_case(FLAWED_PROMPT_TYPES[0]), make_case(instance=1)]


class Run:
    """Fills the cache of a new run, and records what is generated."""

    def __init__(self, root: Path, cases: list[Case]) -> None:
        self.generated: list[Case] = []
        number = len(list(root.glob("runs/*")))
        cache = GuidanceCache(root / f"runs/{number}", BENCHMARK.task_type)
        cache.fill(cases, self.generate, EarlierRuns(root, BENCHMARK.task_type))
        self.guidance = [cache.get(case) for case in cases]

    def generate(self, case: Case, **known: Any) -> AnyGuidance:
        self.generated.append(case)
        return make_guidance(case, **known)


def test_a_second_run_generates_nothing(tmp_path: Path) -> None:
    first, second = Run(tmp_path, CASES), Run(tmp_path, CASES)
    assert len(first.generated) == 2  # one of each task: the flawed case brings the optimal workflow
    assert second.generated == []
    assert second.guidance == first.guidance == [make_guidance(case) for case in CASES]


def test_a_run_with_more_cases_generates_the_rest_with_the_same_task(tmp_path: Path) -> None:
    Run(tmp_path, CASES)
    more = [*CASES, make_case(FLAWED_PROMPT_TYPES[1])]
    assert Run(tmp_path, more).generated == more[-1:]
    assert Run(tmp_path, more).generated == []


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def change(path: Path) -> None:
    """Leave valid JSON that says something else."""
    path.write_bytes(path.read_bytes().replace(b'"draw":', b'"drew":', 1))


@pytest.mark.parametrize("damage", [truncate, change, Path.unlink])
def test_a_damaged_file_is_generated_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    first = Run(tmp_path, CASES[:2])
    (kept,) = tmp_path.glob("guidance/*/*.json")
    damage(kept)
    again = Run(tmp_path, CASES[:2])
    assert again.generated == first.generated
    assert again.guidance == first.guidance
    assert Run(tmp_path, CASES[:2]).generated == []


def test_another_version_of_the_generator_takes_its_place(tmp_path: Path) -> None:
    other = tmp_path / "guidance" / "0123456789abcdef"
    other.mkdir(parents=True)
    Run(tmp_path, CASES)
    assert not other.exists()


def test_a_folder_that_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "guidance").write_text("a file")
    assert len(Run(tmp_path, CASES).generated) == len(Run(tmp_path, CASES).generated) == 2
