"""Redaction of everything that may be a secret in stored texts: keys, passwords, credentials in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_ultra.providers.profiles import KEY_VARIABLES
from pytest_ultra.providers.redaction import REDACTED, Redactor, find_secrets

_WORD = r"(?:[_-]key\b|apikey|token(?!s)|secret|passw|credential|authorization)"
_NAME = rf"(?=[\w.-]*?{_WORD})[\w.-]++"
_IS_SECRET = re.compile(_NAME, re.IGNORECASE)
_IN_URL = re.compile(r"([\w+.-]://)[^/\s@]+@")
_BEFORE_AT = re.compile(r"(?<![^\s@])[^\s@]++@(?=\w)")
_USERINFO = re.compile(r"(?:^|[=\s'\"])(?=[^\s:/@='\"]+:(?!:|//|@))")
_RULES = (
    (re.compile(r"(?<![^\s?#])((?:(?!https?://)[^\s?#])*+https?://[^\s?#]++)\?\S+"), rf"\1?{REDACTED}"),
    (re.compile(rf"(?<![\w.-])({_NAME}(?:=|:\s))\s*\S.*", re.IGNORECASE | re.DOTALL), rf"\1{REDACTED}"),
    (re.compile(r"(bearer\s+)\S+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"\bsk-[\w-]{8,}"), REDACTED),
)
"""Each reads a character a bounded number of times: a rule begins at the beginning of a word, or matches."""


class ConfigRedactor:
    """Redacts secret values of the environment: providers' keys, and variables named like a secret.

    `agents` are the `module:attr` of users' own agents: before the `@` of the model behind one, they look like a user's
    name and password.
    """

    def __init__(
        self, environ: Mapping[str, str], key_variables: Iterable[str] = (), agents: Iterable[str] = ()
    ) -> None:
        self._agents = frozenset(agents)
        named_like_secrets = (name for name in environ if _IS_SECRET.fullmatch(name))
        self._redact = Redactor(find_secrets(environ, {*KEY_VARIABLES, *key_variables, *named_like_secrets}, ()))

    def text(self, text: str) -> str:
        text = _IN_URL.sub(rf"\1{REDACTED}@", self._redact(text))
        text = _BEFORE_AT.sub(self._redact_userinfo, text)
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value with all its texts redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(item) for name, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list | tuple) else value

    def command(self, args: Sequence[str]) -> list[str]:
        """Return a redacted command line; values of options that are named like a secret are redacted too."""
        return list(self._command(args))

    def _redact_userinfo(self, word: re.Match[str]) -> str:
        """Redact `user:password` in a word up to an `@`; what comes before the word counts."""
        found = _USERINFO.search(word.string, max(word.start() - 1, 0), word.end())
        if found is None or word.string[found.end() : word.end() - 1] in self._agents:
            return word[0]
        return f"{word.string[word.start() : found.end()]}{REDACTED}@"

    def _command(self, args: Sequence[str]) -> Iterator[str]:
        is_value = False
        for arg in args:
            yield REDACTED if is_value and not arg.startswith("-") else self.text(arg)
            is_value = arg.startswith("--") and bool(_IS_SECRET.fullmatch(arg))
