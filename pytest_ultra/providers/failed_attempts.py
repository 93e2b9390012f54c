"""Failed attempts as the retry loop gets them: without secrets, and with what a rejection teaches."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from pytest_ultra.errors import AttemptFailedError, Verdict
from pytest_ultra.providers.dialects.rejections import RejectedError, SpokenDialect, read_rejection
from pytest_ultra.providers.dialects.requested import find_named
from pytest_ultra.providers.redaction import Redact
from pytest_ultra.providers.transport import HttpResponse

_DETAIL_CHARS = 300


def describe_failure(
    error: AttemptFailedError,
    response: HttpResponse | None,
    used: SpokenDialect,
    *,
    label: str,
    redact: Redact,
    requested: Iterable[str] = (),
) -> AttemptFailedError:
    """Return the failure with the endpoint's label and without secrets; a rejection if another dialect may help.

    `requested` are the parameters that the user asked for, empty once the endpoint has taken them.
    """
    failure = _without_secrets(error, label, redact)
    if response is None or not failure.is_judged_by_status:
        return failure
    text = read_rejection(_status_of_rejection(failure, response), response.body)
    return _end_if_requested(RejectedError(failure, used, text), requested) if text else failure


def _status_of_rejection(failure: AttemptFailedError, response: HttpResponse) -> int:
    """Return the status of a rejection: gateways put some inside a 200, with or without their own status."""
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the bounds of success in HTTP
        return response.status
    return failure.status or (HTTPStatus.BAD_REQUEST if failure.verdict is Verdict.DIALECT else response.status)


def _end_if_requested(failure: RejectedError, requested: Iterable[str]) -> RejectedError:
    """End the model, unless the dialect can be changed, if the rejection names a parameter that was asked for.

    A run without that parameter, or with another value, would measure something else.
    """
    name = find_named(failure.text, requested)
    is_about_request = failure.status != HTTPStatus.INTERNAL_SERVER_ERROR  # which may be gone the next time
    if name is not None and is_about_request:
        failure.verdict = Verdict.MODEL_END
        failure.advice = f"it names {name!r}, which --ultra-request sets; give another value, or leave it out"
    return failure


def _without_secrets(error: AttemptFailedError, label: str, redact: Redact) -> AttemptFailedError:
    """Redact before shortening, so that no part of a secret is left at the end."""
    detail = redact(f"{label}: {error.detail}" if label else error.detail)
    short = detail if len(detail) <= _DETAIL_CHARS else detail[: _DETAIL_CHARS - 1] + "…"
    return error.with_detail(short)
