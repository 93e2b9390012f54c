"""Endpoints that misbehave: a fault of the infrastructure is an error (E), a fault of the model is a failure (F)."""

from __future__ import annotations

import itertools
import socket
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, Project, Record
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply, tool_call_reply

StartServer = Callable[[Script], ScriptedServer]

DONE = text_reply("Done.")
OFFERED = "a_tool_that_is_offered"
"""Stands for the name of the first tool of the request."""
TURNS = {
    "prose": [text_reply("I would read the file first.")],
    "broken": ["<html>Sign in</html>"],
    "broken-arguments": [tool_call_reply(OFFERED, '{"path": '), DONE],
    "unknown-tool": [tool_call_reply("file_operations_shredder", "{}"), DONE],
    "never-stops": [tool_call_reply("utility_logger", f'{{"message": "{turn}"}}') for turn in range(6)],
}


class Misbehaviour:
    """Answers as the model's name says; the first answer of `hiccup` is not a chat completion."""

    def __init__(self) -> None:
        self._has_hiccuped = False

    def __call__(self, request: ReceivedRequest) -> tuple[int, str]:
        if request.model == "rejects":
            return 400, '{"error": {"message": "no tools here"}}'
        if request.model == "hiccup":
            is_first, self._has_hiccuped = not self._has_hiccuped, True
            return 200, "<html>busy</html>" if is_first else DONE
        turn = sum(message["role"] == "assistant" for message in request.body["messages"])
        return 200, TURNS[request.model][turn].replace(OFFERED, request.body["tools"][0]["function"]["name"])


@pytest.mark.usefixtures("short_waits")
def test_each_misbehaviour_ends_only_its_own_episode(project: Project, start_server: StartServer) -> None:
    server = start_server(Misbehaviour())
    models = ",".join([*TURNS, "hiccup", "rejects"])
    args = (f"--ultra-base-url={server.url}", f"--ultra-model={models}", *ONE_CASE, "--ultra-max-turns=6")
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
    counts = Counter(request.model for request in server.requests)
    assert counts == {model: episode["requests"] for model, episode in episodes.items()}
    assert "no tools here" in episodes["rejects"]["error"]
    assert "Traceback" not in result.stdout.str()


def reject_key(_request: ReceivedRequest) -> tuple[int, str]:
    return 401, '{"error": {"message": "Incorrect API key provided: sk-very-secret"}}'


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    ("kind", "mode"),
    [("401", NO_XDIST), ("401", ("-n2",)), ("closed-port", NO_XDIST)],
    ids=["401-no-xdist", "401-n2", "closed-port-no-xdist"],
)
def test_all_items_are_errors_within_seconds_when_the_endpoint_rejects_every_request(
    project: Project,
    start_server: StartServer,
    kind: str,
    mode: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    url = start_server(reject_key).url if kind == "401" else closed_port()
    result = project.run(*mode, "--ultra-model=some-model", f"--ultra-base-url={url}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(errors=50)
    episodes = project.episodes()
    assert Counter((episode["outcome"], episode["failure_class"]) for episode in episodes) == {
        ("error", "endpoint"): 50
    }
    assert elapsed_s(episodes) < 6
    advice = "check the API key" if kind == "401" else "check that it is running"
    assert all(advice in episode["error"] for episode in episodes)


def elapsed_s(episodes: list[Record]) -> float:
    ends: list[float] = [episode["started_at"] + episode["duration_s"] for episode in episodes]
    return max(ends) - min(float(episode["started_at"]) for episode in episodes)


def test_the_key_is_sent_but_appears_in_no_file_and_no_output(
    project: Project, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    server = start_server(reject_key)
    args = f"--ultra-base-url={server.url}", "--ultra-model=some-model", *ONE_CASE
    result = project.run("-n1", *args, "--junitxml=junit.xml", "-vv", "--showlocals")
    assert {request.authorization for request in server.requests} == {"Bearer sk-very-secret"}
    files = [path for path in project.path.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert len(files) > 4
    assert [path for path in files if b"sk-very-secret" in path.read_bytes()] == []
    assert "sk-very-secret" not in result.stdout.str() + result.stderr.str()


def test_a_model_of_any_name_can_be_requested_from_a_server_without_a_key(
    project: Project, start_server: StartServer
) -> None:
    server = start_server(lambda _request: (200, text_reply("Done.")))
    project.run(*NO_XDIST, f"--ultra-base-url={server.url}", "--ultra-model=meta-llama/Llama-3.1-8B", *ONE_CASE)
    assert {(request.model, request.authorization) for request in server.requests} == {("meta-llama/Llama-3.1-8B", "")}


@pytest.mark.usefixtures("short_waits")
def test_failed_attempts_are_counted_and_do_not_change_the_outcome(project: Project) -> None:
    project.run(*NO_XDIST, "--ultra-model=demo/perfect?error_rate=0.3", *ONE_CASE)
    (episode,) = project.episodes()
    assert episode["outcome"] == "full"
    assert episode["requests"] > episode["turns"]


@pytest.mark.parametrize(
    "args", [(*NO_XDIST, "--pdb"), (*NO_XDIST, "--ultra-concurrency=1"), ("-n1", "--ultra-concurrency=1")]
)
def test_pdb_and_concurrency_1_send_one_request_at_a_time(
    project: Project, start_server: StartServer, args: tuple[str, ...]
) -> None:
    def answer(_request: ReceivedRequest) -> tuple[int, str]:
        time.sleep(0.02)
        return 200, text_reply("Done.")

    server = start_server(answer)
    types = "--ultra-prompt-type=all", "--ultra-task-type=simple_task", "--ultra-pass=partial"
    own = "def test_it(ultra_episode): pass"
    project.pytester.makepyfile(test_own=own)
    project.run(*args, f"--ultra-base-url={server.url}", "--ultra-model=m", *types).assert_outcomes(passed=10)
    spans = sorted((request.started_at, request.finished_at) for request in server.requests)
    assert len(spans) == 10
    assert all(before[1] <= after[0] + 0.005 for before, after in itertools.pairwise(spans))


def test_episodes_run_concurrently_by_default(project: Project) -> None:
    project.run(*NO_XDIST, "--ultra-model=demo/perfect?latency=0.2", "--ultra-task-type=simple_task")
    episodes = project.episodes()
    assert max(e["started_at"] for e in episodes) < min(e["started_at"] + e["duration_s"] for e in episodes)
