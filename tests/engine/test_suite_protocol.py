"""The engine runs the built-in benchmark: conversation, tools and score."""

from __future__ import annotations

import msgspec
import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.benchmark.reference_agents import act
from pytest_ultra.benchmark.scoring import score
from pytest_ultra.core.axes import Difficulty, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.reference_agent import knowledge_of
from pytest_ultra.core.transcript import Answered, Reply
from pytest_ultra.engine.episode_queue import Assignment
from tests.engine.engine_fakes import FakeEndpoint, make_engine

FLAWED = Case(
    model="demo/any",
    prompt_type=PromptType.FLAWED_MISSING_STEP,
    task_type=TaskType.DATA_PIPELINE,
    difficulty=Difficulty.EASY,
    tool_success_rate=0.8,
    severity=Severity.SEVERE,
    instance=0,
    repeat=0,
    seed=0,
)
OPTIMAL = msgspec.structs.replace(FLAWED, prompt_type=PromptType.OPTIMAL, severity=None)


@pytest.mark.parametrize(
    ("agent", "case", "outcome"),
    [
        ("perfect", FLAWED, Outcome.FULL),
        ("follower", OPTIMAL, Outcome.FULL),
        ("null", OPTIMAL, Outcome.FAILED),
    ],
)
def test_a_reference_agent_gets_its_known_outcome(agent: str, case: Case, outcome: Outcome) -> None:
    async def respond(request: ChatRequest) -> Reply:
        return act(agent, request.messages, knowledge_of(request))

    engine = make_engine(FakeEndpoint(respond), rules=BENCHMARK)
    guidance = make_guidance(case)

    episode = engine.wait(Assignment(case, lambda: guidance, "t"))
    engine.stop()

    assert episode.outcome is outcome
    assert episode.score == score(case, guidance, episode.transcript)
    assert episode.plan
    assert episode.score.tool_calls == sum(isinstance(event, Answered) for event in episode.transcript)
