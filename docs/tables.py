"""Write what is generated from the code, tables in pages and a JSON Schema: `python docs/tables.py`; tests check it.

A table is between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest_ultra
from pytest_ultra import fixtures as fixture_module
from pytest_ultra import hookspecs, plugin
from pytest_ultra.agents.command.placeholders import PLACEHOLDERS
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.commands.command_table import COMMANDS
from pytest_ultra.core.axes import (
    Difficulty,
    FaultKind,
    FlawKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
)
from pytest_ultra.core.episode import FailureClass
from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.faults.mutators import MUTATORS
from pytest_ultra.faults.record_mutators import RECORD_MUTATORS
from pytest_ultra.flaws.own_plans.plan_document import plan_schema
from pytest_ultra.options.config_file import config_schema
from pytest_ultra.options.option_table import OPTIONS
from pytest_ultra.options.presets import AXES
from pytest_ultra.providers.api_choice import CHAT_LABEL, SDKS
from pytest_ultra.providers.dialects.dialect import describe_traits
from pytest_ultra.providers.dialects.provider_dialects import LOOKED_UP, PROVIDER_DIALECTS
from pytest_ultra.providers.profiles import PROVIDERS, Provider
from pytest_ultra.reporting.episode_fields import MEANINGS, kind_of
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES
from pytest_ultra.storage.store.store_tables import METADATA

PAGES = Path(__file__).parent
_PLACE = re.compile(r"(?<=<!-- table: )(?P<name>[\w ]+) -->\n.*?(?=<!-- end -->)", re.DOTALL)
_ITEM = {
    "full": "passes",
    "partial": "fails (F), or passes with `--ultra-pass partial`; with a gate, is expected to fail (x)",
    "failed": "fails (F); with a gate, is expected to fail (x)",
    "error": "is an error (E)",
    "skipped": "is skipped (s)",
}


def options() -> list[str]:
    rows = [
        (f"`{f'{option.flag} {option.metavar}'.strip()}`", f"`{option.key}`", _code(option.default), option.help)
        for option in OPTIONS
    ]
    return _table(("option", "key", "default", "meaning"), rows)


def placeholders() -> list[str]:
    return _table(("in the command", "is"), [(f"`{{{name}}}`", meaning) for name, meaning in PLACEHOLDERS.items()])


def axes() -> list[str]:
    values: Mapping[str, Iterable[str]] = {
        "prompt types": PromptType,
        "flaw kinds": FlawKind,
        "task types": TaskType,
        "difficulties": Difficulty,
        "severities": Severity,
        "flaw visibilities": Visibility,
        "prompt variants": PromptVariant,
        "fault kinds": FaultKind,
        "tool protocols": ToolProtocol,
        "demo agents": ReferenceAgent,
    }
    return _table(("axis", "values"), [(axis, _codes(members)) for axis, members in values.items()])


def presets() -> list[str]:
    rows = []
    for preset, chosen in AXES.items():
        flags = ", ".join(f"`--ultra-{name.replace('_', '-')} {value}`" for name, value in chosen.items())
        rows.append((f"`{preset}`", flags))
    return _table(("preset", "sets"), rows)


def providers() -> list[str]:
    rows = [(f"`{name}`", _key(provider), _address(provider)) for name, provider in PROVIDERS.items()]
    return _table(("provider", "key variable", "address"), rows)


def dialects() -> list[str]:
    rows = []
    for name, provider in PROVIDERS.items():
        spoken = PROVIDER_DIALECTS[name]
        sources = "; ".join(f"[{source.trait}]({source.url})" for source in spoken.sources)
        protocol = "; ".join(_protocols(name))
        row = (f"`{name}`", _address(provider), _key(provider), protocol, "; ".join(describe_traits(spoken.dialect)))
        rows.append((*row, sources, LOOKED_UP if sources else ""))
    heads = ("provider", "base URL", "key variable", "protocol", "traits", "sources", "looked up")
    return _table(heads, rows)


def _protocols(provider: str) -> list[str]:
    """Return the protocols of a provider, the default of `--ultra-api auto` first."""
    own = [(api, sdk) for api, sdk in SDKS.items() if sdk.provider == provider]
    native = [f"{sdk.label} (`{api}`, extra `{sdk.extra}`)" for api, sdk in own]
    return [*native, CHAT_LABEL] if any(sdk.is_default for _, sdk in own) else [CHAT_LABEL, *native]


def outcomes() -> list[str]:
    rows = [(f"`{outcome}`", _ITEM[outcome], meaning) for outcome, meaning in OUTCOMES.items()]
    return _table(("outcome", "the item", "meaning"), rows)


def failure_classes() -> list[str]:
    rows = [(f"`{name}`", _responsible(name), meaning) for name, meaning in FAILURE_CLASSES.items()]
    return _table(("class", "responsible", "meaning"), rows)


def tools() -> list[str]:
    rows = [
        (f"`{tool.name}`", tool.description.replace("<", "&lt;"), f"{tool.weight:g}", ", ".join(tool.transient_codes))
        for tool in TOOLS.values()
    ]
    return _table(("tool", "does", "weight", "transient codes"), rows)


def earned_codes() -> list[str]:
    return [_codes(EarnedCode)]


def mutators() -> list[str]:
    rows = [(f"`{mutator.name}`", mutator.gives_away) for mutator in MUTATORS.values()]
    return _table(("a wrong result", "is given away by"), rows)


def result_mutators() -> list[str]:
    rows = [(f"`{mutator.name}`", mutator.gives_away) for mutator in (*MUTATORS.values(), *RECORD_MUTATORS.values())]
    return _table(("a wrong result", "is given away by"), rows)


def commands() -> list[str]:
    return _table(
        ("command", "use it to", "exit code 0", "exit code 1"),
        [(f"`{name}`", COMMANDS[name], *_codes_of(name)) for name in COMMANDS],
    )


def _codes_of(name: str) -> tuple[str, str]:
    """Return the meanings of exit codes 0 and 1 from a command's epilog."""
    epilog: str = import_module(f"pytest_ultra.commands.{name}").EPILOG
    meanings = dict(re.findall(r"^  (\d)  (.*(?:\n     .*)*)", epilog, re.MULTILINE))
    zero, one = (" ".join(meanings.get(code, "").split()) for code in "01")
    return zero, one


