"""The value of `--ultra-config`: options and a suite in a TOML file, such as `shop.ultra.toml`, and its JSON Schema."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.mcp_suites.suite_document import SuiteDocument, read_suite, suite_schema
from pytest_ultra.options.option import Option
from pytest_ultra.options.toml_lines import Place, find_lines

MODELS = "models"
"""The table of models, as `[tool.pytest_ultra.models]` in pyproject.toml has it."""
SUITE = "suite"
"""The table of a suite. The option of this name takes a text, and has the file's own path if there is a table."""
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says: the texts of each option by its name, and the table of models."""

    path: Path
    texts: Mapping[str, Sequence[str]]
    models: Mapping[str, Any]
    lines: Mapping[Place, int]

    def place(self, name: str) -> str:
        """Return where a key stands, for a message."""
        return f"{self.line((name,))}: {name}"

    def line(self, place: Place) -> str:
        """Return the file and the line of a value, or of the nearest one that it is in."""
        known = (place[:length] for length in range(len(place), 0, -1))
        return next((f"{self.path.name}:{self.lines[each]}" for each in known if each in self.lines), self.path.name)


def read_config_file(path: Path, options: Iterable[Option], name: str | None = None) -> ConfigFile:
    """Read a file; its suite gets the `name` by which the file can be found again, by default its path.

    Raises ConfigurationError, which names the file and the line, for what is no option.
    """
    document, lines = _parse(path)
    names = [option.name for option in options if option.name != "config"]
    for key in document:
        if key not in (*names, MODELS):
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it is the name of an option, such as {names[0]}"
            raise ConfigurationError(f"{path.name}:{lines.get((key,), 1)}: there is no option {key!r}; {hint}")
    models = document.pop(MODELS, {})
    found = ConfigFile(path, {}, models if isinstance(models, dict) else {}, lines)
    if isinstance(document.get(SUITE), dict):
        document[SUITE] = name or str(path)
    texts = {name: _write_texts(found, name, value) for name, value in document.items()}
    return ConfigFile(path, texts, found.models, lines)


def read_suite_table(path: Path) -> SuiteDocument:
    """Return the suite in a file. Raises ConfigurationError, which names the file and the line."""
    document, lines = _parse(path)
    file = ConfigFile(path, {}, {}, lines)
    if not isinstance(document.get(SUITE), dict):
        raise ConfigurationError(f"{path.name} has no table [{SUITE}]; write the suite there, or give MODULE:ATTR")
    return read_suite(document[SUITE], lambda place: file.line((SUITE, *place)))


def _parse(path: Path) -> tuple[dict[str, Any], Mapping[Place, int]]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), find_lines(text)
    except OSError as error:
        raise ConfigurationError(
            f"{path.name} cannot be read: {error.strerror}; give the path of a TOML file"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path.name} is no TOML: {error}") from None


def _write_texts(file: ConfigFile, name: str, value: Any) -> list[str]:
    """Return a value as it would be written on the command line, once or several times."""
    if isinstance(value, dict) and all(isinstance(inner, _SCALARS) for inner in value.values()):
        return [f"{key}={_write(inner)}" for key, inner in value.items()]
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, _SCALARS) for item in items):
        raise ConfigurationError(f"{file.place(name)}: give a text, a number, true or false, a list or a table of them")
    return [_write(item) for item in items]


def _write(value: str | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def config_schema(options: Iterable[Option]) -> dict[str, Any]:
    """Return the JSON Schema of such files, for editors."""
    scalar = {"type": ["string", "number", "boolean"]}
    several = {"type": "array", "items": scalar}
    table = {"type": "object", "additionalProperties": scalar}
    properties: dict[str, Any] = {
        option.name: {"description": option.full_help, "anyOf": [scalar, several, table]}
        for option in options
        if option.name != "config"
    }
    suite = suite_schema()
    definitions = suite.pop("$defs")
    properties[SUITE]["anyOf"] = [{"type": "string"}, suite]
    properties[MODELS] = {"description": "endpoints, parameters and headers of models", "type": "object"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Options of pytest-ultra"}
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**head, **shape, "$defs": definitions}
