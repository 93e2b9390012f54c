"""Judge an answer that is no reply by the table of verdicts, and report it as a failed attempt."""

from __future__ import annotations

import re
from collections.abc import Callable

from pytest_ultra.core.transcript import EndReason
from pytest_ultra.core.verdict import Judgement, Verdict
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.error_body import EXCERPT_CHARS, ErrorBody, read_error
from pytest_ultra.providers.named_wait import read_wait
from pytest_ultra.providers.quota import read_retry_after
from pytest_ultra.providers.transport import HttpResponse
from pytest_ultra.providers.verdict_row import VerdictRow
from pytest_ultra.providers.verdict_table import VERDICTS

_PROMPT = re.compile(
    r"\((\d+) in the messages|at least (\d+) input tokens|Given: (\d+) `?inputs`? tokens|prompt contains (\d+) tokens",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"maximum context length (?:is|of) (\d+)|must be <= (\d+)", re.IGNORECASE)


def judge(error: ErrorBody, status: int | None, provider: str = "") -> Judgement | None:
    """Return the verdict on an error; None if no row of the table fits, so that its status decides."""
    row = find_row(error, status, provider)
    if row is None:
        return None
    if row.end_reason is EndReason.CONTEXT_OVERFLOW and _fits_without_reply(error):
        return Judgement(Verdict.DIALECT)
    return Judgement(row.verdict, row.end_reason, row.advice)


def find_row(error: ErrorBody, status: int | None, provider: str = "") -> VerdictRow | None:
    """Return the first row of the table that fits an error."""
    codes = {code.lower() for code in error.codes}
    text = error.text
    return next((row for row in VERDICTS if _fits(row, codes, text, status, provider)), None)


def rejection(response: HttpResponse, provider: str, *, now: Callable[[], float]) -> AttemptFailedError:
    """Return the failed attempt of an answer with an HTTP status other than 2xx."""
    error = read_error(response.body)
    retry_after_s = read_retry_after(response.headers, now=now)
    detail = _moved(response) or error.message or "no body"
    return _failure(error, response.status, provider, detail, retry_after_s)


def failure_inside(
    response: HttpResponse, malformed: AttemptFailedError, provider: str, *, now: Callable[[], float]
) -> AttemptFailedError:
    """Return the failed attempt of a 2xx answer that is no chat completion: the error inside it decides, if any.

    Gateways report an error inside a 200 once the reply is under way: https://openrouter.ai/docs/api/errors
    """
    error = read_error(response.body)
    if not error.codes:
        return malformed
    failure = _failure(error, error.status, provider, malformed.detail, read_retry_after(response.headers, now=now))
    if failure.status is None:
        failure.problem = AttemptProblem.MALFORMED
    return failure


def _failure(
    error: ErrorBody, status: int | None, provider: str, detail: str, retry_after_s: float | None
) -> AttemptFailedError:
    judgement = judge(error, status, provider)
    return AttemptFailedError(
        AttemptProblem.STATUS,
        detail,
        status=status,
        retry_after_s=read_wait(error) if retry_after_s is None else retry_after_s,
        verdict=None if judgement is None else judgement.verdict,
        end_reason=None if judgement is None else judgement.end_reason,
        advice="" if judgement is None else judgement.advice,
    )


def _fits(row: VerdictRow, codes: set[str], text: str, status: int | None, provider: str) -> bool:
    if row.statuses and status not in row.statuses:
        return False
    if row.provider not in ("", provider) or (row.codes and codes.isdisjoint(map(str.lower, row.codes))):
        return False
    return not row.words or re.search(row.words, text, re.IGNORECASE) is not None


def _fits_without_reply(error: ErrorBody) -> bool:
    """Return whether the prompt alone fits the window, so that the room asked for the reply is what is too large."""
    prompt, window = _number(_PROMPT, error.message), _number(_WINDOW, error.message)
    return prompt is not None and window is not None and prompt < window


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return next((int(group) for group in found.groups() if group), None) if found else None


def _moved(response: HttpResponse) -> str:
    location = response.headers.get("location")
    if not location:
        return ""
    return f"the endpoint has moved to {location[:EXCERPT_CHARS]}; use that address as the base URL"
