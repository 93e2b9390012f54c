"""The value of `--ultra-config`: options in a TOML file, such as `shop.ultra.toml`, and its JSON Schema."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.option import Option

MODELS = "models"
"""The table of models, as `[tool.pytest_ultra.models]` in pyproject.toml has it."""
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says: the texts of each option by its name, and the table of models."""

    path: Path
    texts: Mapping[str, Sequence[str]]
    models: Mapping[str, Any]
    lines: Mapping[str, int]

    def place(self, name: str) -> str:
        """Return where a key stands, for a message."""
        line = f":{self.lines[name]}" if name in self.lines else ""
        return f"{self.path.name}{line}: {name}"


def read_config_file(path: Path, options: Iterable[Option]) -> ConfigFile:
    """Read a file. Raises ConfigurationError, which names the file and the line, for what is no option."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(
            f"{path.name} cannot be read: {error.strerror}; give the path of a TOML file"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path.name} is no TOML: {error}") from None
    names = [option.name for option in options if option.name != "config"]
    lines = _find_lines(text)
    for key in document:
        if key not in (*names, MODELS):
            close = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it is the name of an option, such as {names[0]}"
            raise ConfigurationError(f"{path.name}:{lines.get(key, 1)}: there is no option {key!r}; {hint}")
    models = document.pop(MODELS, {})
    found = ConfigFile(path, {}, models if isinstance(models, dict) else {}, lines)
    texts = {name: _write_texts(found, name, value) for name, value in document.items()}
    return ConfigFile(path, texts, found.models, lines)


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


_KEY = re.compile(r"""^\s*(?:\[\s*)?["']?([\w-]+)["']?\s*(?:=|\]|\.)""")


def _find_lines(text: str) -> dict[str, int]:
    """Return the line of each key or table of the top level, counted from 1, as far as a look at the lines shows."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _KEY.match(line)
        if match:
            found.setdefault(match[1], number)
    return found


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
    properties[MODELS] = {"description": "endpoints, parameters and headers of models", "type": "object"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Options of pytest-ultra"}
    return {**head, "type": "object", "properties": properties, "additionalProperties": False}
