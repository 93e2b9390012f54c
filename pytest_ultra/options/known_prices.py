"""The prices of a run's models: from `--ultra-price`, else from the price table."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from pytest_ultra.core.prices import AS_OF, FREE, PRICES, Price
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.profiles import PROVIDERS


def known_prices(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, Price]:
    """Return the known prices of the models, keyed by model.

    The table applies only to a provider's own address: what a gateway charges is unknown.
    """
    found = {
        model: settings.price.get(model) or _list_price(model, settings, environ) for model in settings.called_models
    }
    return {model: price for model, price in found.items() if price is not None}


def check_prices(settings: Settings) -> None:
    """Raise `pytest.UsageError` if costs are limited and a model has no price."""
    unknown = [model for model in settings.called_models if model not in known_prices(settings)]
    if settings.max_cost is not None and unknown and settings.cassette != "replay":
        raise pytest.UsageError(
            f"--ultra-max-cost: the price of {', '.join(map(repr, unknown))} is not known; give it in US dollars per "
            f"million prompt and completion tokens, as in --ultra-price '{unknown[0]}=0.15,0.60', or limit the run by "
            "--ultra-max-tokens or --ultra-max-requests"
        )


def price_hint(model: str) -> str:
    return f"no price for {model} in the table of {AS_OF}: give --ultra-price '{model}=PROMPT,COMPLETION'"


def _list_price(model: str, settings: Settings, environ: Mapping[str, str]) -> Price | None:
    if model.partition("?")[0].partition("/")[0] == "demo":
        return FREE
    name = model if "/" in model else f"openai/{model}"
    provider = PROVIDERS.get(name.partition("/")[0])
    has_own_address = settings.base_url or any(one.base_url for one in settings.served.get(model, ()))
    is_moved = has_own_address or provider is None or environ.get(provider.url_variable, "").strip()
    return None if is_moved else PRICES.get(name)
