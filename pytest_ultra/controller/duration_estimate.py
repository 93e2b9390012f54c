"""The least time that a run takes, under its limits and over the endpoints that serve its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from pytest_ultra.core.estimate import Estimate
from pytest_ultra.engine.limits import START_IN_FLIGHT
from pytest_ultra.options.requested_limits import endpoint_limits
from pytest_ultra.options.settings import Settings

SECONDS_PER_REQUEST = 2.0
"""The assumed time of an answer."""

_Endpoint = tuple[str, str]


class Load(msgspec.Struct, frozen=True):
    """The work for some models: `longest` is the requests of the longest episode, `cases` the number of cases."""

    total: Estimate
    longest: float
    cases: int


def estimate_duration(loads: Mapping[str, Load], settings: Settings, workers: int) -> tuple[float, str]:
    """Return the seconds that a run takes at least, and what determines them; `loads` are by model."""
    return max((bound for bound in _bounds(loads, settings, workers)), default=(0.0, "no episode is run"))


def _bounds(loads: Mapping[str, Load], settings: Settings, workers: int) -> Iterator[tuple[float, str]]:
    limits = endpoint_limits(settings)
    answers = f"if an answer takes {SECONDS_PER_REQUEST:g} s"
    total_in_flight = (settings.concurrency or START_IN_FLIGHT) * (workers or 1)
    yield from _in_flight([*loads.values()], total_in_flight, answers)
    for models, endpoints in _group(loads, settings):
        group = [loads[model] for model in models]
        each = f" at each of {endpoints} endpoints" if endpoints > 1 else ""
        yield max(load.longest for load in group) * SECONDS_PER_REQUEST, f"the longest episode's {answers}"
        yield from _in_flight(
            group, min(total_in_flight, (limits.max_in_flight or START_IN_FLIGHT) * endpoints), answers
        )
        requests = sum(load.total.requests for load in group)
        tokens = sum(load.total.tokens for load in group)
        if limits.rpm:
            yield requests * 60 / (limits.rpm * endpoints), f"bounded by {limits.rpm:g} requests a minute{each}"
        if limits.tpm:
            yield tokens * 60 / (limits.tpm * endpoints), f"bounded by {limits.tpm:g} tokens a minute{each}"


def _in_flight(loads: list[Load], most: int, answers: str) -> Iterator[tuple[float, str]]:
    in_flight = min(sum(load.cases for load in loads), most)
    if in_flight:
        requests = sum(load.total.requests for load in loads)
        yield requests * SECONDS_PER_REQUEST / in_flight, f"{answers} and {in_flight:,} are in flight"


def _group(loads: Mapping[str, Load], settings: Settings) -> Iterator[tuple[list[str], int]]:
    """Yield the models that share endpoints, and how many endpoints: limits hold for each endpoint with its key."""
    groups: list[tuple[list[str], set[_Endpoint]]] = []
    for model in loads:
        models, endpoints = [model], _endpoints(model, settings)
        for group in [group for group in groups if group[1] & endpoints]:
            groups.remove(group)
            models, endpoints = group[0] + models, group[1] | endpoints
        groups.append((models, endpoints))
    yield from ((models, len(endpoints)) for models, endpoints in groups)


def _endpoints(model: str, settings: Settings) -> set[_Endpoint]:
    """Name a model's endpoints by address and key variable, as far as they are configured: a plan needs no key."""
    provider = model.partition("/")[0] if "/" in model else "openai"
    served = settings.served.get(model, ())
    address = settings.base_url or provider
    return {(one.base_url or address, one.key_env or provider) for one in served} or {(address, provider)}
