"""The model behind an own agent over real HTTP: the run's key, parameters and retries, and whose failure it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.run import example_agents
from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply

StartServer = Callable[[Script], ScriptedServer]
KEY = "sk-0123456789abcdef"


@pytest.fixture
def agents(project: Project) -> Project:
    """A project with the example agents."""
    shutil.copy(example_agents.__file__, project.path)
    return project


def run(project: Project, server: ScriptedServer, agent: str, *options: str) -> dict[str, Any]:
    """Run one case of an agent with a model that the server has; return its journaled episode."""
    agents = f"--ultra-agent=a=example_agents:{agent}@some/model"
    project.run(*NO_XDIST, agents, f"--ultra-base-url={server.url}", *options, *ONE_CASE)
    (episode,) = project.journaled_episodes()
    return episode


def answers(*steps: tuple[int, str]) -> Script:
    """Give one answer after the other, and the last one again."""
    left: Iterator[tuple[int, str]] = iter(steps)

    def script(_: ReceivedRequest) -> tuple[int, str]:
        return next(left, steps[-1])

    return script


def rejection(message: str, code: str | None = None) -> str:
    return json.dumps({"error": {"message": message, "code": code}})


def test_requests_have_the_agents_parameters_and_the_runs_key_and_parameters(
    agents: Project, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = start_server(answers((200, text_reply("Done."))))
    episode = run(agents, server, "with_parameters", "--ultra-request=seed=7", "--ultra-temperature=1")
    (request,) = server.requests
    assert request.authorization == f"Bearer {KEY}"
    sent = {name: request.body[name] for name in ("model", "temperature", "max_tokens", "tool_choice", "seed")}
    assert sent == {"model": "some/model", "temperature": 0.3, "max_tokens": 50, "tool_choice": "none", "seed": 7}
    assert [event["reply"]["text"] for event in episode["transcript"] if event["type"] == "reply"] == ["Done."]
    assert (episode["usage"]["prompt_tokens"], episode["usage"]["completion_tokens"]) == (7, 3)


def test_failed_attempts_are_repeated_without_the_agent(agents: Project, start_server: StartServer) -> None:
    server = start_server(answers((500, ""), (200, text_reply("Done."))))
    episode = run(agents, server, "loop")
    attempts = [(event["problem"], event["status"]) for event in episode["transcript"] if event["type"] == "attempt"]
    assert attempts == [("status", 500), (None, None)]
    assert episode["score"]["turns"] == 1
    assert episode["usage"]["waiting_time_s"] > 0


TOO_LONG = "This model's maximum context length is 300 tokens. However, your messages resulted in 900 tokens."


@pytest.mark.parametrize(
    ("answer", "outcome", "failure_class"),
    [
        ((401, rejection("No such key.")), "error", "endpoint"),
        ((400, rejection(TOO_LONG, "context_length_exceeded")), "failed", "context_overflow"),
        ((400, rejection("Messages must alternate.")), "failed", "agent_error"),
    ],
)
def test_whose_failure_a_rejection_is(
    agents: Project, start_server: StartServer, answer: tuple[int, str], outcome: str, failure_class: str
) -> None:
    score = run(agents, start_server(answers(answer)), "loop")["score"]
    assert (score["outcome"], score["failure_class"]) == (outcome, failure_class)


def test_another_model_is_refused_by_name(agents: Project, start_server: StartServer) -> None:
    server = start_server(answers((200, text_reply("Done."))))
    episode = run(agents, server, "of_another_model")
    (words,) = (event["reply"]["text"] for event in episode["transcript"] if event["type"] == "reply")
    assert words.startswith("404 ")
    assert "the model behind this agent is 'some/model', not 'another': use task.model" in words
    assert not server.requests


def test_a_spent_budget_skips_the_episode(agents: Project, start_server: StartServer) -> None:
    server = start_server(answers((200, text_reply("Done."))))
    agents.run(
        *NO_XDIST,
        "--ultra-agent=a=example_agents:loop@some/model,b=example_agents:loop@some/model",
        f"--ultra-base-url={server.url}",
        "--ultra-max-requests=1",
        "--ultra-concurrency=1",
        *ONE_CASE,
    )
    assert sorted(agents.outcomes()) == ["failed", "skipped"]
    assert len(server.requests) == 1
