"""Who serves the models of a run, by its settings and the environment."""

from __future__ import annotations

import os

from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import ModelSpec, resolve


def find_spec(settings: Settings, model: str) -> ModelSpec:
    """Resolve one model; raise ConfigurationError if it cannot be asked."""
    return resolve(model, base_url=settings.base_url, environ=os.environ, served=settings.served.get(model, ()))
