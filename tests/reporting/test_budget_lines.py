"""Budget and forecast lines."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.reporting.budget_lines import (
    Forecast,
    ModelForecast,
    about,
    about_dollars,
    budget_line,
    dollars,
    forecast_lines,
)

FORECAST: dict[str, Any] = {
    "cases": 50,
    "sampled": 50,
    "requests": 338.4,
    "tool_calls": 288.4,
    "prompt_tokens": 703_681.2,
    "completion_tokens": 9_131.0,
    "cost": 0.0876,
    "price_hints": [],
    "seconds": 19.6,
    "pace": "if an answer takes 2 s",
}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (1234.567, "$1,234.57"),
        (0.25, "$0.25"),
        (0.00123, "$0.0012"),
        (0.00999, "$0.010"),
        (0.996, "$1.00"),
    ],
)
def test_small_amounts_keep_two_figures(amount: float, text: str) -> None:
    assert dollars(amount) == text


def test_a_forecast_has_one_line_per_figure() -> None:
    assert list(forecast_lines(Forecast(**FORECAST, budget="it would suffice"))) == [
        "plan: 50 cases; no request is sent",
        "calls: about 340 requests to models, 290 tool calls",
        "tokens: about 710,000 (700,000 in prompts, 9,100 in completions)",
        "cost: about $0.088",
        "wall-clock: about 20 s, if an answer takes 2 s",
        "budget: it would suffice",
    ]


def test_a_forecast_says_what_each_model_would_take_and_what_all_take_at_most() -> None:
    models = [
        ModelForecast("m\x1b[2J", 30, 200.4, 400_000, 0.05, 900, 4_000_000, 0.5),
        ModelForecast("other", 20, 138, 312_812, None, 600, 3_000_000),
    ]
    lines = list(forecast_lines(Forecast(**FORECAST, models=models)))
    assert "calls: about 340 requests to models, 290 tool calls; at most 1,500 requests" in lines
    assert lines[2].endswith(" 9,100 in completions); at most 7.0M")
    assert lines[3:7] == [
        "cost: about $0.088; at most $0.50",
        "at most: if every episode goes to its turn limit",
        r"model m\x1b[2J: 30 cases, about 200 requests, 400,000 tokens, $0.050; at most $0.50",
        "model other: 20 cases, about 140 requests, 310,000 tokens, cost unknown; at most 3.0M tokens",
    ]
    assert not any(line.startswith("model ") for line in forecast_lines(Forecast(**FORECAST, models=models[:1])))


@pytest.mark.parametrize(("seconds", "text"), [(59.4, "59 s"), (600, "10 min"), (9000, "2.5 h")])
def test_a_long_time_is_printed_in_minutes_and_hours(seconds: float, text: str) -> None:
    lines = list(forecast_lines(Forecast(**FORECAST | {"seconds": seconds})))
    assert lines[-1] == f"wall-clock: about {text}, if an answer takes 2 s"


def test_a_forecast_says_what_it_does_not_know() -> None:
    lines = list(forecast_lines(Forecast(**FORECAST | {"cost": None, "price_hints": ["no price for m"], "cases": 99})))
    assert lines[0] == "plan: 99 cases (estimated from 50 of them); no request is sent"
    assert "cost: unknown (no price for m)" in lines


def test_the_end_of_a_run_says_what_was_spent_and_whether_the_budget_ended_it() -> None:
    assert budget_line(1, 2000, 0.0, limit=None) == "budget: 1 request, 2,000 tokens spent by this run"
    assert budget_line(60, 5, 1.5, limit="the budget of $1.5 (--ultra-max-cost) is spent") == (
        "budget: 60 requests, 5 tokens, $1.50 spent by this run; the budget of $1.5 (--ultra-max-cost) is spent: "
        "the remaining cases are skipped, and the next run resumes from here"
    )


@pytest.mark.parametrize(
    ("detectable", "line"),
    [
        (0.834, "detectable: a flaw that costs 83 points (80% power), with 5 tasks per row, if 4 pairs of 10 differ"),
        (
            None,
            (
                "detectable: nothing, because 5 tasks per row are too few; "
                "use --ultra-detect POINTS or --ultra-instances N"
            ),
        ),
    ],
)
def test_the_forecast_says_what_the_plan_could_detect(detectable: float | None, line: str) -> None:
    assert line in list(forecast_lines(Forecast(**FORECAST, tasks=5, detectable=detectable)))
    assert not any("detectable" in text for text in forecast_lines(Forecast(**FORECAST)))


@pytest.mark.parametrize(
    ("amount", "text"), [(0.0876, "$0.088"), (3.456, "$3.50"), (222.78, "$220"), (1_433.9, "$1,400"), (0, "$0.00")]
)
def test_an_expected_cost_is_rounded(amount: float, text: str) -> None:
    assert about_dollars(amount) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (49.6, "50"), (712_812, "710,000"), (999_999, "1.0M"), (88_123_456, "88M")]
)
def test_expected_numbers_have_two_digits(number: float, text: str) -> None:
    assert about(number) == text
