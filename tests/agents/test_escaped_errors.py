"""Whose failure an exception is that escapes from an agent."""

from __future__ import annotations

import asyncio

import pytest

from pytest_ultra.agents.escaped_errors import judge_error
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.errors import ConfigurationError


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


def of_client(name: str, module: str) -> Exception:
    """Return an error like those of a client that is not installed here."""
    kind: type[Exception] = type(name, (Exception,), {"__module__": module})
    return kind("no answer")


def caused(error: BaseException) -> Exception:
    outer = RuntimeError("the framework failed")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError("refused"), EndReason.ENDPOINT),
        (caused(caused(ConnectionResetError("reset"))), EndReason.ENDPOINT),
        (of_client("ConnectTimeout", "httpx"), EndReason.ENDPOINT),
        (of_client("APIConnectionError", "openai._exceptions"), EndReason.ENDPOINT),
        (StatusError(503), EndReason.ENDPOINT),
        (StatusError(429), EndReason.RATE_LIMIT),
        (caused(StatusError(429)), EndReason.RATE_LIMIT),
        (ExceptionGroup("tasks", [StatusError(429)]), EndReason.RATE_LIMIT),
        (ConfigurationError("no model"), EndReason.HARNESS),
        (StatusError(400), EndReason.AGENT_ERROR),
        (TimeoutError(), EndReason.AGENT_ERROR),
        (of_client("ConnectTimeout", "my_app"), EndReason.AGENT_ERROR),
        (ExceptionGroup("tasks", [StatusError(429), ValueError()]), EndReason.AGENT_ERROR),
        (asyncio.CancelledError(), EndReason.AGENT_ERROR),
        (SystemExit(1), EndReason.AGENT_ERROR),
    ],
)
def test_the_reason_of_an_error(error: BaseException, reason: EndReason) -> None:
    assert judge_error(error).reason is reason


def test_an_error_that_was_only_handled_before_is_not_its_cause() -> None:
    error = ValueError("another")
    error.__context__ = ConnectionError("handled")
    assert judge_error(error).reason is EndReason.AGENT_ERROR


def test_a_circle_of_causes_ends() -> None:
    error = ValueError("round")
    error.__cause__ = caused(error)
    assert judge_error(error).reason is EndReason.AGENT_ERROR


def test_the_details_say_what_happened() -> None:
    assert judge_error(caused(StatusError(429))).detail == "The agent's own request failed (StatusError: status 429)."
    assert judge_error(caused(ValueError("inner"))).detail.splitlines()[-1] == "RuntimeError: the framework failed"
    assert "ValueError: inner" in judge_error(caused(ValueError("inner"))).detail
