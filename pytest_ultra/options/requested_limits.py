"""The limits that a user asks for: on each endpoint, and on what the whole run may spend."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from pytest_ultra.engine.budget import BudgetLimits
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.redis_connection import JointStore
from pytest_ultra.options.known_prices import check_prices
from pytest_ultra.options.option_values import RateMode
from pytest_ultra.options.settings import Settings
from pytest_ultra.storage.shared_disk import host_name


def endpoint_limits(settings: Settings) -> Limits:
    """Return the limits on each endpoint; of `--ultra-rpm` and `--ultra-qps` the stricter one counts."""
    rates = [settings.rpm, settings.qps and settings.qps * 60]
    return Limits(
        rpm=min(filter(None, rates), default=None),
        tpm=settings.tpm,
        max_in_flight=settings.max_in_flight,
        is_adaptive=settings.rate_mode is RateMode.ADAPTIVE,
    )


def budget_limits(settings: Settings) -> BudgetLimits:
    return BudgetLimits(settings.max_requests, settings.max_tokens, settings.max_cost)


def joint_store(settings: Settings, note: Callable[[str], None], hosts: int = 1) -> JointStore | None:
    """Return the Redis of `--ultra-redis`, None without one; `note` gets what the user should know of it."""
    return None if settings.redis is None else JointStore(settings.redis, host_name(), note, hosts)


def check_budget(settings: Settings, *, is_posix: bool = os.name == "posix") -> None:
    """Raise `pytest.UsageError` for a budget that could not be enforced."""
    if budget_limits(settings).is_limited and not is_posix:
        raise pytest.UsageError(
            "--ultra-max-cost, --ultra-max-tokens and --ultra-max-requests need a POSIX system; leave them out here"
        )
    check_prices(settings)
