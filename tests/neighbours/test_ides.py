"""IDEs: what they show of a run, one case and failed cases alone, and a breakpoint in an agent of the user's."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from tests.run.project import NO_XDIST, Project, wait_until

INI = """
    [pytest]
    ultra_model = demo/perfect,demo/null
    ultra_task_type = simple_task
    ultra_prompt_type = optimal
"""
OWN_TEST = "def test_mine(ultra_episode):\n    ultra_episode.assert_passed()\n"
CASES = ("demo/perfect-optimal-simple_task-easy-0", "demo/null-optimal-simple_task-easy-0")
ADAPTER = os.environ.get("ULTRA_TEST_VSCODE", "")
"""The folder `python_files` of VS Code's Python extension (https://github.com/microsoft/vscode-python)."""


def test_pycharm_and_teamcity_get_each_case_by_a_name_of_its_own(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    project.pytester.makeini(INI)
    result = project.run_in_own_process(*xdist_on_off, "--teamcity", "-p", "no:randomly")
    text = result.stdout.str()
    names = r"##teamcity\[(test\w+) .*?name='pytest_ultra\.suite\.test_workflows\.test_workflow\(([^|]+?)\)'"
    events = sorted(set(re.findall(names, text)))
    assert [case for event, case in events if event == "testStarted"] == sorted(
        case.replace(".", "_") for case in CASES
    )
    assert [case for event, case in events if event == "testFailed"] == ["demo/null-optimal-simple_task-easy-0"]
    again = project.run_in_own_process(*xdist_on_off, "--lf", "-p", "no:randomly")
    assert again.parseoutcomes()["failed"] == 1
    assert [episode["model"] for episode in project.episodes()] == ["demo/null"]


@pytest.mark.skipif(not ADAPTER, reason="ULTRA_TEST_VSCODE names no folder with VS Code's adapter")
@pytest.mark.parametrize("is_own", [True, False], ids=["own", "suite"])
def test_vs_code_finds_all_cases_and_runs_one(
    project: Project, monkeypatch: pytest.MonkeyPatch, *, is_own: bool
) -> None:
    project.pytester.makeini(INI)
    if is_own:
        project.pytester.makepyfile(test_own=OWN_TEST)
    messages = project.path / "messages.txt"
    messages.touch()
    monkeypatch.setenv("TEST_RUN_PIPE", str(messages))
    monkeypatch.setenv("PYTHONPATH", f"{ADAPTER}:{os.environ.get('PYTHONPATH', '')}")
    options = ("--ultra-model=demo/perfect,demo/null", "-p", "no:randomly")
    project.pytester.runpytest_subprocess("-p", "vscode_pytest", "--collect-only", *options)
    found = read_messages(messages)
    base = Path(found[-1].get("idBase", ""))
    ids = [str(base / test["runID"]) for message in found for test in leaves(message.get("tests", {}))]
    assert [each.partition("[")[2].removesuffix("]") for each in ids] == list(CASES)

    messages.write_text("")
    wanted = project.path / "ids.txt"
    wanted.write_text(ids[1])
    monkeypatch.setenv("RUN_TEST_IDS_PIPE", str(wanted))
    script = Path(ADAPTER) / "vscode_pytest" / "run_pytest_script.py"
    project.pytester.run(sys.executable, script, f"--rootdir={project.path}", "-c", "tox.ini", *options)
    ((node, outcome),) = {
        (node, result["outcome"])
        for message in read_messages(messages)
        for node, result in (message.get("result") or {}).items()
    }
    assert (node, outcome) == (ids[1], "failure")
    assert len(project.journaled_episodes()) == 1


def read_messages(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line)["params"] for line in path.read_text().splitlines() if line.startswith("{")]


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node.get("type_") == "test":
        yield node
    for child in node.get("children", ()):
        yield from leaves(child)


AGENT = """
def solve(task):
    job = task.prompt
    return "NOT DONE"
"""


class DebugClient:
    """As much of the Debug Adapter Protocol as an IDE needs to stop at a breakpoint."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=180)
        self._file = cast("BinaryIO", self._socket.makefile("rwb"))
        self._numbers = count(1)

    def ask(self, command: str, *, until: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Send a request; return the body of its response, or of the event `until`."""
        request = {"seq": next(self._numbers), "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._file.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._file.flush()
        while True:
            message = self._read()
            if message.get("event", message.get("command")) == (until or command):
                return message.get("body") or {}

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._file.readline().strip():
            length = int(line.rpartition(b":")[2])
        message: dict[str, Any] = json.loads(self._file.read(length))
        return message


@contextmanager
def debugged(project: Project, *args: str) -> Iterator[tuple[DebugClient, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "debugpy", "--listen", f"127.0.0.1:{port}", "--wait-for-client", "-m", "pytest"]
    process = subprocess.Popen([*command, *args], cwd=project.path)  # noqa: S603 - as an IDE does
    clients: list[DebugClient] = []

    def connect() -> bool:
        try:
            clients.append(DebugClient(port))
        except OSError:
            return False
        return True

    try:
        wait_until(connect)
        yield clients[0], process
    finally:
        process.kill()
        process.wait()


def test_a_breakpoint_in_an_agent_stops_it_and_no_other_episode_runs(project: Project) -> None:
    (project.path / "shop_agent.py").write_text(AGENT)
    options = ("--ultra-agent=shop_agent:solve", "--ultra-task-type=simple_task", "--ultra-json=out.json")
    with debugged(project, *NO_XDIST, *options, "-p", "no:randomly", "-x") as (client, process):
        client.ask("initialize", adapterID="test", clientID="test")
        client.ask("attach", until="initialized", justMyCode=True)
        source = {"path": str(project.path / "shop_agent.py")}
        client.ask("setBreakpoints", source=source, breakpoints=[{"line": 4}])
        stopped = client.ask("configurationDone", until="stopped")
        frames = client.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"]
        assert (frames[0]["name"], frames[0]["line"]) == ("solve", 4)
        assert len(client.ask("evaluate", expression="job", frameId=frames[0]["id"])["result"]) > 20
        threads = client.ask("threads")["threads"]
        assert sum("ultra-agent" in thread["name"] for thread in threads) == 1
        client.ask("setBreakpoints", source=source, breakpoints=[])
        client.ask("continue", threadId=stopped["threadId"], until="terminated")
        client.close()
        assert process.wait(60) == pytest.ExitCode.TESTS_FAILED
    assert dict(project.outcomes()) == {"failed": 1, "skipped": 9}
