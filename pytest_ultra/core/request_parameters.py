"""Parameters of a request that the user asks for: reading, checks, and the part that is in a case's identity."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

LIMIT = "max_tokens"
"""The limit of a reply's length. It is sent by the name that the endpoint takes."""
LIMIT_NAMES = (LIMIT, "max_completion_tokens")

NEUTRAL = frozenset({"user", "metadata", "service_tier", "store", "prompt_cache_key", "safety_identifier"})
"""Parameters that do not change what a model answers, so that they are not in a case's identity."""

NEEDING_TOOLS = frozenset({"tool_choice", "parallel_tool_calls"})
"""Parameters that endpoints reject in a request without tools."""

_OFFERED = "the run offers its own tools; --ultra-tool-protocol says how"
_RESERVED = {
    "model": "use --ultra-model",
    "messages": "the run writes the conversation itself",
    "tools": _OFFERED,
    "functions": _OFFERED,
    "function_call": _OFFERED,
    "stream": "use --ultra-stream",
    "n": "a turn has one answer; use --ultra-repeats to ask more often",
    "temperature": "use --ultra-temperature",
}
_SECRETS = ("api_key", "apikey", "access_token", "auth_token", "secret", "passw", "credential", "authorization")
_EXAMPLE = "give PARAM=VALUE with a JSON value or a word, as in max_tokens=2000 or reasoning_effort=low"
_MAX_NESTED = 10
_MAX_INTEGER = 2**63


def read_parameters(texts: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of texts like `seed=7`; the last one of a name counts. Raises ValueError."""
    return check_parameters(dict(_read_parameter(text) for text in texts if text.strip()))


def _read_parameter(text: str) -> tuple[str, Any]:
    """Read a value as JSON, or as a string if it does not look like JSON."""
    name, mark, written = (part.strip() for part in text.partition("="))
    if not (name and mark and written):
        raise ValueError(f"{text!r} is not a parameter; {_EXAMPLE}")
    try:
        return name, json.loads(written, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        if written[0] in '{["':
            raise ValueError(
                f"{text!r} begins like JSON, but is not valid JSON ({error}); correct it, and quote it for your shell, "
                "as in --ultra-request 'stop=[\"END\"]'"
            ) from None
        return name, written


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def check_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters that can be sent, with one name for the limit of a reply's length. Raises ValueError."""
    for name, value in parameters.items():
        _check_name(name)
        _check_value(name, value, _MAX_NESTED)
    limits = {name: parameters[name] for name in LIMIT_NAMES if name in parameters}
    if len(limits) > 1:
        raise ValueError(f"{' and '.join(limits)} are the same limit under two names; give one of them")
    for name, limit in limits.items():
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise ValueError(f"{name} cannot be {limit!r}; give a whole number of at least 1, or null for no limit")
    return {LIMIT if name in LIMIT_NAMES else name: value for name, value in parameters.items()}


def _check_name(name: str) -> None:
    if name in _RESERVED:
        raise ValueError(f"the parameter {name!r} cannot be set; {_RESERVED[name]}")
    if not name.isascii() or not name.isprintable() or " " in name:
        raise ValueError(f"{name!r} is not the name of a parameter; {_EXAMPLE}")
    if any(word in name.lower() for word in _SECRETS):
        raise ValueError(
            f"the parameter {name!r} seems to hold a secret, and parameters are stored with a run; send it in a "
            "header from an environment variable, as in --ultra-header x-api-key=NAME_OF_A_VARIABLE"
        )


def _check_value(name: str, value: Any, left: int) -> None:
    if not left:
        raise ValueError(f"the value of {name!r} is nested more than {_MAX_NESTED} deep; give a simpler one")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_value(name, key, left)
            _check_value(name, inner, left - 1)
    elif isinstance(value, list):
        for inner in value:
            _check_value(name, inner, left - 1)
    elif isinstance(value, str):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"the value of {name!r} is not valid UTF-8; give it in UTF-8")
    elif not _is_json_scalar(value):
        raise ValueError(f"the value of {name!r} cannot be {value!r}; give a JSON value, with numbers of 64 bits")


def _is_json_scalar(value: Any) -> bool:
    if isinstance(value, int):
        return -_MAX_INTEGER <= value < _MAX_INTEGER
    return value is None or (isinstance(value, float) and math.isfinite(value))


def encode_identity(parameters: Mapping[str, Any]) -> str:
    """Return the parameters that are in a case's identity as one JSON text, empty if there are none."""
    own = {name: value for name, value in parameters.items() if name not in NEUTRAL}
    return json.dumps(own, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if own else ""


@lru_cache(maxsize=256)
def decode_identity(text: str) -> Mapping[str, Any]:
    """Return the parameters of a case's text. Raises ValueError if it is none."""
    parameters = json.loads(text) if text else {}
    if not isinstance(parameters, dict):
        raise ValueError("not an object of parameters")  # noqa: TRY004 - the text is what is wrong
    return parameters


def neutral_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name in NEUTRAL}
