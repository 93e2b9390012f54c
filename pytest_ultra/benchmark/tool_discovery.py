"""Tool discovery: two tools that find the others, instead of showing all their schemas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.benchmark.tools.base import EarnedCode, EarnedError
from pytest_ultra.benchmark.tools.inputs import quote
from pytest_ultra.benchmark.tools.parameters import parameters, text
from pytest_ultra.core.json_types import Json, ToolSchema
from pytest_ultra.core.transcript import ToolResult

SEARCH, DESCRIBE = "search_tools", "describe_tool"
MOST_FOUND = 5


def _schema(name: str, description: str, argument: str, what: str) -> ToolSchema:
    function = {"name": name, "description": description, "parameters": parameters({argument: text(what)})}
    return {"type": "function", "function": function}


SCHEMAS = (
    _schema(
        SEARCH,
        f"Find tools by what they do. Lists the names and descriptions of up to {MOST_FOUND} that match best.",
        "query",
        "Words that say what the tool is to do.",
    ),
    _schema(
        DESCRIBE,
        "Show a tool's description and the JSON Schema of its arguments; after that the tool can be called.",
        "name",
        "Name of the tool.",
    ),
)
_ARGUMENTS = {SEARCH: "query", DESCRIBE: "name"}


def is_discovery(name: str) -> bool:
    return name in _ARGUMENTS


def discover(offered: Sequence[str], name: str, arguments: dict[str, Any] | None) -> ToolResult:
    """Return the result of a call of `search_tools` or `describe_tool` among the tools that a task offers."""
    try:
        argument = _read(name, arguments)
        return ToolResult(value=_search(offered, argument) if name == SEARCH else _describe(offered, argument))
    except EarnedError as error:
        return ToolResult(code=error.code.value, message=error.message)


def not_described(name: str) -> ToolResult:
    """Return the result of a call of a tool that the model has not asked to describe."""
    message = f"Have {name} described by {DESCRIBE} before you call it for the first time."
    return ToolResult(code=EarnedCode.NOT_DESCRIBED.value, message=message)


def rank(query: str, descriptions: Sequence[tuple[str, str]]) -> list[int]:
    """Return the indices of the (name, description) pairs that share words with the query, best first.

    Rare words weigh more, and words in a name weigh twice as much. Scores are integers and ties keep the given
    order, so that the result is the same on every machine.
    """
    words = [(_stems(name), _stems(description)) for name, description in descriptions]
    frequency = Counter(stem for name, description in words for stem in name | description)
    query_stems = _stems(query)
    scores = [
        sum(
            (2 * (stem in name) + (stem in description)) * (1000 // frequency[stem])
            for stem in query_stems
            if stem in frequency
        )
        for name, description in words
    ]
    return sorted((place for place, score in enumerate(scores) if score), key=lambda place: -scores[place])


def _read(name: str, arguments: dict[str, Any] | None) -> str:
    if arguments is None:
        raise EarnedError(EarnedCode.MALFORMED_ARGUMENTS, "The arguments are not a JSON object.")
    argument = arguments.get(_ARGUMENTS[name])
    if not isinstance(argument, str) or not argument.strip() or len(arguments) > 1:
        message = f"arguments: {name} takes one argument, {_ARGUMENTS[name]!r}, a text that is not empty."
        raise EarnedError(EarnedCode.INVALID_ARGUMENTS, message)
    return argument


def _search(offered: Sequence[str], query: str) -> Json:
    tools = [(name, TOOLS[name].description) for name in offered]
    matches = [tools[place] for place in rank(query, tools)[:MOST_FOUND]]
    return [{"name": name, "description": description} for name, description in matches]


def _describe(offered: Sequence[str], name: str) -> Json:
    if name not in offered:
        raise EarnedError(EarnedCode.UNKNOWN_TOOL, f"There is no tool named {quote(name)}.")
    return tool_schema(TOOLS[name])["function"]


_WORD = re.compile(r"[a-z]{3,}")
_ENDING = re.compile(r"(?<=[a-z]{3})(ings?|ions?|ers?|ors?|ed|es|s|e)$")
_EMPTY_WORDS = frozenset({"and", "can", "for", "from", "need", "not", "that", "the", "this", "tool", "tools", "with"})


def _stems(words: str) -> set[str]:
    return {_ENDING.sub("", word) for word in _WORD.findall(words.lower()) if word not in _EMPTY_WORDS}
