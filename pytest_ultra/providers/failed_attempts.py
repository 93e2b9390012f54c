"""Failed attempts as the retry loop gets them: without secrets, and with what a rejection teaches."""

from __future__ import annotations

from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.dialects.rejections import RejectedError, SpokenDialect, read_rejection
from pytest_ultra.providers.redaction import Redact
from pytest_ultra.providers.transport import HttpResponse

_DETAIL_CHARS = 300


def describe_failure(
    error: AttemptFailedError, response: HttpResponse | None, used: SpokenDialect, *, label: str, redact: Redact
) -> AttemptFailedError:
    """Return the failure with the endpoint's label and without secrets; a rejection if another dialect may help."""
    failure = _without_secrets(error, label, redact)
    if response is None or not failure.is_judged_by_status:
        return failure
    text = read_rejection(response.status, response.body)
    return RejectedError(failure, used, text) if text else failure


def _without_secrets(error: AttemptFailedError, label: str, redact: Redact) -> AttemptFailedError:
    """Redact before shortening, so that no part of a secret is left at the end."""
    detail = redact(f"{label}: {error.detail}" if label else error.detail)
    short = detail if len(detail) <= _DETAIL_CHARS else detail[: _DETAIL_CHARS - 1] + "…"
    return error.with_detail(short)
