"""Hostile replies: whatever a model sends, the run ends at its timeout, and what is kept of it is bounded."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project
from tests.run.scripted_server import Script, ScriptedServer, text_reply

StartServer = Callable[[Script], ScriptedServer]

TIMEOUT_S = 2
SLACK_S = 12
"""Two seconds, and what a busy machine needs to start a process and to write the outputs."""

CALL = {"id": "c", "type": "function", "function": {"name": "file_operations_scanner", "arguments": '{"pattern":"*"}'}}
DEEP_CALL = {"id": "c", "function": {"name": "file_operations_reader", "arguments": '{"a":' * 975 + "1" + "}" * 975}}


def reply_of(message: object, **more: object) -> str:
    return json.dumps({"choices": [{"message": message}], **more})


LONG_REPLY = text_reply("x" * 31_000_000)
REPLIES = {
    "tags": text_reply("<tool_call>[" * 166_000),
    "spaces": text_reply("{" + " " * 2_000_000 + "x"),
    "calls": reply_of({"tool_calls": [CALL] * 10_000}),
    "lists": '{"choices":[{"message":{"content":[' + "[]," * 5_000_000 + "1]}}]}",
}


@pytest.mark.parametrize("kind", REPLIES)
def test_a_run_ends_at_its_timeout_whatever_a_reply_holds(
    project: Project, start_server: StartServer, kind: str
) -> None:
    server = start_server(lambda _: (200, REPLIES[kind]))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", "--ultra-tool-protocol=text", TEN_CASES)
    project.run_in_own_process(*NO_XDIST, *args, f"--ultra-run-timeout={TIMEOUT_S}")
    run = project.runs()[-1]
    started_at = datetime.fromisoformat(json.loads((run / "run.json").read_text())["started_at"]).timestamp()
    assert json.loads((run / "ended.json").read_text())["ended_at"] - started_at < TIMEOUT_S + SLACK_S


PEAK = """
from pathlib import Path

def pytest_unconfigure(config):
    (kilobytes,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    Path("peak.txt").write_text(kilobytes)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc says how much memory a process took")
def test_10_replies_of_31_megabytes_at_once_take_little_memory_and_disk(
    project: Project, start_server: StartServer
) -> None:
    project.pytester.makeconftest(PEAK)
    server = start_server(lambda _: (200, LONG_REPLY))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", TEN_CASES)
    project.run_in_own_process(*NO_XDIST, *args).assert_outcomes(failed=10)
    assert int((project.path / "peak.txt").read_text()) < 500_000  # 40 replies took 3.8 GB
    assert all(episode["score"]["failure_class"] != "harness" for episode in project.journaled_episodes())
    assert sum(path.stat().st_size for path in project.runs()[-1].glob("*.jsonl")) < 15_000_000  # 40 took 1.3 GB


@pytest.mark.parametrize("protocol", ["native", "text"])
def test_deep_arguments_and_impossible_token_counts_are_summarized(
    project: Project, start_server: StartServer, protocol: str
) -> None:
    usage = {"prompt_tokens": 1e308, "completion_tokens": -1}
    server = start_server(lambda _: (200, reply_of({"content": "\ud800", "tool_calls": [DEEP_CALL]}, usage=usage)))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", f"--ultra-tool-protocol={protocol}", *ONE_CASE)
    project.run_in_own_process(*NO_XDIST, *args).assert_outcomes(failed=1)
    (episode,) = project.episodes()
    assert (episode["failure_class"], episode["estimated_requests"]) == ("gave_up", episode["requests"])
    assert 0 < episode["completion_tokens"] < episode["prompt_tokens"] < 1_000_000
