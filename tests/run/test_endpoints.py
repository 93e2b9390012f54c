"""Endpoints of all kinds: what is the infrastructure's fault is an error (E), what is the model's a failure (F)."""

from __future__ import annotations

import itertools
import socket
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.run.running import NO_XDIST, ONE, Project, Record
from tests.run.scripted import Asked, Script, Scripted, calls, says

Start = Callable[[Script], Scripted]

DONE = says("Done.")
TURNS = {
    "prose": [says("I would read the file first.")],
    "broken": ["<html>Sign in</html>"],
    "broken-arguments": [calls("file_operations_reader", '{"path": '), DONE],
    "unknown-tool": [calls("file_operations_shredder", "{}"), DONE],
    "never-stops": [calls("utility_logger", f'{{"message": "{turn}"}}') for turn in range(6)],
}


class Misbehaviour:
    """Answers as the model's name says; `hiccup` is no chat completion the first time."""

    def __init__(self) -> None:
        self._has_hiccuped = False

    def __call__(self, asked: Asked) -> tuple[int, str]:
        if asked.model == "rejects":
            return 400, '{"error": {"message": "no tools here"}}'
        if asked.model == "hiccup":
            is_first, self._has_hiccuped = not self._has_hiccuped, True
            return 200, "<html>busy</html>" if is_first else DONE
        turn = sum(message["role"] == "assistant" for message in asked.body["messages"])
        return 200, TURNS[asked.model][turn]


def test_each_misbehaviour_ends_its_own_episode_only(project: Project, scripted: Start) -> None:
    server = scripted(Misbehaviour())
    models = ",".join([*TURNS, "hiccup", "rejects"])
    args = (f"--ultra-base-url={server.url}", f"--ultra-model={models}", *ONE, "--ultra-max-turns=6")
    result = project.run(*NO_XDIST, *args, "-rA")
    result.assert_outcomes(failed=5, errors=2)
    episodes = {episode["model"]: episode for episode in project.episodes()}
    classes = {model: (episode["outcome"], episode["failure_class"]) for model, episode in episodes.items()}
    assert classes["rejects"] == classes["broken"] == ("error", "endpoint")
    assert classes["never-stops"] == ("failed", "max_turns")
    assert classes["broken-arguments"] == ("failed", "tool_call_format")
    assert classes["unknown-tool"][0] == classes["prose"][0] == classes["hiccup"][0] == "failed"
    turns = {model: episode["turns"] for model, episode in episodes.items()}
    assert turns == {
        "prose": 1,
        "hiccup": 1,
        "broken": 0,
        "broken-arguments": 2,
        "unknown-tool": 2,
        "never-stops": 6,
        "rejects": 0,
    }
    assert episodes["hiccup"]["requests"] == 2
    asked = Counter(asked.model for asked in server.asked)
    assert asked == {model: episode["requests"] for model, episode in episodes.items()}
    assert "no tools here" in episodes["rejects"]["error"]
    assert "Traceback" not in result.stdout.str()


def refuse(_asked: Asked) -> tuple[int, str]:
    return 401, '{"error": {"message": "Incorrect API key provided: sk-very-secret"}}'


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.parametrize("kind", ["401", "refuses"])
def test_an_endpoint_that_turns_us_away_makes_errors_of_all_items_within_seconds(
    project: Project,
    scripted: Start,
    extreme: tuple[str, ...],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    url = scripted(refuse).url if kind == "401" else closed_port()
    result = project.run(*extreme, "--ultra-model=some-model", f"--ultra-base-url={url}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(errors=50)
    episodes = project.episodes()
    assert Counter((episode["outcome"], episode["failure_class"]) for episode in episodes) == {
        ("error", "endpoint"): 50
    }
    assert spent_s(episodes) < 6
    way_out = "check the API key" if kind == "401" else "check that it is running"
    assert all(way_out in episode["error"] for episode in episodes)


def spent_s(episodes: list[Record]) -> float:
    ends: list[float] = [episode["started_at"] + episode["duration_s"] for episode in episodes]
    return max(ends) - min(float(episode["started_at"]) for episode in episodes)


def test_the_key_is_sent_and_is_in_no_file_and_no_output(
    project: Project, scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    server = scripted(refuse)
    two = f"--ultra-base-url={server.url}", "--ultra-model=some-model", *ONE
    result = project.run("-n1", *two, "--junitxml=junit.xml", "-vv", "--showlocals")
    assert {asked.authorization for asked in server.asked} == {"Bearer sk-very-secret"}
    files = [path for path in project.path.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert len(files) > 4
    assert [path for path in files if b"sk-very-secret" in path.read_bytes()] == []
    assert "sk-very-secret" not in result.stdout.str() + result.stderr.str()


def test_a_model_of_any_name_is_asked_for_at_any_server_without_a_key(project: Project, scripted: Start) -> None:
    server = scripted(lambda _asked: (200, says("Done.")))
    project.run(*NO_XDIST, f"--ultra-base-url={server.url}", "--ultra-model=meta-llama/Llama-3.1-8B", *ONE)
    assert {(asked.model, asked.authorization) for asked in server.asked} == {("meta-llama/Llama-3.1-8B", "")}


def test_failed_attempts_are_counted_and_come_to_no_harm(project: Project) -> None:
    project.run(*NO_XDIST, "--ultra-model=demo/perfect?error_rate=0.3", *ONE)
    (episode,) = project.episodes()
    assert episode["outcome"] == "full"
    assert episode["requests"] > episode["turns"]


@pytest.mark.parametrize(
    "args", [(*NO_XDIST, "--pdb"), (*NO_XDIST, "--ultra-concurrency=1"), ("-n1", "--ultra-concurrency=1")]
)
def test_one_at_a_time_means_it(project: Project, scripted: Start, args: tuple[str, ...]) -> None:
    def answer(_asked: Asked) -> tuple[int, str]:
        time.sleep(0.02)
        return 200, says("Done.")

    server = scripted(answer)
    types = "--ultra-prompt-type=all", "--ultra-task-type=simple_task", "--ultra-pass=partial"
    own = "def test_it(ultra_episode): pass"
    project.pytester.makepyfile(test_own=own)
    project.run(*args, f"--ultra-base-url={server.url}", "--ultra-model=m", *types).assert_outcomes(passed=10)
    spans = sorted((asked.began, asked.ended) for asked in server.asked)
    assert len(spans) == 10
    assert all(before[1] <= after[0] + 0.005 for before, after in itertools.pairwise(spans))


def test_otherwise_they_are_lived_together(project: Project) -> None:
    project.run(*NO_XDIST, "--ultra-model=demo/perfect?latency=0.2", "--ultra-task-type=simple_task")
    episodes = project.episodes()
    assert max(e["started_at"] for e in episodes) < min(e["started_at"] + e["duration_s"] for e in episodes)
