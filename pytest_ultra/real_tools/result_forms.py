"""Results of tools as JSON, and back: what mutators and recordings see of them."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from pytest_ultra.core.json_types import Json


class ResultForm(Protocol):
    """How the results of one tool are read and written as JSON.

    All but `store` raise TypeError or ValueError if that is impossible.
    """

    def read(self, result: Any) -> Json:
        """Return the part of a result that may be wrong."""

    def write(self, result: Any, value: Json) -> Any:
        """Return the result with another value in that part, of the same type as before."""

    def store(self, result: Any) -> tuple[Json, bool]:
        """Return a result as JSON, and whether `load` can make it again."""

    def load(self, stored: Json) -> Any:
        """Return a result that was stored."""


class FunctionResult:
    """The results of a function: JSON values, dataclasses, msgspec's structs, and Pydantic's models."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._type = _return_type(function)

    def read(self, result: Any) -> Json:
        return msgspec.to_builtins(result, enc_hook=_dump_model) if not _is_json(result) else result

    def write(self, result: Any, value: Json) -> Any:
        if _is_json(result):
            return value
        kinds = {type(member) for member in result} if isinstance(result, list) else set()
        (kind,) = kinds if len(kinds) == 1 else (None,)
        return _convert(value, type(result)) if kind is None else [_convert(member, kind) for member in value]

    def store(self, result: Any) -> tuple[Json, bool]:
        try:
            value = self.read(result)
            written = msgspec.json.decode(msgspec.json.encode(value))
            return value, bool(self.load(written) == result)
        except (TypeError, ValueError):  # neither JSON nor a record
            return repr(result), False

    def load(self, stored: Json) -> Any:
        return stored if self._type is None else _convert(stored, self._type)


def _return_type(function: Callable[..., Any]) -> Any:
    """Return the annotated type of results if it is a record, None for any other."""
    try:
        found = typing.get_type_hints(function).get("return")
    except Exception:  # noqa: BLE001 - an annotation can hold any code, and need not be usable here
        return None
    origin = typing.get_args(found)[0] if typing.get_origin(found) is list else found
    is_record = dataclasses.is_dataclass(origin) or (
        isinstance(origin, type) and (issubclass(origin, msgspec.Struct) or hasattr(origin, "model_validate"))
    )
    return found if is_record else None


def _convert(value: Json, type_: Any) -> Any:
    validate = getattr(type_, "model_validate", None)
    if validate is not None:
        return validate(value)
    return msgspec.convert(value, type_, dec_hook=lambda inner, raw: inner.model_validate(raw))


def _dump_model(value: Any) -> Json:
    dump = getattr(value, "model_dump", None)
    if not callable(dump):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return dump(mode="json")


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(type(name) is str and _is_json(member) for name, member in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or type(value) in (str, int, float, bool)
