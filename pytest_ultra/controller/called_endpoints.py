"""The endpoints of the models that a run calls, as far as they are known before the first call."""

from __future__ import annotations

from contextlib import suppress

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.option_reading import find_source
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_spec


def needs_demo(config: pytest.Config, settings: Settings) -> bool:
    """Return whether the embedded endpoint serves a model; raise `pytest.UsageError` if nothing serves one.

    With an endpoint from the user's hook, the names of models are the user's own too.
    """
    if settings.cassette == "replay":
        return False
    has_own_endpoint = bool(config.hook.pytest_ultra_endpoint.get_hookimpls())
    is_open = has_own_endpoint or settings.cassette == "auto"
    are_demo = [_is_demo(config, name, settings, is_open=is_open) for name in settings.called_models]  # checks all
    return any(are_demo)


def _is_demo(config: pytest.Config, name: str, settings: Settings, *, is_open: bool) -> bool:
    """Return whether the embedded endpoint serves a model; with `is_open`, something unknown may serve it."""
    try:
        return find_spec(settings, name).is_demo
    except ConfigurationError as error:
        if is_open:
            return False
        source = find_source(config, "model" if name in settings.model else "agent")
        raise pytest.UsageError(f"{source}: {error}") from None


def find_protocols(config: pytest.Config, settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the protocols of the models that get requests over a network, as far as that is known."""
    if settings.cassette == "replay" or config.hook.pytest_ultra_endpoint.get_hookimpls():
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name in settings.called_models:
        with suppress(ConfigurationError):
            spec = find_spec(settings, name)
            found |= {} if spec.is_demo else {name: spec.protocols}
    return found
