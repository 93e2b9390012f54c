"""Budget lines: what a run has spent, and the forecast of `--ultra-plan`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from pytest_ultra.core.token_usage import CHARS_PER_TOKEN
from pytest_ultra.reporting.text import count, neutralise

_MINUTE_S = 60
_HOUR_S = 3600
_TEN = 10
_MILLION = 1_000_000


class ModelForecast(msgspec.Struct, frozen=True):
    """The part of a model in a forecast; `cost` and `most_cost` are in US dollars, None if its price is unknown.

    What is `most` is used if every episode goes to its turn limit; 0 if that is unknown.
    """

    model: str
    cases: int
    requests: float
    tokens: float
    cost: float | None
    most_requests: float = 0.0
    most_tokens: float = 0.0
    most_cost: float | None = None


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
    models: Sequence[ModelForecast] = ()


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
    parts = forecast.models
    most_requests, most_tokens = sum(part.most_requests for part in parts), sum(part.most_tokens for part in parts)
    requests = f"about {about(forecast.requests)} requests to models, {about(forecast.tool_calls)} tool calls"
    yield f"calls: {requests}{_at_most(most_requests, 'requests')}"
    tokens = forecast.prompt_tokens + forecast.completion_tokens
    shares = f"{about(forecast.prompt_tokens)} in prompts, {about(forecast.completion_tokens)} in completions"
    yield f"tokens: about {about(tokens)} ({shares}){_at_most(most_tokens)}"
    yield f"cost: {_cost(forecast)}"
    if any(part.most_requests for part in parts):
        yield "at most: if every episode goes to its turn limit"
    if len(parts) > 1:
        yield from map(_model_line, parts)
    yield f"wall-clock: about {_duration(forecast.seconds)}, {forecast.pace}"
    if forecast.tasks:
        yield f"detectable: {_detectable(forecast)}"
    if forecast.budget is not None:
        yield f"budget: {forecast.budget}"


def all_shards_lines(whole: Forecast, shards: int, *, is_narrowed: bool) -> Iterator[str]:
    """Yield what all shards of a run take together, and what they could detect.

    `is_narrowed` means that a selection leaves out a part of their cases, which is not known for the other shards.
    """
    tokens = whole.prompt_tokens + whole.completion_tokens
    likely = f"about {about(whole.requests)} requests, about {about(tokens)} tokens, cost {_cost(whole)}"
    narrowed = " before the selection" if is_narrowed else ""
    yield f"all {count(shards, 'shard')}{narrowed}: {count(whole.cases, 'case')}, {likely}"
    if whole.tasks:
        yield f"detectable by all shards: {_detectable(whole)}"


def _cost(forecast: Forecast) -> str:
    if forecast.cost is None:
        return f"unknown ({neutralise('; '.join(forecast.price_hints))})"
    most = sum(part.most_cost or 0.0 for part in forecast.models)
    return f"about {about_dollars(forecast.cost)}{f'; at most {about_dollars(most)}' if most else ''}"


def about(number: float) -> str:
    """Format an expected number with two significant digits, as it is no more precise than that."""
    rounded = float(f"{number:.2g}")
    if rounded < _MILLION:
        return f"{rounded:,.0f}"
    return f"{rounded / _MILLION:,.{0 if rounded >= _TEN * _MILLION else 1}f}M"


def about_dollars(amount: float) -> str:
    """Format an expected cost with two significant digits, with cents below ten dollars."""
    rounded = float(f"{amount:.2g}")
    return f"${rounded:,.0f}" if rounded >= _TEN else dollars(rounded)


def _at_most(number: float, unit: str = "") -> str:
    return f"; at most {about(number)} {unit}".rstrip() if number else ""


def _model_line(part: ModelForecast) -> str:
    cost = "cost unknown" if part.cost is None else about_dollars(part.cost)
    likely = f"{about(part.requests)} requests, {about(part.tokens)} tokens, {cost}"
    most = f"; at most {about_dollars(part.most_cost)}" if part.most_cost else _at_most(part.most_tokens, "tokens")
    return f"model {neutralise(part.model)}: {count(part.cases, 'case')}, about {likely}{most}"


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
