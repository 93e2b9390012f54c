"""Tasks are generated one by one, each before its own tests, and its episodes start at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.worker.task_generation import TaskGeneration
from tests.results_factory import make_case, make_guidance

CASES = [
    make_case(prompt_type, instance=instance)
    for instance in range(3)
    for prompt_type in (PromptType.OPTIMAL, PromptType.COT)
]
FIRST, SECOND, THIRD = CASES[:2], CASES[2:4], CASES[4:]


class Shard:
    """Records what is started; the generation of the tasks of these instances fails."""

    def __init__(
        self, folder: Path, failing: tuple[int, ...] = (), error: Callable[[str], BaseException] = ValueError
    ) -> None:
        self.started: list[Case] = []
        self.cache = GuidanceCache(folder, BENCHMARK.task_type)
        self._failing = failing
        self._error = error
        self.generation = TaskGeneration(self.cache, self._generate, None, self._start)
        assignments = [Assignment(case, partial(self.cache.get, case), f"test[{n}]") for n, case in enumerate(CASES)]
        self.generation.begin(assignments, CASES)

    def _generate(self, case: Case, **known: Any) -> AnyGuidance:
        if case.instance in self._failing:
            raise self._error(f"no plan for {case.instance}")
        return make_guidance(case, **known)

    def _start(self, assignments: Any) -> None:
        assert all(assignment.guidance for assignment in assignments)
        self.started += [assignment.case for assignment in assignments]


def test_each_task_starts_its_episodes_when_it_is_generated(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    shard.generation.ensure(FIRST[0])
    assert shard.started == FIRST
    assert shard.generation.advance()
    assert shard.started == [*FIRST, *SECOND]
    shard.generation.ensure(THIRD[1])
    shard.generation.ensure(FIRST[1])
    assert shard.started == CASES
    assert not shard.generation.advance()


def test_a_test_comes_before_what_stands_first(tmp_path: Path) -> None:
    shard = Shard(tmp_path)
    shard.generation.ensure(THIRD[0])
    assert shard.started == THIRD


def test_an_error_is_that_of_its_own_tests(tmp_path: Path) -> None:
    shard = Shard(tmp_path, failing=(1,))
    while shard.generation.advance():
        pass
    assert shard.started == [*FIRST, *THIRD]
    shard.generation.ensure(THIRD[0])
    for case in SECOND:
        with pytest.raises(ValueError, match="no plan for 1"):
            shard.generation.ensure(case)


@pytest.mark.parametrize("error", [ValueError, pytest.fail.Exception, pytest.skip.Exception])
def test_each_test_of_a_task_gets_its_error_however_it_was_met_first(
    tmp_path: Path, error: type[BaseException]
) -> None:
    shard = Shard(tmp_path, failing=(0, 1), error=error)
    for case in (*SECOND, *SECOND):
        with pytest.raises(error, match="no plan for 1"):
            shard.generation.ensure(case)
    while shard.generation.advance():
        pass
    assert shard.started == THIRD
