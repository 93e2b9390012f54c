"""Groups of cases are named by the values of their axes."""

from __future__ import annotations

import pytest

from pytest_ultra.analysis.group_members import members
from pytest_ultra.core.axes import Difficulty, PromptType, Severity, TaskType
from pytest_ultra.core.episode import Outcome
from tests.results_factory import make_case, make_episode

EPISODES = (
    make_episode(make_case(PromptType.OPTIMAL, model="b")),
    make_episode(make_case(PromptType.FLAWED_TOOL_MISUSE, model="a", task_type=TaskType.DATA_PIPELINE)),
    make_episode(
        make_case(PromptType.FLAWED_MISSING_STEP, severity=Severity.LIGHT, difficulty=Difficulty.HARD), Outcome.ERROR
    ),
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("optimal", [0]),
        ("flawed", [1, 2]),
        ("flawed_tool_misuse", [1]),
        ("simple_task", [0, 2]),
        ("easy", [0, 1]),
        ("light", [2]),
        ("a", [1]),
        ("medium", []),
        ("None", []),
        ("all", []),
    ],
)
def test_a_group_has_the_episodes_with_its_value_and_any_outcome(name: str, found: list[int]) -> None:
    assert members(EPISODES, name) == tuple(EPISODES[i] for i in found)
