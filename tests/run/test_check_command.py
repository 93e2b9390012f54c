"""`pytest-ultra check`: two small calls show whether a model can be used, before a run is paid for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.run.project import Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply, tool_call_reply

KEY = "sk-very-secret"
StartServer = Callable[[Script], ScriptedServer]
Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(project: Project, monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def check(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest_ultra", "check", *args]
        return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own command

    return check


def findings(shown: str) -> dict[str, str]:
    """Return the findings of the output for one model, by name."""
    return {line[2:14].strip(): line[14:] for line in shown.splitlines()[1:]}


def ready(request: ReceivedRequest) -> tuple[int, str]:
    if not request.body.get("tools"):
        return 200, text_reply("ready")
    reply = json.loads(tool_call_reply("add", '{"a": 2, "b": 3}'))
    return 200, json.dumps({**reply, "model": "small-2026-10", "system_fingerprint": "fp_1"})


def test_a_model_that_answers_and_calls_the_tool_is_ready(check: Check, start_server: StartServer) -> None:
    server = start_server(ready)
    shown = check("small", f"--ultra-base-url={server.url}", "--ultra-price=small=0.15,0.6")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"small at {server.url}\n")
    assert len(server.requests) == 2
    found = findings(shown.stdout)
    assert "s, " in found.pop("latency")
    assert found == {
        "reachable": "yes",
        "key": "accepted",
        "answered by": "small-2026-10 fp_1",
        "tools": "native: it called the tool as asked",
        "dialect": "nothing had to be changed",
        "limits": "not stated in the headers of its answers",
        "price": "$0.15 and $0.6 per million prompt and completion tokens (the table of 2026-10, or --ultra-price)",
    }


def test_a_model_without_native_calls_is_named_with_the_remedy(check: Check, start_server: StartServer) -> None:
    server = start_server(lambda _: (200, text_reply("5")))
    shown = check("small", f"--ultra-base-url={server.url}")
    assert shown.returncode == 1
    assert findings(shown.stdout)["tools"].endswith("try --ultra-tool-protocol text")


def test_an_endpoint_that_rejects_tools_is_named_with_the_remedy(check: Check, start_server: StartServer) -> None:
    def script(request: ReceivedRequest) -> tuple[int, str]:
        if request.body.get("tools"):
            return 400, json.dumps({"error": {"message": "small does not support tools"}})
        return 200, text_reply("ready")

    shown = check("small", f"--ultra-base-url={start_server(script).url}")
    assert shown.returncode == 1
    found = findings(shown.stdout)
    assert found["tools"] == "rejected by the endpoint; use --ultra-tool-protocol text"
    assert "does not support tools" in found["problem"]


def test_what_the_requests_had_to_leave_out_is_shown(check: Check, start_server: StartServer) -> None:
    def script(request: ReceivedRequest) -> tuple[int, str]:
        if "temperature" in request.body:
            error = {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}
            return 400, json.dumps({"error": error})
        return ready(request)

    shown = check("small", f"--ultra-base-url={start_server(script).url}", "--ultra-temperature=0")
    assert shown.returncode == 0
    assert findings(shown.stdout)["dialect"] == "asked again without temperature"


def test_a_rejected_key_is_named_and_not_shown(check: Check, start_server: StartServer) -> None:
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})
    shown = check("small", f"--ultra-base-url={start_server(lambda _: (401, body)).url}")
    assert shown.returncode == 1
    assert findings(shown.stdout)["key"].startswith("rejected")
    assert KEY not in shown.stdout + shown.stderr


def test_a_base_url_without_its_version_is_corrected(check: Check, start_server: StartServer) -> None:
    server = start_server(lambda _: (404, json.dumps({"detail": "Not Found"})))
    root = server.url.removesuffix("/v1")
    shown = check("small", f"--ultra-base-url={root}")
    assert shown.returncode == 1
    assert findings(shown.stdout)["advice"] == f"did you mean {root}/v1 as the base URL? Nothing is found at {root}"


def test_an_endpoint_that_is_not_there_fails_without_a_retry(check: Check) -> None:
    shown = check("small", "--ultra-base-url=http://127.0.0.1:1/v1", "--json")
    assert shown.returncode == 1
    (found,) = json.loads(shown.stdout)["checks"]
    assert (found["is_reachable"], found["key"], found["tools"]) == (False, "unknown", "unknown")
    assert found["problem"].startswith("refused: ")


def test_the_ini_file_holds_as_for_a_run(project: Project, check: Check, start_server: StartServer) -> None:
    server = start_server(ready)
    project.pytester.makeini(f"[pytest]\nultra_model = small, other\nultra_base_url = {server.url}\n")
    shown = check()
    assert shown.returncode == 0
    assert [request.model for request in server.requests].count("other") == 2
    assert [line.partition(" ")[0] for line in shown.stdout.splitlines() if " at http" in line] == ["small", "other"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "no model is named; write pytest-ultra check NAME"),
        (("demo",), "demo models are served by the run itself; there is nothing to check"),
        (("nowhere/small",), "There is no provider 'nowhere'"),
        (("claude-opus-5",), "Did you mean anthropic/claude-opus-5?"),
        (("small", "--ultra-bogus"), "unrecognized arguments: --ultra-bogus"),
    ],
)
def test_what_cannot_be_checked_is_said_before_any_request(check: Check, args: tuple[str, ...], message: str) -> None:
    shown = check(*args)
    assert shown.returncode == 2
    assert message in shown.stderr
    if args[-1:] != ("--ultra-bogus",):  # pytest itself answers that
        assert shown.stderr.startswith("pytest-ultra check: error: ")
        assert shown.stderr.count("\n") == 1
    assert not shown.stdout


OWN_ENDPOINT = """
    from pytest_ultra.core.transcript import Reply, ToolCall

    class Mine:
        async def attempt(self, request):
            if not request.tools:
                return Reply("ready")
            return Reply(tool_calls=(ToolCall("1", "add", '{"a": 2, "b": 3}'),), model="mine-1")

        async def aclose(self):
            pass

    def pytest_ultra_endpoint():
        return Mine()
"""


def test_a_users_own_endpoint_is_checked_without_key_or_address(
    project: Project, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    project.pytester.makeconftest(OWN_ENDPOINT)
    shown = check("anything")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("anything\n")
    assert findings(shown.stdout)["answered by"] == "mine-1"
