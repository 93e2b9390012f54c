"""The body of an answer that is no reply: what the endpoint says, freed from what gateways wrap around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from pytest_ultra.core.bounds import decode_json
from pytest_ultra.core.json_types import Json

EXCERPT_CHARS = 4_000  # shortened where it is shown, after secrets are redacted
_MAX_ERROR_BYTES = 64 * 1024
"""Size up to which a body is read as JSON."""
_MAX_LAYERS = 12
_STATUSES = range(400, 600)

_CODE_NAMES = ("code", "type", "status", "error_code", "reason", "quotaId", "limit_source")
_INNER_NAMES = ("error", "errors", "innererror", "details", "violations", "metadata", "raw", "message", "detail")
_PREFIX = re.compile(r"^(?:litellm\.)?\w+Error: (?:(?:\w+: )?\w+(?:Exception|Error)\b[\w ]* - |(?=litellm\.))")
_SUFFIX = re.compile(r"\s*\.?\s*Received Model Group=.*$", re.DOTALL)


class ErrorBody(msgspec.Struct, frozen=True):
    """What an error says, in the words of the endpoint that failed first.

    `codes` are its codes, types and the like, innermost last; `status` is the HTTP status that it names; `parameter`
    is the part of the request that it names; `delay` is the wait that it names in a field of its own.
    """

    message: str = ""
    codes: tuple[str, ...] = ()
    status: int | None = None
    parameter: str = ""
    delay: str = ""

    @property
    def text(self) -> str:
        """All of it as one text, to be searched."""
        return " ".join((*self.codes, self.message))


def read_error(body: bytes) -> ErrorBody:
    """Read an error as providers and gateways send it: an object, a list of one, or text."""
    value = _decode(body) if len(body) <= _MAX_ERROR_BYTES else None
    if not isinstance(value, dict | list):
        return ErrorBody(_one_line(body[:EXCERPT_CHARS].decode(errors="replace")))
    layers = list(_layers(value, [_MAX_LAYERS]))
    messages = [text for layer in layers if (text := _message(layer))]
    codes = [str(layer[name]) for layer in layers for name in _CODE_NAMES if _is_code(layer.get(name))]
    statuses = [int(code) for code in codes if re.fullmatch(r"\d{3}", code) and int(code) in _STATUSES]
    return ErrorBody(
        message=_one_line(messages[-1] if messages else body[:EXCERPT_CHARS].decode(errors="replace")),
        codes=tuple(dict.fromkeys(codes)),
        status=statuses[0] if statuses else None,
        parameter=_first_text(layers, "param"),
        delay=_first_text(layers, "retryDelay"),
    )


def excerpt(body: bytes) -> str:
    """Return a readable excerpt of a body on one line: the message of an error object if there is one."""
    return read_error(body).message


def _layers(value: Json, left: list[int]) -> Iterator[dict[str, Any]]:
    """Yield the objects that may say something about the error, from the outside to the inside."""
    if left[0] <= 0:
        return
    if isinstance(value, list):
        for item in value:
            yield from _layers(item, left)
    elif isinstance(value, str):
        inner = _decode(_unwrap(value).encode(errors="replace")) if "{" in value else None
        yield from _layers(inner, left) if isinstance(inner, dict | list) else ()
    elif isinstance(value, dict):
        left[0] -= 1
        yield value
        for name in _INNER_NAMES:
            yield from _layers(value.get(name), left)
        for choice in _dicts(value.get("choices"))[:1]:
            yield from _layers(choice.get("error"), left)


def _first_text(layers: list[dict[str, Any]], name: str) -> str:
    return next((layer[name] for layer in layers if isinstance(layer.get(name), str)), "")


def _message(layer: dict[str, Any]) -> str:
    """Return the message of one layer, empty if it has none of its own."""
    text = _find_text(layer)
    generated = layer.get("failed_generation")
    return f"{text} (generated: {generated})" if text and isinstance(generated, str) else text


def _find_text(layer: dict[str, Any]) -> str:
    for name in ("message", "error", "detail", "msg", "raw"):
        value = layer.get(name)
        if isinstance(value, str) and value.strip() and not _holds_object(value):
            return _at(layer, _unwrap(value)) if name == "msg" else _unwrap(value)
    return ""


def _at(layer: dict[str, Any], text: str) -> str:
    """Put the place before a message of a validator: a list of names and numbers."""
    place = layer.get("loc")
    return f"{'.'.join(map(str, place))}: {text}" if isinstance(place, list) else text


def _unwrap(text: str) -> str:
    """Remove what LiteLLM puts around a provider's message."""
    while (shorter := _PREFIX.sub("", text, count=1)) != text:
        text = shorter
    return _SUFFIX.sub("", text)


def _holds_object(text: str) -> bool:
    return "{" in text and isinstance(_decode(_unwrap(text).encode(errors="replace")), dict | list)


def _dicts(value: Json) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_code(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and 0 < len(str(value)) <= 200  # noqa: PLR2004


def _decode(content: bytes) -> Json:
    with suppress(msgspec.DecodeError):
        return decode_json(content)
    return None


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text[:EXCERPT_CHARS]).split())
