"""What went wrong in a run as a whole: each cause once, and what to do about it."""

from __future__ import annotations

import pytest

from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.reporting.run_causes import cause_lines
from tests.results_factory import make_case, make_episode


def errors(*texts: str, model: str = "gpt-4o", cause: FailureClass = FailureClass.ENDPOINT) -> list[Episode]:
    cases = [make_case(model=model, instance=instance) for instance in range(len(texts))]
    return [
        make_episode(case, Outcome.ERROR, error=text, failure_class=cause)
        for case, text in zip(cases, texts, strict=True)
    ]


def test_errors_that_differ_in_numbers_and_ids_alone_are_one_cause() -> None:
    found = errors(
        "No answer after 6 attempts: status 500: down (req_a1).",
        "No answer after 7 attempts: status 500: down (req_b2).",
    )
    fine = make_episode(make_case(model="gpt-4o", instance=9))
    (line,) = cause_lines([*found, fine])
    assert line == (
        "gpt-4o: 2 of 3 cases ended in an error: No answer after 6 attempts: status 500: down (req_a1). "
        "Remedy: `pytest-ultra check gpt-4o` tests the endpoint."
    )


def test_a_single_error_and_reused_errors_have_no_line() -> None:
    assert list(cause_lines(errors("down"))) == []
    reused = (make_episode(make_case(instance=n), Outcome.ERROR, error="down", reused=True) for n in range(5))
    assert list(cause_lines(list(reused))) == []


@pytest.mark.parametrize(
    ("error", "model", "cause", "remedy"),
    [
        ("status 429: You exceeded your current quota (insufficient_quota)", "m", FailureClass.ENDPOINT, "add credit"),
        ("status 429: slow down", "m", FailureClass.RATE_LIMIT, "set a lower --ultra-rpm or --ultra-max-in-flight"),
        (
            "status 404: model not found: check the model's name",
            "claude-4",
            FailureClass.ENDPOINT,
            "--ultra-model anthropic/claude-4",
        ),
        ("malformed: not a chat completion", "m", FailureClass.ENDPOINT, "choose its protocol with --ultra-api"),
        ("status 400: use v1/responses instead", "m", FailureClass.ENDPOINT, "--ultra-api responses"),
    ],
)
def test_each_cause_has_its_remedy(error: str, model: str, cause: FailureClass, remedy: str) -> None:
    (line,) = cause_lines(errors(error, error, model=model, cause=cause))
    assert f"2 of 2 cases ended in an error: {error}" in line
    assert remedy in line.partition(" Remedy: ")[2]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("The endpoint rejected the request (status 401: no): check the API key.", FailureClass.ENDPOINT),
        ("KeyError: 'x'", FailureClass.HARNESS),
    ],
)
def test_an_error_that_says_its_remedy_gets_no_other(error: str, cause: FailureClass) -> None:
    (line,) = cause_lines(errors(error, error, cause=cause))
    assert line.endswith(error)


def test_of_many_causes_the_most_frequent_are_shown_and_hostile_text_is_escaped() -> None:
    names = ["one\x1b[2J", "two", "three", "four", "five"]
    found = [e for n, name in enumerate(names) for e in errors(*[f"{name} is down"] * (9 - n), model=name)]
    lines = list(cause_lines(found))
    assert len(lines) == 4
    assert lines[0].startswith(r"one\x1b[2J: 9 of 9 cases ended in an error: one\x1b[2J is down")
    assert lines[-1] == "and 2 other causes of errors, which the report shows"
