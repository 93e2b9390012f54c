"""Blotting out secrets: every one that the configuration knows, in whatever writing it comes back."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, unquote

SHOWN = "***"
SHORTEST = 8
"""A shorter one is a word such as `none`, which replies may hold by chance."""

Redact = Callable[[str], str]

_PROXIES = re.compile(r"(https?|all)_proxy", re.IGNORECASE)
_USERINFO = re.compile(r"//(?P<userinfo>[^\s]*)@")
_QUERY = re.compile(r"\?([^#\s]*)")
_TELLING = re.compile(r"key|token|secret|sig|passw|pwd|auth|cred|code", re.IGNORECASE)
"""Names of the parameters of a query that hold secrets."""
_PARAMETER = re.compile(r"(?<=[?&])([^=&\s]+)=([^&#\s]+)")
_CUT = "..."
_SHORTEST_END = 4
_LONGEST_END = 120
"""As much as pytest shows on either side of a cut."""
_RUN = re.compile(r"[A-Za-z0-9]+")


class Secret:
    """An API key that cannot be printed by accident: only `reveal` returns it. The empty secret stands for no key."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({SHOWN if self else ''})"

    def reveal(self) -> str:
        return self._value


class Redactor:
    """Blots out secrets, also within JSON, URLs, HTML and base64; too short ones are left alone."""

    def __init__(self, secrets: Iterable[str]) -> None:
        wanted = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=lambda one: (-len(one), one))
        self._written = [(_longest_run(secret), re.compile("".join(map(_in_any_writing, secret)))) for secret in wanted]
        self._encoded = [form for secret in wanted for form in _in_base64(secret)]
        self._ends = [end for secret in wanted for form in {secret, repr(secret)[1:-1]} for end in _ends(form)]

    def __call__(self, text: str) -> str:
        for run, pattern in self._written:
            if run in text:  # quick, and nearly always the end of it
                text = pattern.sub(SHOWN, text)
        for form in self._encoded:
            if form in text:
                text = text.replace(form, SHOWN)
        return text

    def clear(self, text: str) -> str:
        """Blot out also what is left of a secret where somebody has cut a text short, which `...` tells."""
        text = self(text)
        if _CUT in text:
            for end in self._ends:
                text = text.replace(end, _CUT)
        return text


def find_secrets(environ: Mapping[str, str], variables: Iterable[str], urls: Iterable[str]) -> set[str]:
    """Return the keys in the environment's variables, and what URLs, those of proxies too, hold of secrets."""
    keys = {environ.get(name, "").strip() for name in variables}
    proxies = [value for name, value in environ.items() if _PROXIES.fullmatch(name)]
    return keys | {secret for url in (*urls, *proxies) for secret in _find_in_url(url)}


def show_url(url: str) -> str:
    """Return a URL, or what is meant as one, as it may be shown: without a user's name and password, and keys."""
    plain = _USERINFO.sub(f"//{SHOWN}@", url)
    return _PARAMETER.sub(lambda found: f"{found[1]}={SHOWN if _TELLING.search(found[1]) else found[2]}", plain)


def _find_in_url(url: str) -> Iterator[str]:
    if found := _USERINFO.search(url if "//" in url else f"//{url}"):
        user, _, password = found["userinfo"].partition(":")
        for part in (found["userinfo"], password or user):
            yield from (part, unquote(part))
    if found := _QUERY.search(url):
        for name, value in _PARAMETER.findall("?" + found[1]):
            if _TELLING.search(name):
                yield value
        yield from (value for name, value in parse_qsl(found[1]) if _TELLING.search(name))


def _in_any_writing(char: str) -> str:
    """Return a pattern for a character as it is, or as JSON, URLs and HTML write it, once or several times over."""
    if char.isalnum():
        return char
    code = f"{ord(char):02x}"
    hex_ = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in code)
    entities = {'"': "quot", "&": "amp", "<": "lt", ">": "gt"}
    entity = f"|&(?:#{ord(char)}|#[xX]{hex_}|{entities.get(char, '#')});"
    return rf"(?:\\*{re.escape(char)}|%(?:25)*{hex_}|\\+u00{hex_}{entity})"


def _longest_run(secret: str) -> str:
    return max(_RUN.findall(secret), key=len, default="")


def _ends(secret: str) -> Iterator[str]:
    """Yield how a secret may begin or end at a cut, the longest first."""
    for length in range(min(len(secret), _LONGEST_END), _SHORTEST_END - 1, -1):
        yield from (secret[:length] + _CUT, _CUT + secret[-length:])


def _in_base64(secret: str) -> Iterator[str]:
    """Yield how base64 writes a secret within a text, by where it begins, without what its neighbours share."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode()).decode()
        form = encoded[-(-before * 4 // 3) : len(encoded) - 4 if (before + len(secret)) % 3 else None]
        yield form
        if set("+/") & set(form):
            yield form.translate(str.maketrans("+/", "-_"))
