"""Scores of the reference agents over real HTTP; tests/benchmark proves them in memory for the whole matrix."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product

import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, PromptType, TaskType
from tests.run.project import Project

AGENTS = ("perfect", "follower", "null", "one-call")
HARMLESS = PromptType.FLAWED_REDUNDANT_OPERATIONS
HARMFUL = tuple(prompt_type for prompt_type in FLAWED_PROMPT_TYPES if prompt_type is not HARMLESS)
EACH = len(TaskType)


@pytest.fixture
def outcomes(project: Project) -> dict[tuple[str, str], Counter[str]]:
    """Outcomes by agent and prompt type, at tool success rate 1.0; without workers they are the same."""
    models = ",".join(f"demo/{agent}" for agent in AGENTS)
    args = ("--ultra-tool-success-rate=1.0", "--ultra-difficulty=hard")
    prompt_types = f"--ultra-prompt-type={','.join(PromptType)}"
    project.run("-n2", f"--ultra-model={models}", prompt_types, *args)
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for episode in project.episodes():
        agent, prompt_type = episode["model"].removeprefix("demo/"), episode["prompt_type"]
        outcomes[agent, prompt_type][episode["outcome"]] += 1
        if agent == "follower" and prompt_type == HARMLESS:
            assert episode["efficiency"] < 1
    return outcomes


def test_reference_agents_get_their_known_scores_over_http(outcomes: dict[tuple[str, str], Counter[str]]) -> None:
    assert {sum(counted.values()) for counted in outcomes.values()} == {EACH}
    assert outcomes.keys() == set(product(AGENTS, map(str, PromptType)))
    for prompt_type in PromptType:
        assert outcomes["perfect", prompt_type] == {"full": EACH}
        assert outcomes["null", prompt_type] == outcomes["one-call", prompt_type] == {"failed": EACH}
    for prompt_type in (PromptType.OPTIMAL, PromptType.ALTERNATIVE, HARMLESS):
        assert outcomes["follower", prompt_type] == {"full": EACH}
    assert not any(outcomes["follower", prompt_type]["full"] for prompt_type in HARMFUL)


def test_agents_know_what_their_skills_tell_them_over_http(project: Project, xdist_on_off: tuple[str, ...]) -> None:
    agents = ("literal", "no-look-up", "no-rules", "cautious", "perfect")
    project.run(
        *xdist_on_off,
        f"--ultra-model={','.join(f'demo/{agent}' for agent in agents)}",
        "--ultra-prompt-type=baseline",
        "--ultra-difficulty=easy,hard",
        "--ultra-task-type=simple_task",
        "--ultra-tool-success-rate=1.0",
    )
    found = {(e["model"].removeprefix("demo/"), e["difficulty"]): e for e in project.episodes()}
    full = {pair for pair, episode in found.items() if episode["outcome"] == "full"}
    able = {("cautious", "hard"), ("perfect", "hard")}
    assert full == able | {(agent, "easy") for agent in agents}
    assert found["cautious", "hard"]["tool_calls"] > found["perfect", "hard"]["tool_calls"]
