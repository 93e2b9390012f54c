"""Parser of `[tool.pytest_ultra.models]` in `pyproject.toml`: the endpoints, parameters and headers of a model."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.core.request_parameters import check_parameters
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.redaction import redact_url
from pytest_ultra.providers.request_headers import VARIABLE, check_headers

_TABLE = ("endpoints", "request", "headers")
_FIELDS = ("base_url", "key_env", "name")
_EXAMPLE = 'endpoints = [{base_url = "https://...", key_env = "NAME_OF_A_VARIABLE", name = "..."}, ...]'
_REQUEST = 'request = { max_tokens = 2000, reasoning_effort = "low" }'
_HEADERS = 'headers = { "x-team" = "NAME_OF_A_VARIABLE" }'


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


class ModelTable(msgspec.Struct, frozen=True):
    """What a table says about a model. `headers` names the environment variable of each header's value."""

    endpoints: tuple[Served, ...] = ()
    request: dict[str, Any] = {}
    headers: dict[str, str] = {}


def read_tables(path: Path) -> dict[str, ModelTable]:
    """Return the table of each model that has one. Raises ConfigurationError for a bad value."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except RecursionError:
        raise ConfigurationError(f"{path.name} cannot be read: it is nested too deeply; write simple tables") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error}") from None
    return parse_tables(document)


PLACE = ("tool", "pytest_ultra", "models")
"""The table of models in `pyproject.toml`."""


def parse_tables(document: Mapping[str, Any], path: Sequence[str] = PLACE) -> dict[str, ModelTable]:
    """Return the tables of models at a path of a document. Raises ConfigurationError for a bad value."""
    dotted = ".".join(path)
    place = f"[{dotted}]"
    models: Any = document
    for name in path:
        models = models.get(name, {}) if isinstance(models, dict) else {}
    if not isinstance(models, dict):
        raise ConfigurationError(f'{place} is not a table of models; write [{dotted}."NAME"].')
    return {model: _table(f'[{dotted}."{model}"]', table) for model, table in models.items()}


def _table(place: str, table: Any) -> ModelTable:
    unknown = [name for name in table if name not in _TABLE] if isinstance(table, dict) else []
    if unknown:
        raise ConfigurationError(
            f"{place} has no {unknown[0]!r}. Valid: endpoints, as in {_EXAMPLE}; request, as in {_REQUEST}; headers, "
            f"as in {_HEADERS}."
        )
    if not isinstance(table, dict) or not table:
        table = {"endpoints": None}  # says what is missing
    return ModelTable(
        endpoints=_endpoints(place, table["endpoints"]) if "endpoints" in table else (),
        request=_request(place, table.get("request", {})),
        headers=_headers(place, table.get("headers", {})),
    )


def _request(place: str, parameters: Any) -> dict[str, Any]:
    if not isinstance(parameters, dict):
        raise ConfigurationError(f"{place}: request is not a table of parameters; write {_REQUEST}.")
    try:
        return check_parameters(parameters)
    except ValueError as error:
        raise ConfigurationError(f"{place} request: {error}") from None


def _headers(place: str, headers: Any) -> dict[str, str]:
    if not isinstance(headers, dict) or not all(isinstance(variable, str) for variable in headers.values()):
        raise ConfigurationError(f"{place}: headers is not a table of names of variables; write {_HEADERS}.")
    try:
        return check_headers(headers)
    except ValueError as error:
        raise ConfigurationError(f"{place} headers: {error}") from None


def _endpoints(place: str, entries: Any) -> tuple[Served, ...]:
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
    if served.key_env and not VARIABLE.fullmatch(served.key_env):
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
