"""Redaction of known secrets in any text, however they are escaped or encoded there."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote

from pytest_ultra.providers.escapes import MAX_LAYERS, may_be_escaped, unescape, unescape_with_starts

REDACTED = "***"
MIN_SECRET_CHARS = 8
"""A shorter value may be a word such as `none`, which replies contain by chance."""

Redact = Callable[[str], str]

_PROXIES = re.compile(r"(https?|all)_proxy", re.IGNORECASE)
_USERINFO = re.compile(r"\s*(?P<scheme>(?:[a-z][a-z0-9+.-]*:)?//)?(?P<userinfo>.*)@", re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(r"\?([^#\s]*)")
_SECRET_NAME = re.compile(r"key|token|secret|sig|passw|pwd|auth|cred|code", re.IGNORECASE)
"""Names of query parameters that hold secrets."""
_PARAMETER = re.compile(r"([?&][^=&\s]++)(?:=([^&#\s]+))?")
"""A name and, if it has one, its value. A name without a value is passed over at once, so that time stays linear."""
_ELLIPSIS = "..."
_MIN_END_CHARS = 4
_MAX_END_CHARS = 120
"""The most that pytest shows on either side of an ellipsis."""
_RUN = re.compile(r"[A-Za-z0-9]+")


class Secret:
    """An API key that cannot be printed by accident: only `reveal` returns it. The empty secret stands for no key."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({REDACTED if self else ''})"

    def reveal(self) -> str:
        return self._value


class Redactor:
    """Redacts secrets, also inside JSON, URLs, HTML and base64. Values that are too short are not redacted."""

    def __init__(self, secrets: Iterable[str]) -> None:
        wanted = sorted(
            {secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS}, key=lambda one: (-len(one), one)
        )
        self._secrets = {form for secret in wanted for form in (secret, _as_bytes(secret).decode("latin-1"))}
        self._patterns = [(_longest_run(secret), re.compile(_escaped_pattern(secret))) for secret in wanted]
        self._base64_forms = [form for secret in wanted for form in _base64_forms(secret)]
        self._ends = [end for secret in wanted for form in {secret, repr(secret)[1:-1]} for end in _ends(form)]

    def __call__(self, text: str) -> str:
        for run, pattern in self._patterns:
            if run in text:  # a quick test that nearly always fails
                text = pattern.sub(REDACTED, text)
        for form in self._base64_forms:
            if form in text:
                text = text.replace(form, REDACTED)
        return self._redact_escaped(text) if self._secrets and may_be_escaped(text) else text

    def _redact_escaped(self, text: str) -> str:
        """Redact secrets of which also letters and digits are escaped, in up to `MAX_LAYERS` layers."""
        decoded = text
        for layers in range(1, MAX_LAYERS + 1):
            before, decoded = decoded, unescape(decoded)
            if decoded == before:
                break
            if any(secret in decoded for secret in self._secrets):
                return self._redact_escaped(self._redact_layer(text, layers))
        return text

    def _redact_layer(self, text: str, layers: int) -> str:
        """Redact secrets that appear when so many layers are removed."""
        decoded, starts = unescape_with_starts(text, layers)
        found = re.finditer("|".join(map(re.escape, sorted(self._secrets, key=len, reverse=True))), decoded)
        pieces, end = [], 0
        for match in found:
            pieces += [text[end : starts[match.start()]], REDACTED]
            end = starts[match.end()]
        return "".join([*pieces, text[end:]])

    def redact_shortened(self, text: str) -> str:
        """Redact also the part of a secret that is left where a text was shortened by `...`."""
        text = self(text)
        if _ELLIPSIS in text:
            for end in self._ends:
                text = text.replace(end, _ELLIPSIS)
        return text


def find_secrets(environ: Mapping[str, str], variables: Iterable[str], urls: Iterable[str]) -> set[str]:
    """Return the values of the environment variables, and the secrets in the URLs and in those of proxies."""
    keys = {environ.get(name, "").strip() for name in variables}
    proxies = [value for name, value in environ.items() if _PROXIES.fullmatch(name)]
    return keys | {secret for url in (*urls, *proxies) for secret in _find_in_url(url)}


def redact_url(url: str) -> str:
    """Return a URL, or an attempt at one, with user name, password and keys redacted."""
    plain = _USERINFO.sub(rf"\g<scheme>{REDACTED}@", url, count=1) if "@" in url else url
    return _PARAMETER.sub(_redact_parameter, plain)


def _redact_parameter(found: re.Match[str]) -> str:
    return f"{found[1]}={REDACTED}" if found[2] and _SECRET_NAME.search(found[1]) else found[0]


def _find_in_url(url: str) -> Iterator[str]:
    if "@" in url and (found := _USERINFO.match(url)):
        user, _, password = found["userinfo"].partition(":")
        for part in (found["userinfo"], password or user):
            yield from (part, unquote(part))
    if found := _QUERY.search(url):
        for name, value in _PARAMETER.findall("?" + found[1]):
            if value and _SECRET_NAME.search(name):
                yield value
        yield from (value for name, value in parse_qsl(found[1]) if _SECRET_NAME.search(name))


def _escaped_pattern(secret: str) -> str:
    """Return a pattern for a secret whose symbols are plain, or escaped one or more times as in JSON, URLs and HTML.

    It reads a run of backslashes once, whatever follows: only a match of the first symbol may begin with one, and
    only at the beginning of the run.
    """
    units = re.findall(r"\\+|[^\\]", secret)
    return "".join(_escaped_unit(unit, is_first=number == 0) for number, unit in enumerate(units))


def _escaped_unit(unit: str, *, is_first: bool) -> str:
    """Return a pattern for one character, or for a run of backslashes, whose number escapes can only increase."""
    char, number = unit[0], len(unit)
    if char.isalnum():
        return char
    code = f"{ord(char):02x}"
    hex_ = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in code)
    slashes = r"(?<!\\)\\" if is_first else r"\\"
    entity = f"&(?:#{ord(char)}|#[xX]{hex_}|{_NAMED.get(char, '#')});"
    percent = f"%(?:25)*{'' if char == '%' else '+'}{hex_}"
    escaped = rf"{percent}|(?:{slashes}++|\\)u00{hex_}|{entity}"
    if char == "\\":
        return rf"(?:{slashes}{{{number},}}+|(?:{escaped}){{{number}}})"
    return rf"(?:(?:{slashes}++)?{re.escape(char)}|{escaped})"


_NAMED = {'"': "quot", "&": "amp", "<": "lt", ">": "gt"}


def _longest_run(secret: str) -> str:
    return max(_RUN.findall(secret), key=len, default="")


def _ends(secret: str) -> Iterator[str]:
    """Yield the beginnings and ends of a secret that an ellipsis may leave, the longest first."""
    for length in range(min(len(secret), _MAX_END_CHARS), _MIN_END_CHARS - 1, -1):
        yield from (secret[:length] + _ELLIPSIS, _ELLIPSIS + secret[-length:])


def _as_bytes(secret: str) -> bytes:
    return secret.encode(errors="surrogateescape")


def _base64_forms(secret: str) -> Iterator[str]:
    """Yield the base64 forms of a secret inside a text, one per offset, without the digits shared with other bytes."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + _as_bytes(secret)).decode()
        form = encoded[-(-before * 4 // 3) : len(encoded) - 4 if (before + len(_as_bytes(secret))) % 3 else None]
        yield form
        if set("+/") & set(form):
            yield form.translate(str.maketrans("+/", "-_"))
