"""Read what an endpoint's rejection names: a parameter, a field or a form that it does not take, or that it misses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from pytest_ultra.core.bounds import decode_json
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.dialects.dialect import Dialect

_STATUSES = frozenset({400, 404, 422, 501})
_TEMPLATE_STATUS = 500  # of servers whose chat template failed: https://github.com/ggml-org/llama.cpp/issues/20733
_TEMPLATE = re.compile(r"\bjinja|template|\broles?\b")
_MAX_CHARS = 16_000
_ECHOED_INPUT = frozenset({"input", "ctx", "url", "body", "request", "failed_generation"})
"""Fields of error objects that repeat the request, as pydantic's `input` does: they name nothing that is wrong."""
_QUOTED_INPUT = re.compile(r"""['"]input['"]: .*?(?=, ['"](?:ctx|url|type|loc)['"]|\}|$)""", re.DOTALL)


class SpokenDialect(msgspec.Struct, frozen=True):
    """A dialect, and the keys of the changes that led to it from the provider's profile."""

    dialect: Dialect
    changes: frozenset[str] = frozenset()


class RejectedError(AttemptFailedError):
    """An attempt whose request may be accepted in another dialect: `text` is all that the rejection says."""

    def __init__(self, failure: AttemptFailedError, used: SpokenDialect, text: str) -> None:
        super().__init__(
            failure.problem,
            failure.detail,
            status=failure.status,
            retry_after_s=failure.retry_after_s,
            verdict=failure.verdict,
            end_reason=failure.end_reason,
            advice=failure.advice,
        )
        self.used = used
        self.text = text


def read_rejection(status: int, body: bytes) -> str:
    """Return all that a rejection says, in lower case: messages, names of parameters, paths of fields.

    It is empty if the answer is no rejection of the request's form.
    """
    with suppress(msgspec.DecodeError):
        text = "\n".join(_texts(decode_json(body)))
        return _checked(status, _QUOTED_INPUT.sub("", text.lower()[:_MAX_CHARS]))
    return _checked(status, body[:_MAX_CHARS].decode(errors="replace").lower())


def _checked(status: int, text: str) -> str:
    is_rejection = status in _STATUSES or (status == _TEMPLATE_STATUS and _TEMPLATE.search(text))
    return text if is_rejection else ""


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of an error object; a list of names and numbers is the path of a field."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _ECHOED_INPUT:
                yield from _texts(inner)
    elif isinstance(value, list):
        if value and all(isinstance(part, str | int) for part in value):
            yield ".".join(map(str, value))
        else:
            for inner in value:
                yield from _texts(inner)
