"""Errors outside the model under test: misuse by the user, and failures of the infrastructure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class UltraError(Exception):
    """Base of every exception that pytest-ultra raises on purpose."""


class ConfigurationError(UltraError, ValueError):
    """Misuse by the user. The message contains the bad value, the valid ones and a way out."""


class UnflawableError(UltraError, ValueError):
    """No flaw of the wanted kind and severity can be proved on a workflow."""


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


class AttemptFailedError(UltraError):
    """One HTTP attempt at an endpoint failed; the retry loop decides whether to try again.

    `status` is the HTTP status, if there was one; `retry_after_s` is the wait that the endpoint requested; `detail` is
    a short readable excerpt without secrets.
    """

    def __init__(
        self,
        problem: AttemptProblem,
        detail: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(problem, detail, status, retry_after_s)
        self.problem = problem
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        status = "" if self.status is None else f" {self.status}"
        return f"{self.problem}{status}: {self.detail}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.problem, self.detail, self.status, self.retry_after_s))


def _rebuild(
    problem: AttemptProblem, detail: str, status: int | None, retry_after_s: float | None
) -> AttemptFailedError:
    return AttemptFailedError(problem, detail, status=status, retry_after_s=retry_after_s)
