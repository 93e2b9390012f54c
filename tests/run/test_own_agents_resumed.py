"""Own agents across runs: their answers are recorded and replayed whole, and an interrupted episode starts again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pytest_ultra.commands.cli import main
from tests.run import example_agents
from tests.run.project import NO_XDIST, Project, wait_until

AGENT = "--ultra-agent=a=example_agents:loop@demo/perfect"
CASES = ("--ultra-task-type=basic_task", "--ultra-prompt-type=optimal,baseline")


@pytest.fixture
def agents(project: Project) -> Project:
    """A project with the example agents."""
    shutil.copy(example_agents.__file__, project.path)
    return project


def cassettes(project: Project) -> list[Path]:
    return sorted((project.path / "cassettes").rglob("*.json"))


def test_an_agents_answers_are_recorded_and_replayed(agents: Project, xdist_on_off: tuple[str, ...]) -> None:
    agents.run(*xdist_on_off, AGENT, *CASES, "--ultra-cassette=record").assert_outcomes(passed=2)
    recorded = agents.comparable_episodes()
    assert len(cassettes(agents)) == 2
    agents.run(*xdist_on_off, AGENT, *CASES, "--ultra-cassette=replay").assert_outcomes(passed=2)
    assert agents.comparable_episodes() == recorded


def cut(path: Path, turns: int) -> None:
    """Leave the first turns of a cassette."""
    document = json.loads(path.read_text())
    document["turns"] = document["turns"][:turns]
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("mode", ["auto", "replay"])
def test_a_part_of_an_agents_episode_is_refused_with_the_reason(agents: Project, mode: str) -> None:
    agents.run(*NO_XDIST, AGENT, *CASES, "--ultra-cassette=auto").assert_outcomes(passed=2)
    cut(cassettes(agents)[0], 2)
    agents.run(*NO_XDIST, AGENT, *CASES, f"--ultra-cassette={mode}").assert_outcomes(passed=1, errors=1)
    (reason,) = (episode["error"] for episode in agents.episodes() if episode["error"])
    assert "holds only a part of this agent's episode" in reason
    assert "delete the file, or use --ultra-cassette record" in reason
    agents.run(*NO_XDIST, AGENT, *CASES, "--ultra-cassette=record").assert_outcomes(passed=2)


def test_a_job_of_an_agent_and_one_of_a_model_are_merged_and_scored_again(agents: Project) -> None:
    agents.run(*NO_XDIST, AGENT, *CASES, "--ultra-dir=jobs/agent")
    agents.run(*NO_XDIST, "--ultra-model=demo/perfect", *CASES, "--ultra-dir=jobs/model")
    assert main(["merge", "jobs"]) == main(["rescore", "-o", "merged.json"]) == 0
    episodes = agents.episodes("merged.json")
    assert {(episode["model"], episode["agent"], episode["agent_model"]) for episode in episodes} == {
        ("a", "example_agents:loop", "demo/perfect"),
        ("demo/perfect", "", ""),
    }
    assert [episode["outcome"] for episode in episodes] == ["full"] * 4


def test_an_interrupted_episode_starts_again(agents: Project, xdist_on_off: tuple[str, ...]) -> None:
    agent = f"{AGENT}?latency=0.2"
    command = agents.start(*xdist_on_off, agent, *CASES)
    try:
        wait_until(lambda: agents.runs() and list(agents.runs()[-1].glob("started-*")))
        command.interrupt()
        command.wait(within_s=20)
    finally:
        command.end()
    result = agents.run(*xdist_on_off, agent, *CASES)
    result.assert_outcomes(passed=2)
    assert {episode["requests"] == episode["turns"] for episode in agents.episodes()} == {True}
    assert not [path for run in agents.runs() for path in run.glob("turns-*") if path.read_text()]
    assert len(agents.runs()) == 2
