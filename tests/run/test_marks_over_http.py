"""The reference agents' marks over real HTTP; in memory, tests/benchmark proves them over the whole matrix."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product

import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType, TaskType
from tests.run.running import Project

AGENTS = ("perfect", "follower", "null", "one-call")
HARMLESS = PromptType.FLAWED_REDUNDANT_OPERATIONS
HARMFUL = tuple(prompt_type for prompt_type in FLAWED_PROMPT_TYPES if prompt_type is not HARMLESS)
EACH = len(TaskType) * 2  # difficulties


@pytest.fixture
def marks(project: Project, extreme: tuple[str, ...]) -> dict[tuple[str, str], Counter[str]]:
    """Outcomes by agent and prompt type, at tool success rate 1.0."""
    models = ",".join(f"demo/{agent}" for agent in AGENTS)
    args = ("--ultra-tool-success-rate=1.0", "--ultra-difficulty=very_easy,very_hard")
    project.run(*extreme, f"--ultra-model={models}", *args)
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for episode in project.episodes():
        agent, prompt_type = episode["model"].removeprefix("demo/"), episode["prompt_type"]
        found[agent, prompt_type][episode["outcome"]] += 1
        if agent == "follower" and prompt_type == HARMLESS:
            assert episode["efficiency"] < 1
    return found


def test_reference_agents_get_their_known_marks_over_http(marks: dict[tuple[str, str], Counter[str]]) -> None:
    assert {sum(counted.values()) for counted in marks.values()} == {EACH}
    assert marks.keys() == set(product(AGENTS, map(str, PromptType)))
    for prompt_type in PromptType:
        assert marks["perfect", prompt_type] == {"full": EACH}
        assert marks["null", prompt_type] == marks["one-call", prompt_type] == {"failed": EACH}
    assert marks["follower", PromptType.OPTIMAL] == marks["follower", HARMLESS] == {"full": EACH}
    assert not any(marks["follower", prompt_type]["full"] for prompt_type in HARMFUL)
