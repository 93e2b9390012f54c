"""What an exception that escapes from an agent means: its own failure, or one of the infrastructure."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from pytest_ultra.core.agent_session import AgentEnd
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.errors import ConfigurationError, ToolFaultError

TOO_MANY_REQUESTS = 429
_TRACEBACK_LINES = 40
_SERVER_ERRORS = range(500, 600)

_CLIENTS = frozenset(
    {"aiohttp", "anthropic", "botocore", "google", "grpc", "httpcore", "httpx", "openai", "requests", "urllib3"}
)
"""Packages whose connection errors are known by name, as they do not derive from `ConnectionError`."""
_CONNECTION_ERRORS = frozenset(
    {
        "APIConnectionError",  # openai, anthropic
        "APITimeoutError",
        "ClientConnectionError",  # aiohttp
        "ConnectError",  # httpx, httpcore
        "ConnectTimeout",  # also requests
        "ConnectionError",  # requests
        "EndpointConnectionError",  # botocore
        "MaxRetryError",  # urllib3
        "NewConnectionError",
        "ProtocolError",
        "ReadError",
        "ReadTimeout",
        "RemoteProtocolError",
        "RetryError",  # google
        "ServiceUnavailable",
        "WriteError",
    }
)


def judge_error(error: BaseException) -> AgentEnd:
    """Return how an agent has ended that raised this error.

    Connection errors, 429 and 5xx anywhere in its `__cause__` chain are the infrastructure's. Misuse of the task
    object (`errors.ConfigurationError`) is the harness's. All else is the agent's failure, with its traceback.
    """
    for cause in _causes(error):
        if isinstance(cause, ConfigurationError):
            return AgentEnd(reason=EndReason.HARNESS, detail=str(cause))
        reason = _find_infrastructure(cause)
        if reason is not None:
            return AgentEnd(reason=reason, detail=f"The agent's own request failed ({_describe(cause)}).")
    return AgentEnd(reason=EndReason.AGENT_ERROR, detail=_format(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes; of a group, the members too if there is only one."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        members = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        current = members[0] if len(members) == 1 else current.__cause__


def _find_infrastructure(error: BaseException) -> EndReason | None:
    status = _status(error)
    if status == TOO_MANY_REQUESTS:
        return EndReason.RATE_LIMIT
    if status in _SERVER_ERRORS or (isinstance(error, ConnectionError) and not isinstance(error, ToolFaultError)):
        return EndReason.ENDPOINT
    kinds = [kind for kind in type(error).__mro__ if kind.__module__.partition(".")[0] in _CLIENTS]
    return EndReason.ENDPOINT if any(kind.__name__ in _CONNECTION_ERRORS for kind in kinds) else None


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of an error of a client, None if it has none."""
    response = getattr(error, "response", None)
    for holder, name in ((error, "status_code"), (error, "status"), (error, "code"), (response, "status_code")):
        value = getattr(holder, name, None)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _format(error: BaseException) -> str:
    """Return the traceback without our own frames at its beginning."""
    own = error.__traceback__.tb_next if error.__traceback__ else None
    lines = "".join(traceback.format_exception(type(error), error, own)).splitlines()
    return "\n".join(lines[-_TRACEBACK_LINES:])
