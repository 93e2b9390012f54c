"""The limiter that a run's settings ask for."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import pytest

from pytest_ultra.engine.limiter import UNLIMITED, Limiter
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.open_limiter import open_limiter
from pytest_ultra.options.option_values import RateMode
from pytest_ultra.options.settings import Settings
from pytest_ultra.worker.client_stack import reachable_models


def limiter_of(config: pytest.Config, settings: Settings, demo_url: str, folder: Path | None = None) -> Limiter:
    """Open the limiter; warn if it cannot be shared with other processes. A replay needs none."""
    if settings.cassette == "replay":
        return UNLIMITED
    limiter, trouble = open_limiter(_endpoints(config, settings, demo_url), limits_of(settings), folder=folder)
    if trouble:
        warnings.warn(
            pytest.PytestWarning(f"ultra: limits hold for each worker by itself, not for all together ({trouble})"),
            stacklevel=2,
        )
    return limiter


def limits_of(settings: Settings) -> Limits:
    rates = [settings.rpm, settings.qps and settings.qps * 60]
    return Limits(
        rpm=min(filter(None, rates), default=None),
        tpm=settings.tpm,
        max_in_flight=settings.max_in_flight,
        is_adaptive=settings.rate_mode is RateMode.ADAPTIVE,
    )


def _endpoints(config: pytest.Config, settings: Settings, demo_url: str) -> dict[str, tuple[str, ...]]:
    """Name each model's endpoint; one that the user plugs in, or that only cassettes speak for, by the project."""
    own = hashlib.sha256(f"own endpoint of {config.rootpath}".encode()).hexdigest()[:32]
    endpoints: dict[str, tuple[str, ...]] = dict.fromkeys(settings.model, (own,))
    if config.hook.pytest_ultra_endpoint.get_hookimpls():
        return endpoints
    return endpoints | {model: spec.endpoint_ids(demo_url) for model, spec in reachable_models(settings).items()}
