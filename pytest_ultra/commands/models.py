"""`pytest-ultra models`: which providers there are, whether their keys are set, and what models cost."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_json
from pytest_ultra.commands.command_output import print_json, print_lines, width
from pytest_ultra.core.prices import AS_OF, PRICES
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.profiles import PROVIDERS, Provider
from pytest_ultra.providers.redaction import redact_url
from pytest_ultra.providers.served_endpoints import ModelTable, read_tables
from pytest_ultra.reporting.text import fill
from pytest_ultra.reporting.text_table import draw

DESCRIPTION = """\
List the providers with the environment variables of their keys, whether one is set, and their addresses; the models of
this project's pyproject.toml; the demo agents, which need no key; and the models whose prices are known. With TEXT,
only what has it in its name. No request is made, and no key is shown.

A model is named PROVIDER/NAME, as in --ultra-model groq/llama-3.3-70b-versatile; without a provider, it is openai's."""
EPILOG = """\
exit codes:
  0  the models were listed
  2  the command failed; the message says why"""


class ListedProvider(msgspec.Struct, frozen=True):
    """One row. `key` is `found`, `missing`, `not needed`, or `optional` where a server may or may not want one."""

    name: str
    key: str
    key_variables: tuple[str, ...]
    address: str


class ListedPrice(msgspec.Struct, frozen=True):
    """The list price of a model, in US dollars per million tokens."""

    model: str
    prompt: float
    completion: float
    cached: float | None


class ListedModels(msgspec.Struct, frozen=True):
    """Everything that is listed."""

    providers: list[ListedProvider]
    project: dict[str, ModelTable]
    demo: list[str]
    prices_as_of: str
    prices: list[ListedPrice]


def add_models(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "models", run_models, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("text", metavar="TEXT", nargs="?", default="", help="list only what has this in its name")
    add_json(parser)


def run_models(args: argparse.Namespace) -> int:
    listed = list_models(args.text.lower(), os.environ)
    if not (listed.providers or listed.project or listed.demo or listed.prices):
        raise ConfigurationError(
            f"no provider, and no model of this project or with a known price, has {args.text!r} in its name; "
            "pytest-ultra models lists all"
        )
    if args.json:
        print_json(listed)
    else:
        print_lines(_lines(listed))
    return DONE


def list_models(text: str, environ: Mapping[str, str]) -> ListedModels:
    tables = read_tables(_find_project_file())
    return ListedModels(
        providers=[
            _list_provider(name, provider, environ)
            for name, provider in PROVIDERS.items()
            if text in name and name != "demo"
        ],
        project={model: table for model, table in tables.items() if text in model.lower()},
        demo=[f"demo/{agent}" for agent in ReferenceAgent if text in f"demo/{agent}"],
        prices_as_of=AS_OF,
        prices=[
            ListedPrice(model, price.prompt, price.completion, price.cached)
            for model, price in PRICES.items()
            if text in model
        ],
    )


def _find_project_file() -> Path:
    """Return the nearest pyproject.toml, from the current folder upwards, or one that does not exist."""
    here = Path.cwd()
    files = [folder / "pyproject.toml" for folder in (here, *here.parents)]
    return next((file for file in files if file.is_file()), files[0])


def _list_provider(name: str, provider: Provider, environ: Mapping[str, str]) -> ListedProvider:
    is_found = any(environ.get(variable, "").strip() for variable in provider.key_variables)
    key = "found" if is_found else "missing" if provider.needs_key else "not needed"
    return ListedProvider(name, key, provider.key_variables, _address(provider, environ))


def _address(provider: Provider, environ: Mapping[str, str]) -> str:
    given = environ.get(provider.url_variable, "").strip() if provider.url_variable else ""
    if given:
        return f"{redact_url(given)} ({provider.url_variable})"
    return provider.base_url or f"set {provider.url_variable}, as in {provider.example_url}"


def _lines(listed: ListedModels) -> Iterator[str]:
    blocks = [
        _provider_lines(listed.providers),
        fill(f"of this project: {', '.join(listed.project)}", width()) if listed.project else [],
        fill(f"without a key: {', '.join(listed.demo)}", width()) if listed.demo else [],
        _price_lines(listed),
    ]
    for number, block in enumerate(filter(None, blocks)):
        yield from [""] * bool(number)
        yield from block


def _provider_lines(providers: Sequence[ListedProvider]) -> list[str]:
    """Draw the table; a narrow terminal omits the address, and a very narrow one the variable."""
    heads = ("provider", "key", "variable", "address")
    rows = [(one.name, one.key, " or ".join(one.key_variables[:2]) or "-", one.address) for one in providers]
    if not rows:
        return []
    tables = (draw(heads[:n], [row[:n] for row in rows], left=n, gap=2) for n in (4, 3, 2))
    *_, narrowest = drawn = list(tables)
    return next((lines for lines in drawn if max(map(len, lines)) <= width()), narrowest)


def _price_lines(listed: ListedModels) -> list[str]:
    if not listed.prices:
        return []
    rows = [
        (one.model, f"{one.prompt:.2f}", f"{one.completion:.2f}", "-" if one.cached is None else f"{one.cached:.3f}")
        for one in listed.prices
    ]
    head = f"list prices of {listed.prices_as_of}, US dollars per million tokens; give others with --ultra-price"
    return [*fill(head, width()), *draw(("model", "prompt", "completion", "cached"), rows, left=1, gap=1)]
