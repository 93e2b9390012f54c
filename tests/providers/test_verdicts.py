"""The table of verdicts, row by row with a literal answer; and the bodies in which gateways wrap an error."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from pytest_ultra.core.transcript import EndReason
from pytest_ultra.core.verdict import Judgement, Verdict
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.error_body import read_error
from pytest_ultra.providers.named_wait import read_wait
from pytest_ultra.providers.verdict_row import VerdictRow
from pytest_ultra.providers.verdict_table import VERDICTS
from pytest_ultra.providers.verdicts import find_row, judge
from tests.providers.error_examples import EXAMPLES, QUOTA, encode_example, google, upstream, wrapped


def judged(status: int, body: Any, provider: str = "") -> Judgement | None:
    return judge(read_error(encode_example(body)), status, provider)


@pytest.mark.parametrize("row", VERDICTS, ids=lambda row: row.name)
def test_each_row_decides_on_a_literal_answer(row: VerdictRow) -> None:
    status, body = EXAMPLES[row.name]
    found = find_row(read_error(encode_example(body)), status, row.provider)
    assert found is row, found
    assert row.source.startswith("https://")
    assert (row.end_reason is None) == (row.verdict is not Verdict.MODEL_FAILURE)


def test_no_two_rows_have_the_same_name_and_no_example_is_without_a_row() -> None:
    assert sorted(EXAMPLES) == sorted(row.name for row in VERDICTS)


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, wrapped("rejected")), (500, "oops"), (503, ""), (429, wrapped("Wait.")), (403, wrapped("flagged"))],
)
def test_an_answer_that_no_row_fits_is_left_to_its_status(status: int, body: Any) -> None:
    assert judged(status, body) is None


OVERFLOW = Judgement(Verdict.MODEL_FAILURE, EndReason.CONTEXT_OVERFLOW)
TOO_LONG = "This model's maximum context length is 100 tokens. However, your messages resulted in 120 tokens."


@pytest.mark.parametrize(
    "body",
    [
        wrapped(TOO_LONG),
        [wrapped(TOO_LONG)],
        {"error": TOO_LONG},
        {"object": "error", "message": TOO_LONG},
        {"detail": TOO_LONG},
        {"detail": [{"loc": ["body", "messages"], "msg": TOO_LONG}]},
        {"message": {"detail": [{"msg": TOO_LONG}]}},
        upstream(json.dumps(wrapped(TOO_LONG))),
        upstream(TOO_LONG),
        wrapped(f"litellm.BadRequestError: OpenAIException - {TOO_LONG}. Received Model Group=gpt", code="400"),
        wrapped(f"litellm.BadRequestError: VllmException - {json.dumps({'message': TOO_LONG})}", code="400"),
        {"choices": [{"finish_reason": "error", "error": {"message": TOO_LONG, "code": 400}}]},
        TOO_LONG,
    ],
    ids=[
        "object", "list", "string", "top level", "detail", "pydantic", "nested detail", "raw JSON", "raw text",
        "litellm", "litellm with JSON", "choice", "text",
    ],
)  # fmt: skip
def test_an_error_is_unwrapped_before_it_is_judged_and_shown(body: Any) -> None:
    error = read_error(encode_example(body))
    assert judge(error, 400) == OVERFLOW
    assert error.message.removeprefix("body.messages: ").rstrip(".") == TOO_LONG.rstrip(".")


def test_a_long_prefix_hides_no_message() -> None:
    body = upstream(json.dumps({**wrapped(TOO_LONG), "request": "x" * 5000}))
    assert judge(read_error(encode_example(body)), 400) == OVERFLOW


def test_a_window_that_is_too_small_for_the_reply_alone_is_no_failure_of_the_model() -> None:
    text = "maximum context length is 16384 tokens. However, you requested 20000 tokens ({} in the messages, 10000 in"
    assert judged(400, wrapped(text.format(10000))) == Judgement(Verdict.DIALECT)
    assert judged(400, wrapped(text.format(17000))) == OVERFLOW


def test_what_the_model_generated_is_shown_with_the_rejection() -> None:
    status, body = EXAMPLES["groq: failed call"]
    assert read_error(encode_example(body)).message.endswith("(generated: <function=x>)")
    assert judged(status, body) == Judgement(Verdict.MODEL_FAILURE, EndReason.MALFORMED_GENERATION)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (google(QUOTA, "PerMinute", "27s"), 27.0),
        (google("Please retry in 3s.", "PerMinute", "19.5s"), 19.5),
        (wrapped("Please try again in 1.2s. Visit"), 1.2),
        (wrapped("Please try again in 250ms."), 0.25),
        (wrapped("Please try again in 6m0s."), 360.0),
        (wrapped("Please try again in 114h18m0s."), 86_400.0),
        (wrapped("Please retry after 60 seconds."), 60.0),
        (wrapped("Rate limit is exceeded. Try again in 2 seconds."), 2.0),
        (wrapped("Please wait 1 minute"), 60.0),
        (wrapped("Please try again in 3 models."), None),
        (wrapped("Please try again later."), None),
        (wrapped("Retry 3 times in 20s"), None),
    ],
)
def test_a_wait_named_in_the_body_is_read(body: Any, seconds: float | None) -> None:
    assert read_wait(read_error(encode_example(body))) == seconds


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"[[1]]", b"{", b'{"error": null}', b"[" * 5000, b'"x"', b"3"])
def test_any_body_is_read(body: bytes) -> None:
    assert judge(read_error(body), 400) is None


def test_a_failure_survives_pickling_with_its_verdict() -> None:
    failure = AttemptFailedError(
        AttemptProblem.STATUS, "no", status=400, verdict=Verdict.MODEL_FAILURE, end_reason="refused"
    )
    copy = pickle.loads(pickle.dumps(failure))  # noqa: S301 - our own bytes
    assert (str(copy), copy.verdict, copy.end_reason) == (str(failure), Verdict.MODEL_FAILURE, "refused")
