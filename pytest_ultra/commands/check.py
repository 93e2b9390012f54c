"""`pytest-ultra check`: whether models answer and call tools, before a run is paid for."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from pytest_ultra.commands.arguments import DONE, FAILED, FOUND, Commands, add_command, add_json
from pytest_ultra.commands.command_output import print_json, print_lines
from pytest_ultra.errors import ConfigurationError

if TYPE_CHECKING:  # `--help` needs none of them
    from pytest_ultra.core.endpoint_check import EndpointCheck
    from pytest_ultra.options.settings import Settings

DESCRIPTION = """\
Make two small calls to each model, a plain one and one with a tool, and say what they show. The options of a run that
decide where and how models are called may follow the models, as in

  pytest-ultra check my-model --ultra-base-url http://127.0.0.1:8080/v1

Settings in the project's ini file hold as for a run. Without a model, those that the ini file names are checked."""
EPILOG = """\
exit codes:
  0  every model answered, and called the tool
  1  a model did not answer, or did not call the tool natively
  2  the command failed; the message says why"""


def add_check(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "check", run_check, description=DESCRIPTION, epilog=EPILOG)
    parser.usage = "pytest-ultra check [-h] [--json] [MODEL ...] [OPTION ...]"
    add_json(parser)
    parser.add_argument("words", metavar="MODEL", nargs=argparse.REMAINDER, help="models, and then options of a run")


def run_check(args: argparse.Namespace) -> int:
    """Let pytest read the options and the ini file, and check the models in place of a test session."""
    words = [word for word in args.words if word != "--json"]
    models = list(takewhile(lambda word: not word.startswith("-"), words))
    checker = _Checker()
    pytest.main([*(f"--ultra-model={model}" for model in models), *words[len(models) :]], plugins=[checker])
    if checker.error is not None:
        raise ConfigurationError(checker.error)
    if checker.checks is None:
        return FAILED  # pytest has said why
    if args.json or "--json" in args.words:
        print_json({"checks": checker.checks})
    else:
        _print_checks(checker.checks)
    return DONE if all(check.is_ready for check in checker.checks) else FOUND


class _Checker:
    """A plugin of pytest that checks the models instead of running tests."""

    def __init__(self) -> None:
        self.checks: Sequence[EndpointCheck] | None = None
        self.error: str | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Keep a usage error, which pytest would print in its own words."""
        try:
            self.checks = asyncio.run(_check(config, _read_settings(config)))
        except pytest.UsageError as error:
            self.error = str(error)
            return pytest.ExitCode.USAGE_ERROR
        return pytest.ExitCode.OK


def _read_settings(config: pytest.Config) -> Settings:
    from pytest_ultra.options.option_hooks import read_settings  # noqa: PLC0415 - not for --help

    settings = read_settings(config)
    if settings is None or not settings.called_models:
        raise pytest.UsageError("no model is named; write pytest-ultra check NAME")
    return settings


async def _check(config: pytest.Config, settings: Settings) -> Sequence[EndpointCheck]:
    import msgspec  # noqa: PLC0415 - not for --help

    from pytest_ultra.collection.planned_cases import plan_cases  # noqa: PLC0415 - not for --help
    from pytest_ultra.commands.endpoint_probe import probe  # noqa: PLC0415
    from pytest_ultra.providers.endpoint_lookup import find_redactor, find_spec  # noqa: PLC0415
    from pytest_ultra.worker.client_stack import open_models  # noqa: PLC0415

    cases = {case.agent_model or case.model: case for case in plan_cases(settings).values()}
    cases = {
        model: msgspec.structs.replace(case, model=model, agent="", agent_model="") for model, case in cases.items()
    }
    is_own = bool(config.hook.pytest_ultra_endpoint.get_hookimpls())
    specs = {} if is_own else {model: find_spec(settings, model) for model in settings.called_models}
    for model, spec in specs.items():
        if spec.is_demo:
            raise pytest.UsageError(f"{model}: demo models are served by the run itself; there is nothing to check")
    redact = find_redactor(settings)
    endpoint = open_models(config, settings, redact=redact, request_timeout_s=settings.request_timeout)
    try:
        probes = (
            probe(
                endpoint,
                cases[model],
                address=specs[model].base_url if model in specs else "",
                has_key=model in specs and bool(specs[model].key),
            )
            for model in settings.called_models
        )
        checks = await asyncio.gather(*probes)
    finally:
        await endpoint.aclose()
    return [_with_price(check, settings) for check in checks]


def _with_price(check: EndpointCheck, settings: Settings) -> EndpointCheck:
    import msgspec  # noqa: PLC0415 - not for --help

    from pytest_ultra.options.known_prices import known_prices  # noqa: PLC0415

    price = known_prices(settings).get(check.model)
    if price is None:
        return check
    return msgspec.structs.replace(check, prompt_price=price.prompt, completion_price=price.completion)


def _print_checks(checks: Sequence[EndpointCheck]) -> None:
    from pytest_ultra.reporting.check_lines import check_lines  # noqa: PLC0415 - JSON does not need it

    for number, check in enumerate(checks):
        print_lines([""] * bool(number))
        print_lines(check_lines(check))
