"""How a program ended, as the engine gets it: what is its own failure, and what kept it from its work."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest

from pytest_ultra.agents.command.command_agents import NOT_LISTED, CommandAgents
from pytest_ultra.core.agent_session import AgentEnd
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import EndReason
from tests.agents.test_mcp_server import Session


class Job(Session):
    case = msgspec.structs.replace(Session.case, model="mine")
    messages: tuple[Message, ...] = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Do it."})


def end_of(command: str, folder: Path, *, ready_s: float = 60.0) -> AgentEnd:
    """Run a program to its end."""
    agents = CommandAgents({"mine": command}, folder=folder, ready_s=ready_s)
    ended: Future[AgentEnd] = Future()
    try:
        agents.start(Job(), ended.set_result)
        return ended.result(60)
    finally:
        agents.close()


@pytest.mark.parametrize(
    ("code", "ready_s", "reason", "detail"),
    [
        ("print(1); print()", 60, EndReason.AGENT_SETUP, f"{NOT_LISTED}. Its last line: 1"),
        ("pass", 60, EndReason.AGENT_SETUP, NOT_LISTED),
        (
            "import time; time.sleep(100)",
            0.5,
            EndReason.AGENT_SETUP,
            f"{NOT_LISTED}. It had 0.5 seconds for that",
        ),
        ("import os; os.kill(os.getpid(), 9)", 60, EndReason.AGENT_ERROR, "The agent ended by SIGKILL."),
        (
            'import os; os.write(1, b"2"); os._exit(3)',
            60,
            EndReason.AGENT_ERROR,
            "2\nThe agent ended with exit code 3.",
        ),
    ],
)
def test_a_program_that_did_no_work(tmp_path: Path, code: str, ready_s: float, reason: EndReason, detail: str) -> None:
    end = end_of(f"{sys.executable} -S -c '{code}'", tmp_path, ready_s=ready_s)
    assert end == AgentEnd(reason=reason, detail=detail)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    end = end_of(f"{sys.executable} -c 0", tmp_path / "missing")
    assert end.reason is EndReason.AGENT_SETUP
    assert end.detail.startswith("the agent's program cannot be started: [Errno 2] No such file or directory")


def test_a_word_that_is_too_long_is_named(tmp_path: Path) -> None:
    end = end_of(f"{sys.executable} -c 0 " + "x" * 200_000, tmp_path)
    assert end.reason is EndReason.AGENT_SETUP
    assert "Argument list too long" in end.detail
