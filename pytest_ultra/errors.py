"""Errors outside the model under test: misuse by the user, and failures of the infrastructure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class UltraError(Exception):
    """Base of every exception that pytest-ultra raises on purpose."""


class ConfigurationError(UltraError, ValueError):
    """Misuse by the user. The message contains the bad value, the valid ones and a way out."""


def describe_error(error: Exception) -> str:
    """Return an error's message; for an error of the operating system, the file and the reason in plain words."""
    if isinstance(error, UltraError) or not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    reason = error.strerror.lower()
    return reason if error.filename is None else f"{str(error.filename)!r}: {reason}"


class UnflawableError(UltraError, ValueError):
    """No flaw of the wanted kind and severity can be proved on a workflow."""


class ToolServerError(UltraError, ConnectionError):
    """A server of a suite's tools does not answer, or not as the suite needs it: an error of the infrastructure."""


class ToolFaultError(UltraError, ConnectionError):
    """A call of a wrapped tool met a fault that pytest-ultra injected, in place of an error of the tool itself.

    `kind` is the kind of fault (`transient`, `permanent` or `lost_reply`), `code` what a program can go by, `tool` the
    tool's name. The text is what an agent should see.
    """

    def __init__(self, message: str, *, kind: str, code: str, tool: str) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.code = code
        self.tool = tool

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_fault, (self.message, {"kind": self.kind, "code": self.code, "tool": self.tool}))


def _rebuild_fault(message: str, fields: dict[str, str]) -> ToolFaultError:
    return ToolFaultError(message, **fields)


class AttemptProblem(StrEnum):
    """Why one HTTP attempt gave no usable answer."""

    REFUSED = "refused"  # no connection
    LOOKUP = "lookup"  # the host's name has no address, or cannot be looked up
    MACHINE = "machine"  # this machine has no file, port or memory left for a connection
    DROPPED = "dropped"  # the connection broke before the answer was complete
    TIMEOUT = "timeout"
    STANDSTILL = "standstill"  # this process did not run for so long that the attempt's result means nothing
    PARAMETER = "parameter"  # a rejection that names a part of the request, which is then written otherwise
    STATUS = "status"  # an HTTP status other than 2xx
    MALFORMED = "malformed"  # a 2xx answer that is not a chat completion
    BUDGET = "budget"  # the budget is used up, so no request was sent
    UNRECORDED = "unrecorded"  # no answer on the cassette, and none can be requested or recorded


class Verdict(StrEnum):
    """What an answer that is no reply means for the run."""

    RETRY = "retry"  # the same request may succeed
    WAIT = "wait"  # the same request may succeed after a wait, which uses up no attempt
    DIALECT = "dialect"  # the endpoint rejects the form of the request
    CASE_ERROR = "case_error"  # an infrastructure error of this case alone
    MODEL_END = "model_end"  # no further request to this model can succeed
    MODEL_FAILURE = "model_failure"  # the model's own failure, which is scored


class AttemptFailedError(UltraError):
    """One HTTP attempt at an endpoint failed; the retry loop decides whether to try again.

    `status` is the HTTP status, if there was one; `retry_after_s` is the wait that the endpoint requested; `detail` is
    a short readable excerpt without secrets. Without a `verdict`, the problem and the status decide. `end_reason` is
    the value of the `EndReason` with which the model's own failure ends the episode; `advice` says
    what the user can do.
    """

    def __init__(
        self,
        problem: AttemptProblem,
        detail: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        verdict: Verdict | None = None,
        end_reason: str | None = None,
        advice: str = "",
    ) -> None:
        super().__init__(problem, detail, status, retry_after_s, verdict, end_reason)
        self.problem = problem
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s
        self.verdict = verdict
        self.end_reason = end_reason
        self.advice = advice

    @property
    def is_judged_by_status(self) -> bool:
        """Return whether there is no verdict but that the request may be written otherwise."""
        return self.verdict in (None, Verdict.DIALECT)

    def with_detail(self, detail: str) -> AttemptFailedError:
        return AttemptFailedError(self.problem, detail, **self._fields())

    def __str__(self) -> str:
        status = "" if self.status is None else f" {self.status}"
        return f"{self.problem}{status}: {self.detail}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.problem, self.detail, self._fields()))

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("status", "retry_after_s", "verdict", "end_reason", "advice")}


def _rebuild(problem: AttemptProblem, detail: str, fields: dict[str, Any]) -> AttemptFailedError:
    return AttemptFailedError(problem, detail, **fields)


class EpisodeEndedError(BaseException):
    """Raised in an agent's tool call after its episode has ended: by a limit, or because the run was stopped.

    No `Exception`, so that an agent that turns errors of tools into messages does not go on.
    """
