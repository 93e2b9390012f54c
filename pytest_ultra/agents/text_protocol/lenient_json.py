"""A lenient JSON reader: accepts unambiguous JSON that strict readers reject, as models often write it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NoReturn

from pytest_ultra.core.bounds import is_too_deep
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Forgiven

_MAX_DEPTH = 100


class UnreadableJsonError(ValueError):
    """The text is not JSON, or is ambiguous."""


class JsonText(str):
    """A text in which many values may be unreadable: the strict reader counts the lines before each error in vain."""

    __slots__ = ()

    def count(self, *_: object) -> int:
        return 0

    def rfind(self, *_: object) -> int:
        return -1


def read_json(text: str, start: int = 0) -> tuple[Json, int]:
    """Read the value at `start` strictly; return it and the position of its end.

    Raises `UnreadableJsonError`, also for JSON nested beyond `MAX_DEPTH`.
    """
    try:
        value, end = _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError):
        raise UnreadableJsonError from None
    if is_too_deep(value):
        raise UnreadableJsonError
    return value, end


def read_json_leniently(text: str, start: int, limit: int, *, max_open: int) -> tuple[Json, int, tuple[Forgiven, ...]]:
    """Read the value at `start` leniently, up to `limit`; return it, its end, and what was forgiven.

    Up to `max_open` brackets may be missing at `limit`, unless the text before it ends in a number or a word: that
    may be truncated. Raises `UnreadableJsonError`.
    """
    reader = _Reader(text, start, limit, max_open)
    try:
        value = reader.value()
    except RecursionError:
        raise UnreadableJsonError from None
    return value, reader.position, tuple(dict.fromkeys(reader.forgiven))


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


_STRICT = json.JSONDecoder(parse_constant=_reject_constant)
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_LITERALS: dict[str, Json] = {"true": True, "false": False, "null": None}
_PYTHON_LITERALS: dict[str, Json] = {"True": True, "False": False, "None": None}
_QUOTED = {
    '"': re.compile(r'"(?:[^"\\]+|\\.)*+"', re.DOTALL),
    "'": re.compile(r"'(?:[^'\\]+|\\.|'(?!\s*(?:[,:}\]]|\Z)))*+'", re.DOTALL),
}
"""A quoted text by its mark; a single quote closes only before `,` `:` `}` `]` or the end."""
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt])')


class _Reader:
    """Reads one value and records what it forgives."""

    def __init__(self, text: str, start: int, limit: int, max_open: int) -> None:
        self.position = self._start = start
        self.forgiven: list[Forgiven] = []
        self._max_open = max_open
        self._text = text
        self._limit = limit
        self._depth = 0

    def value(self) -> Json:
        char = self._peek()
        if char in ("{", "["):
            return self._nested(self._object if char == "{" else self._array)
        if char in ('"', "'"):
            return self._string(char)
        return self._number() if char and char in "-0123456789" else self._literal()

    def _nested(self, read: Callable[[], Json]) -> Json:
        if self._depth >= _MAX_DEPTH:
            raise UnreadableJsonError
        self._depth += 1
        self.position += 1
        value = read()
        self._depth -= 1
        return value

    def _object(self) -> dict[str, Json]:
        members: dict[str, Json] = {}
        while not self._closes("}"):
            key = self._key()
            if self._peek() != ":":
                raise UnreadableJsonError
            self.position += 1
            members[key] = self.value()
            self._separate("}")
        return members

    def _array(self) -> list[Json]:
        items: list[Json] = []
        while not self._closes("]"):
            items.append(self.value())
            self._separate("]")
        return items

    def _closes(self, bracket: str) -> bool:
        char = self._peek()
        if char == bracket:
            self.position += 1
            return True
        if char:
            return False
        if self._depth > self._max_open:
            raise UnreadableJsonError
        self.forgiven.append(Forgiven.MISSING_BRACKET)
        return True

    def _separate(self, bracket: str) -> None:
        char = self._peek()
        if char == ",":
            self.position += 1
            if self._peek() in (bracket, ""):
                self.forgiven.append(Forgiven.TRAILING_COMMA)
        elif char != bracket and (char or self._may_be_truncated()):
            raise UnreadableJsonError

    def _may_be_truncated(self) -> bool:
        return self._text[self._start : self._limit].rstrip()[-1:].isalnum()

    def _key(self) -> str:
        char = self._peek()
        if char in ('"', "'"):
            return self._string(char)
        match = _WORD.match(self._text, self.position, self._limit)
        if match is None:
            raise UnreadableJsonError
        self.position = match.end()
        self.forgiven.append(Forgiven.UNQUOTED_KEY)
        return match[0]

    def _string(self, mark: str) -> str:
        if mark == "'":
            self.forgiven.append(Forgiven.SINGLE_QUOTES)
        match = _QUOTED[mark].match(self._text, self.position, self._limit)
        if match is None:
            raise UnreadableJsonError
        inner = match[0][1:-1]
        self.position = match.end()
        if any(char < " " for char in inner):
            self.forgiven.append(Forgiven.RAW_CONTROL_CHARACTER)
        return _unescape(inner)

    def _number(self) -> Json:
        match = _NUMBER.match(self._text, self.position, self._limit)
        if match is None:
            raise UnreadableJsonError
        self.position = match.end()
        value, _ = read_json(match[0])
        return value

    def _literal(self) -> Json:
        match = _WORD.match(self._text, self.position, self._limit)
        word = match[0] if match else ""
        self.position += len(word)
        if word in _PYTHON_LITERALS:
            self.forgiven.append(Forgiven.PYTHON_LITERAL)
            return _PYTHON_LITERALS[word]
        if word not in _LITERALS:
            raise UnreadableJsonError
        return _LITERALS[word]

    def _peek(self) -> str:
        """Skip white space; return the next character, or an empty string at the end."""
        match = _SPACE.match(self._text, self.position, self._limit)
        self.position = match.end() if match else self.position
        return self._text[self.position] if self.position < self._limit else ""


def _unescape(inner: str) -> str:
    r"""Resolve JSON escapes; drop the backslash of any other escape, such as `\'`."""
    parts = re.split(r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.)", inner)
    return "".join(_resolve(part) if part.startswith("\\") else part for part in parts)


def _resolve(escape: str) -> str:
    return json.loads(f'"{escape}"') if _ESCAPE.match(escape) else escape[1:]
