"""Whom a run asks: the models that it can reach, by way of cassettes where the user wants that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.limiter import Limiter, SparingLimiter
from pytest_ultra.engine.replayed_clock import ReplayedClock
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import ModelSpec, find_redactor, find_spec
from pytest_ultra.storage.cassettes.cassette_endpoint import CassetteEndpoint
from pytest_ultra.storage.cassettes.cassette_folder import CassetteFolder

Opener = Callable[[], Endpoint]


def reachable_models(settings: Settings) -> dict[str, ModelSpec]:
    """Resolve the models that may be asked; raise ConfigurationError for one that must be asked and cannot.

    A replay asks none. Where cassettes may hold all answers of a model, it need not be reachable.
    """
    if settings.cassette == "replay":
        return {}
    specs = {}
    for name in settings.model:
        try:
            specs[name] = find_spec(settings, name)
        except ConfigurationError:
            if settings.cassette != "auto":
                raise
    return specs


class Asking:
    """The way to the models. `check` raises ConfigurationError for a model that cannot be asked."""

    def __init__(self, settings: Settings, open_models: Opener, *, has_own_endpoint: bool) -> None:
        self._settings = settings
        self._has_own_endpoint = has_own_endpoint
        self.open = open_models

    def by_way_of(self, open_models: Opener) -> Asking:
        return Asking(self._settings, open_models, has_own_endpoint=self._has_own_endpoint)

    def check(self, model: str) -> None:
        if not self._has_own_endpoint:
            find_spec(self._settings, model)


@dataclass(frozen=True)
class Way:
    """The way that an engine's requests go: what opens the endpoint, the clock, and which requests reach a model."""

    open: Opener
    clock: Clock = SYSTEM_CLOCK
    is_asked: Callable[[ChatRequest], bool] | None = None

    def limit(self, limiter: Limiter) -> Limiter:
        """Have the limiter pace what reaches a model, and nothing else."""
        return limiter if self.is_asked is None else SparingLimiter(limiter, self.is_asked)


Keep = Callable[[Opener, ReplayedClock], Way]
"""Has answers kept as they come, and those given that are kept already."""


def by_way_of_cassettes(settings: Settings, asking: Asking, keep: Keep | None = None) -> Way:
    """Return the way to the models, by the cassettes if the user wants them.

    What a recording was cut off in is not told from what it is to replace; so `keep` has to hold that, if anybody.
    """
    if settings.cassette is None:
        return Way(asking.open)
    is_replay = settings.cassette == "replay"
    folder = CassetteFolder(settings.cassette_dir)
    if not is_replay:
        folder.prepare()
    clock = ReplayedClock(is_frozen=is_replay)
    kept = keep(asking.open, clock) if keep and settings.cassette == "record" else Way(asking.open)
    cassettes = CassetteEndpoint(
        folder,
        clock,
        is_replaying=settings.cassette != "record",
        asking=None if is_replay else asking.by_way_of(kept.open),
        redact=find_redactor(settings),
    )

    def is_asked(request: ChatRequest) -> bool:
        return cassettes.is_asked(request) and (kept.is_asked is None or kept.is_asked(request))

    return Way(lambda: cassettes, clock, is_asked)
