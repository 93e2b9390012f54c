"""The client stack of a run: endpoints, cassettes, limits."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.endpoint import Endpoint, OwnEndpoint, RedactingEndpoint
from pytest_ultra.engine.limiter import MAX_OLD_PAUSE_S, UNLIMITED, BypassLimiter, Limiter, open_limiter
from pytest_ultra.engine.main_thread_imports import import_all
from pytest_ultra.engine.redis_connection import JointStore
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.requested_limits import endpoint_limits
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor, find_spec
from pytest_ultra.providers.model_endpoints import open_model_endpoints
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.redaction import Redact
from pytest_ultra.providers.sdk.sdk_imports import find_sdk_imports
from pytest_ultra.storage.cassettes.cassette_endpoint import CassetteEndpoint
from pytest_ultra.storage.cassettes.cassette_folder import CassetteFolder

Opener = Callable[[], Endpoint]

_TOOL_IMPORTS = ("jsonschema_rs",)
_HTTP_IMPORTS = ("pytest_ultra.providers.aiohttp_transport", "concurrent.futures.thread", "encodings.idna")


def import_for_engine(config: pytest.Config, settings: Settings) -> None:
    """Import in the main thread what the engine's thread would import when it first needs it."""
    import_http_client(config, settings)
    specs = reachable_models(settings) if _uses_http(config, settings) else {}
    import_all((*_TOOL_IMPORTS, *find_sdk_imports(specs.values())))


def import_http_client(config: pytest.Config, settings: Settings) -> None:
    if _uses_http(config, settings):
        import_all(_HTTP_IMPORTS)


def _uses_http(config: pytest.Config, settings: Settings) -> bool:
    return settings.cassette != "replay" and not config.hook.pytest_ultra_endpoint.get_hookimpls()


def reachable_models(settings: Settings) -> dict[str, ModelSpec]:
    """Resolve the models that may get requests; raise ConfigurationError for one that must and cannot be reached.

    A replay sends no requests. Where cassettes may hold all answers of a model, it need not be reachable.
    """
    if settings.cassette == "replay":
        return {}
    specs = {}
    for name in settings.called_models:
        try:
            specs[name] = find_spec(settings, name)
        except ConfigurationError:
            if settings.cassette != "auto":
                raise
    return specs


def open_models(
    config: pytest.Config,
    settings: Settings,
    *,
    redact: Redact,
    demo_url: str = "",
    request_timeout_s: float | None = None,
) -> Endpoint:
    """Open the endpoint of the user's hook, else those of the models. Call it inside the loop that will use it."""
    own: OwnEndpoint | None = config.hook.pytest_ultra_endpoint(config=config, settings=settings)
    if own is not None:
        return RedactingEndpoint(own, redact)
    return open_model_endpoints(
        reachable_models(settings),
        environ=os.environ,
        redact=redact,
        demo_url=demo_url,
        stream=settings.stream,
        request_timeout_s=request_timeout_s,
        now=SYSTEM_CLOCK.time,
    )


class ModelAccess:
    """Opens the models' endpoints. `check` raises ConfigurationError for a model that cannot be reached."""

    def __init__(self, settings: Settings, open_models: Opener, *, has_own_endpoint: bool) -> None:
        self._settings = settings
        self._has_own_endpoint = has_own_endpoint
        self.open = open_models

    def replace_opener(self, open_models: Opener) -> ModelAccess:
        return ModelAccess(self._settings, open_models, has_own_endpoint=self._has_own_endpoint)

    def check(self, model: str) -> None:
        if not self._has_own_endpoint:
            find_spec(self._settings, model)


@dataclass(frozen=True)
class ClientStack:
    """What the engine's requests pass through: the endpoint, its clock, and which requests reach a model at all."""

    open: Opener
    clock: Clock = SYSTEM_CLOCK
    reaches_model: Callable[[ChatRequest], bool] | None = None

    def limit(self, limiter: Limiter) -> Limiter:
        """Apply the limiter to requests that reach a model, and to no others."""
        return limiter if self.reaches_model is None else BypassLimiter(limiter, self.reaches_model)


Keep = Callable[[Opener, ReplayedClock], ClientStack]
"""Adds a layer that keeps answers as they come, and serves those that are kept already."""


def with_cassettes(settings: Settings, access: ModelAccess, keep: Keep | None) -> ClientStack:
    """Return the client stack of a user who asked for cassettes.

    An interrupted recording looks like one that is to be replaced; only the layer of `keep` can continue it.
    """
    is_replay = settings.cassette == "replay"
    folder = CassetteFolder(settings.cassette_dir)
    if not is_replay:
        folder.prepare()
    clock = ReplayedClock(is_frozen=is_replay)
    kept = keep(access.open, clock) if keep and settings.cassette == "record" else ClientStack(access.open)
    cassettes = CassetteEndpoint(
        folder,
        clock,
        is_replaying=settings.cassette != "record",
        model_access=None if is_replay else access.replace_opener(kept.open),
        redact=find_redactor(settings),
    )

    def reaches_model(request: ChatRequest) -> bool:
        return cassettes.reaches_model(request) and (kept.reaches_model is None or kept.reaches_model(request))

    return ClientStack(lambda: cassettes, clock, reaches_model)


def open_run_limiter(
    config: pytest.Config,
    settings: Settings,
    demo_url: str,
    folder: Path | None = None,
    store: JointStore | None = None,
) -> Limiter:
    """Open the run's limiter; warn if not all processes share it. A replay needs none."""
    if settings.cassette == "replay":
        return UNLIMITED
    limiter, problem = open_limiter(
        _endpoints(config, settings, demo_url),
        endpoint_limits(settings),
        folder=folder,
        max_old_pause_s=0.0 if settings.fresh else MAX_OLD_PAUSE_S,
        store=store,
    )
    if problem:
        warnings.warn(
            pytest.PytestWarning(f"ultra: {problem}"),
            stacklevel=2,
        )
    return limiter


def _endpoints(config: pytest.Config, settings: Settings, demo_url: str) -> dict[str, tuple[str, ...]]:
    """Name each model's endpoints; one from a hook, or one that only a cassette knows, is named by the project."""
    own = hashlib.sha256(f"own endpoint of {config.rootpath}".encode()).hexdigest()[:32]
    endpoints: dict[str, tuple[str, ...]] = dict.fromkeys(settings.called_models, (own,))
    if config.hook.pytest_ultra_endpoint.get_hookimpls():
        return endpoints
    return endpoints | {model: spec.endpoint_ids(demo_url) for model, spec in reachable_models(settings).items()}