def store() -> list[str]:
    rows = [(f"`{table.name}`", _codes(column.name for column in table.columns)) for table in METADATA.tables.values()]
    return _table(("table", "columns"), rows)


def fields() -> list[str]:
    rows = [(f"`{name}`", kind_of(name), meaning) for name, meaning in MEANINGS.items()]
    return _table(("field", "type", "meaning"), rows)


def hooks() -> list[str]:
    found = [hook for name, hook in vars(hookspecs).items() if name.startswith("pytest_ultra_")]
    return [line for hook in found for line in _describe(hook.__name__, hook)][:-1]


def fixtures() -> list[str]:
    lines: list[str] = []
    for name in plugin.__all__:
        function = getattr(fixture_module, name).__wrapped__
        returned = function.__annotations__["return"].removeprefix("Iterator[").removesuffix("]")
        lines += [f"### `{name}`", "", f"Returns `{returned}`. {_first_lines(function)}", ""]
    return lines[:-1]


def names() -> list[str]:
    found = {name: getattr(pytest_ultra, name) for name in pytest_ultra.__all__}
    return [line for name, each in found.items() for line in _describe(name, each)][:-1]


def _describe(name: str, value: Any) -> list[str]:
    """Return the heading, the signature and the first lines of the docstring; of a class, also its members."""
    lines = [f"### `{name}`", "", "```python", _shown_signature(name, value), "```", "", _first_lines(value), ""]
    members = _members(value) if isinstance(value, type) else {}
    rows = [f"- {_shown_member(member, each)}" for member, each in members.items()]
    return [*lines, *rows, *([""] if rows else [])]


def _members(kind: type) -> dict[str, Any]:
    """Return the public members that have a docstring, in the order in which they are defined."""
    own = [base for base in reversed(kind.__mro__) if base.__module__.startswith("pytest_ultra")]
    members = {name: each for base in own for name, each in vars(base).items() if not name.startswith("_")}
    return {name: each for name, each in members.items() if inspect.getdoc(each) and not isinstance(each, str)}


def _shown_member(name: str, member: Any) -> str:
    is_value = not callable(member)
    return f"`{name if is_value else _shown_signature(name, member)}`: {_first_lines(member)}"


class _Text(str):
    """An annotation or a default that is shown as it is written."""

    __slots__ = ()

    __repr__ = str.__str__


def _shown_signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    parameters = [_shown_parameter(each) for each in signature.parameters.values() if each.name != "self"]
    returned = signature.return_annotation
    return f"{name}{signature.replace(parameters=parameters, return_annotation=_shown_type(returned))}"


def _shown_parameter(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    return parameter.replace(
        annotation=_shown_type(parameter.annotation),
        default=_Text(repr(default.value)) if isinstance(default, Enum) else default,
    )


def _shown_type(annotation: Any) -> Any:
    """Return an annotation as it is written, without the modules of types."""
    if annotation is inspect.Signature.empty:
        return annotation
    if isinstance(annotation, str):
        return _Text(annotation)
    return _Text(re.sub(r"(?:\w+\.)+(\w+)", r"\1", inspect.formatannotation(annotation)))


def _first_lines(value: Any) -> str:
    """Return the first paragraph of a docstring."""
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


TABLES: Mapping[str, Callable[[], list[str]]] = {
    table.__name__.replace("_", " "): table
    for table in (
        options,
        placeholders,
        axes,
        presets,
        providers,
        dialects,
        outcomes,
        failure_classes,
        tools,
        earned_codes,
        mutators,
        result_mutators,
        commands,
        store,
        fields,
        hooks,
        fixtures,
        names,
    )
}


def refresh(page: str) -> str:
    """Return the page's text with its tables generated again from the code."""

    def place(match: re.Match[str]) -> str:
        lines = TABLES[match["name"]]()
        return "\n".join([f"{match['name']} -->", "", *lines, "", ""])

    return _PLACE.sub(place, page)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]


def _code(text: str | None) -> str:
    return "" if text is None else f"`{text}`"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _key(provider: Provider) -> str:
    keys = " or ".join(f"`{name}`" for name in provider.key_variables) or "none"
    return keys if provider.needs_key or not provider.key_variables else f"{keys} (not required)"


def _address(provider: Provider) -> str:
    places = [f"`{place}`" for place in (provider.url_variable, provider.base_url) if place]
    return ", else ".join(places) or "started for the run, on loopback"


def _responsible(failure_class: FailureClass) -> str:
    return "infrastructure" if failure_class.is_infrastructure else "model"


def main() -> None:
    for path in sorted(PAGES.glob("*.md")):
        path.write_text(refresh(path.read_text()))
    (PAGES / "options.schema.json").write_text(json.dumps(config_schema(OPTIONS), indent=2) + "\n")
    (PAGES / "plan.schema.json").write_text(json.dumps(plan_schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
