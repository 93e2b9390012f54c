"""Parser of `[tool.pytest_ultra.models]` in `pyproject.toml`: several endpoints of a model, or several keys of one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.redaction import redact_url

_FIELDS = ("base_url", "key_env", "name")
_EXAMPLE = 'endpoints = [{base_url = "https://...", key_env = "NAME_OF_A_VARIABLE", name = "..."}, ...]'
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")  # a key, written here by mistake, has lower-case letters


class Served(msgspec.Struct, frozen=True):
    """One endpoint of a model. An empty field has the value of a model without a table.

    `key_env` is the name of an environment variable; `name` is the endpoint's own name for the model.
    """

    base_url: str = ""
    key_env: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """A readable name that distinguishes it from the others."""
        return " ".join(filter(None, (redact_url(self.base_url), self.key_env, self.name))) or "default"


def read_served(path: Path) -> dict[str, tuple[Served, ...]]:
    """Return the endpoints of each model that has a table. Raises ConfigurationError for a bad value."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except RecursionError:
        raise ConfigurationError(f"{path.name} cannot be read: it is nested too deeply; write simple tables") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error}") from None
    return parse_served(document)


def parse_served(document: Mapping[str, Any]) -> dict[str, tuple[Served, ...]]:
    place = "[tool.pytest_ultra.models]"
    models: Any = document
    for name in ("tool", "pytest_ultra", "models"):
        models = models.get(name, {}) if isinstance(models, dict) else {}
    if not isinstance(models, dict):
        raise ConfigurationError(f'{place} is not a table of models; write [tool.pytest_ultra.models."NAME"].')
    return {model: _endpoints(model, table) for model, table in models.items()}


def _endpoints(model: str, table: Any) -> tuple[Served, ...]:
    place = f'[tool.pytest_ultra.models."{model}"]'
    unknown = [name for name in table if name != "endpoints"] if isinstance(table, dict) else []
    if unknown:
        raise ConfigurationError(f"{place} has no {unknown[0]!r}. Valid: endpoints, as in {_EXAMPLE}.")
    entries = table.get("endpoints") if isinstance(table, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError(f"{place} needs a list of one or more endpoints, as in {_EXAMPLE}.")
    endpoints = tuple(_endpoint(f"{place} endpoint {n}", entry) for n, entry in enumerate(entries, start=1))
    _check_distinct(place, endpoints)
    return endpoints


def _endpoint(place: str, entry: Any) -> Served:
    """Read one endpoint. Messages do not show values that might be a key."""
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{place} is not a table. Valid: {_EXAMPLE}.")
    for name, value in entry.items():
        if name not in _FIELDS:
            raise ConfigurationError(
                f"{place} has no {name!r}. Valid: {', '.join(_FIELDS)}; give a key by the name of its environment "
                'variable, as in key_env = "OPENAI_API_KEY".'
            )
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(f"{place}: {name} is not a text; write one in quotation marks, or leave it out.")
    served = Served(**{name: value.strip() for name, value in entry.items()})
    if served.key_env and not _VARIABLE.fullmatch(served.key_env):
        raise ConfigurationError(
            f"{place}: key_env is not the name of an environment variable (it may be a key, so it is not shown). "
            'Valid: capital letters, digits and _, as in key_env = "OPENAI_API_KEY"; the key goes into that variable.'
        )
    return served


def _check_distinct(place: str, endpoints: Sequence[Served]) -> None:
    for n, served in enumerate(endpoints):
        if served in endpoints[:n]:
            raise ConfigurationError(
                f"{place} has the endpoint {served.label!r} twice. Remove one, or give it another base_url, key_env "
                "or name."
            )
