"""The protocol of SDK adapters, and the steps that they share: messages of a conversation, fields of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from pytest_ultra.core.bounds import parse_arguments
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Json, Message
from pytest_ultra.core.transcript import Reply
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.render import NATIVE, acceptable_name
from pytest_ultra.providers.dialects.requested import apply_requested

NO_TEXT = "(no text)"
"""Stands for the text of a message without one, where a protocol takes no empty messages."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
CHANGEABLE = frozenset({"omitted", "max_tokens", "schemas"})
"""The fields of a dialect that an adapter's requests depend on."""


class SdkAdapter(Protocol):
    """Speaks one protocol to one endpoint, by its SDK. It makes single attempts, and raises what the SDK raises."""

    @property
    def dialect(self) -> Dialect:
        """The dialect at first; requests depend on its `CHANGEABLE` fields alone."""

    async def send(self, request: ChatRequest, dialect: Dialect) -> Any:
        """Return the answer as JSON values."""

    def read(self, answer: Any, turn: int) -> Reply:
        """Read an answer. Raises LookupError, TypeError, ValueError or AttributeError if it is none."""

    async def aclose(self) -> None: ...


class StreamError(ValueError):
    """An error inside an answer; `body` is what it says."""

    def __init__(self, body: Any) -> None:
        super().__init__("an error in place of an answer")
        self.body = {"error": body}


def system_text(request: ChatRequest) -> str:
    return "\n\n".join(message["content"] for message in request.messages if message["role"] == "system")


def turns(request: ChatRequest) -> Iterator[Message]:
    """Yield the messages that are not the system's."""
    return (message for message in request.messages if message["role"] != "system")


def extra_body(request: ChatRequest, dialect: Dialect, neutral: Mapping[str, Any]) -> dict[str, Any]:
    """Return the optional parameters of a request as an argument of SDK methods, which add them to the body.

    `neutral` are those that the user asked for and that are not in the case's identity. One that is None is not sent.
    """
    temperature = request.case.temperature
    optional = {} if temperature is None or "temperature" in dialect.omitted else {"temperature": temperature}
    if request.case.request_parameters or neutral:
        body: dict[str, Any] = optional | ({"tools": request.tools} if request.tools else {})
        apply_requested(body, {**request.requested, **neutral}, dialect)
        optional = {name: value for name, value in body.items() if name != "tools"}
    return {"extra_body": optional} if optional else {}


def native_items(message: Message, api: str) -> list[dict[str, Any]]:
    """Return what an answer in a protocol contained, as it came; empty if the message came otherwise."""
    native = message.get(NATIVE)
    items = native.get(api) if isinstance(native, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def keep_native(api: str, items: Json) -> dict[str, Json]:
    """Return the extra fields of a reply by which `native_items` finds what an answer contained."""
    return {NATIVE: {api: items}}


def call_name(call: dict[str, Any], request: ChatRequest) -> str:
    """Return the name of the called tool, in a form that endpoints take if the model invented it."""
    name: str = call["function"]["name"]
    return name if name in request.offered else acceptable_name(name)


def call_arguments(call: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call as an object."""
    text: str = call["function"]["arguments"]
    arguments = parse_arguments(text)
    return {"malformed_arguments": text} if arguments is None else arguments


def encode_arguments(value: Json) -> str:
    """Return the arguments of an answer's call as the text that the tools read."""
    return value if isinstance(value, str) else msgspec.json.encode({} if value is None else value).decode()


def text_of(value: Json) -> str:
    return value if isinstance(value, str) else ""


def objects(value: Json) -> list[dict[str, Any]]:
    """Return the objects of a list. Raises TypeError if it is none."""
    if not isinstance(value, list):
        raise TypeError("not a list")
    return [item for item in value if isinstance(item, dict)]


def fields_of(value: Json) -> dict[str, Any]:
    """Return an object; an empty one if the value is something else."""
    return value if isinstance(value, dict) else {}
