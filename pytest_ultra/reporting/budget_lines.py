"""Budget lines: what a run has spent, and the forecast of `--ultra-plan`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from pytest_ultra.core.token_usage import CHARS_PER_TOKEN
from pytest_ultra.reporting.text import count, neutralise

_MINUTE_S = 60
_HOUR_S = 3600


class Forecast(msgspec.Struct, frozen=True):
    """What a run would use: expected counts, `cost` in US dollars, `seconds` of wall-clock time.

    `cost` is None if some price is unknown; `price_hints` then name the models. `reused` cases are not run again and
    not counted. `sampled` of the others were examined, and the rest are assumed to be like them. `pace` names what
    limits the speed. `detectable` is the smallest difference, as a share, that `tasks` in each row would detect with
    80 % power, None if they would detect none.
    """

    cases: int
    sampled: int
    requests: float
    tool_calls: float
    prompt_tokens: float
    completion_tokens: float
    cost: float | None
    price_hints: Sequence[str]
    seconds: float
    pace: str
    budget: str | None = None
    reused: int = 0
    tasks: int = 0
    detectable: float | None = None


def dollars(amount: float) -> str:
    """Format US dollars with cents, or with two significant digits below one dollar."""
    rounded = float(f"{amount:.2g}")
    return f"${amount:,.2f}" if rounded == 0 or rounded >= 1 else f"${amount:.{1 - math.floor(math.log10(rounded))}f}"


def estimate_mark(estimated_requests: int) -> str:
    """Return the mark of figures that rest on estimates of tokens."""
    return "~" if estimated_requests else ""


BUDGET_OF_ESTIMATES = (
    f"the budget rests on estimates: replies came without token counts, which are taken as one token per "
    f"{CHARS_PER_TOKEN} characters and marked ~"
)


def budget_line(requests: int, tokens: int, cost: float, *, limit: str | None, estimated_requests: int = 0) -> str:
    mark = estimate_mark(estimated_requests)
    paid = f", {mark}{dollars(cost)}" if cost else ""
    spent = f"budget: {count(requests, 'request')}, {mark}{count(tokens, 'token')}{paid} spent by this run"
    if estimated_requests:
        spent += f"; {BUDGET_OF_ESTIMATES}"
    if limit is None:
        return spent
    return f"{spent}; {limit}: the remaining cases are skipped, and the next run resumes from here"


def forecast_lines(forecast: Forecast) -> Iterator[str]:
    left = forecast.cases - forecast.reused
    reused = f", {forecast.reused:,} of them reused from earlier runs, {left:,} left" if forecast.reused else ""
    sample = "" if forecast.sampled == left else f" (estimated from {forecast.sampled:,} of them)"
    yield f"plan: {count(forecast.cases, 'case')}{reused}{sample}; no request is sent"
    yield f"calls: about {forecast.requests:,.0f} requests to models, {forecast.tool_calls:,.0f} tool calls"
    tokens = forecast.prompt_tokens + forecast.completion_tokens
    yield (
        f"tokens: about {tokens:,.0f} ({forecast.prompt_tokens:,.0f} in prompts, "
        f"{forecast.completion_tokens:,.0f} in completions)"
    )
    if forecast.cost is None:
        yield f"cost: unknown ({neutralise('; '.join(forecast.price_hints))})"
    else:
        yield f"cost: about {dollars(forecast.cost)}"
    yield f"wall-clock: about {_duration(forecast.seconds)}, {forecast.pace}"
    if forecast.tasks:
        yield f"detectable: {_detectable(forecast)}"
    if forecast.budget is not None:
        yield f"budget: {forecast.budget}"


def _detectable(forecast: Forecast) -> str:
    tasks = f"{count(forecast.tasks, 'task')} per row"
    if forecast.detectable is None:
        return f"nothing, because {tasks} are too few; use --ultra-detect POINTS or --ultra-instances N"
    return (
        f"a flaw that costs {100 * forecast.detectable:.0f} points (80% power), with {tasks}, if 4 pairs of 10 differ"
    )


def _duration(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE_S:.0f} min" if seconds < _HOUR_S else f"{seconds / _HOUR_S:.1f} h"
