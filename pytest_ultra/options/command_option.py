"""The values of `--ultra-agent-command`: programs as agents, and the models behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

from pytest_ultra.agents.command.placeholders import OF_MODEL, PLACEHOLDERS, find_placeholders, split_command
from pytest_ultra.options.agent_option import AgentChoice, add_unique
from pytest_ultra.options.option_values import is_encodable

_NAMED = re.compile(
    r"(?P<name>[\w.-]+)(?:@(?P<model>[^\s=?]+(?:\?[^\s=&]+=[^\s=&]+(?:&[^\s=&]+=[^\s=&]+)*)?))?=(?P<command>.*)",
    re.DOTALL,
)
"""A model's name may end in options, as in `demo?latency=0.5`."""
MAX_CHARS = 16_000
"""Characters of a command, more than any has."""
_EXAMPLE = "give [NAME[@MODEL]=]COMMAND, as in mine='my-agent --mcp {mcp_url}'"


def read_commands(texts: Iterable[str]) -> tuple[AgentChoice, ...]:
    """Return the agents of commands, one in each text. Raises ValueError."""
    return add_unique([], [_read(text.strip()) for text in texts if text.strip()])


def _read(text: str) -> AgentChoice:
    if "\0" in text or not is_encodable(text):
        raise ValueError(f"{text!r} holds characters that no command can have; give it as UTF-8 text")
    if len(text) > MAX_CHARS:  # the reader of words takes quadratic time
        raise ValueError(f"a command has {len(text):,} characters, but at most {MAX_CHARS:,} can be read; use a script")
    named = _NAMED.fullmatch(text)
    command = named["command"].strip() if named else text
    try:
        words = split_command(command)
    except ValueError as error:
        raise ValueError(f"{text!r} cannot be split into words: {str(error).lower()}; quote as in a shell") from None
    if not words or not words[0].strip("/"):
        raise ValueError(f"{text!r} has no command; {_EXAMPLE}")
    name, model = (named["name"], named["model"] or "") if named else (PurePath(words[0]).name, "")
    _check_placeholders(text, command, model, name)
    return AgentChoice(name, command, model, is_command=True)


def _check_placeholders(text: str, command: str, model: str, name: str) -> None:
    for found in find_placeholders(command):
        if found not in PLACEHOLDERS:
            valid = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise ValueError(f"{text!r} has an unknown {{{found}}}; valid: {valid}")
        if found in OF_MODEL and not model:
            raise ValueError(f"{text!r} has {{{found}}}, but no model is behind it; add one, as in {name}@demo='...'")
