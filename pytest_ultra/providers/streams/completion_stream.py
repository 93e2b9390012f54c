"""Add up the events of a streamed chat completion to the body of one that is not streamed."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pytest_ultra.core.bounds import is_too_deep
from pytest_ultra.core.transcript import change_texts
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.dialects.render import MESSAGE_FIELDS
from pytest_ultra.providers.error_body import excerpt
from pytest_ultra.providers.streams.call_fragments import CallFragments, CallParts, read_call
from pytest_ultra.providers.streams.merged_values import MergedFields, NodeCounter, TextBuffer, repair
from pytest_ultra.providers.streams.server_sent_events import DONE, EventParser, ServerSentEvent
from pytest_ultra.providers.wire_fields import UNREADABLE, join_parts

_KEPT = ("id", "created", "model", "system_fingerprint", "service_tier", "provider")
"""Fields of the events that the completion has too; the first value counts."""
_NO_FINISH = ("", "null")


class CompletionStream:
    """Reads a stream chunk by chunk, and returns the completion at its end.

    `has_token` is whether any text, thought or call has arrived, `has_ended` whether the reply is complete, `is_done`
    whether nothing that counts will follow.
    """

    def __init__(self) -> None:
        self.has_token = False
        self.is_done = False
        self._parser = EventParser()
        self._fields: dict[str, Any] = {}
        self._message = _Message()
        self._finish_reason: str | None = None
        self._has_choice = False
        self._choice_error: Any = None
        self._usage: Any = None
        self._error: bytes | None = None
        self._unread = b""

    @property
    def has_ended(self) -> bool:
        return self.is_done or self._finish_reason is not None

    def feed(self, chunk: bytes) -> None:
        """Read a chunk, which may be cut anywhere. Raises `AttemptFailedError` (malformed) if that is impossible."""
        for event in self._parser.feed(chunk):
            if not self.is_done:
                self._read_event(event)

    def close(self) -> bytes:
        """Return the body that `wire.decode_reply` reads: the completion, or the error that took its place.

        Raises `AttemptFailedError` (dropped) if the stream ended before the reply did.
        """
        if not self.is_done:
            for event in self._parser.close():
                self._read_last(event)
        if self._error is not None:
            return self._error
        if not self.has_ended:
            said = excerpt(self._unread)
            detail = "the event stream ended before the reply did" + (f": {said}" if said else "")
            raise AttemptFailedError(AttemptProblem.DROPPED, detail)
        return _encode(self._completion())

    def _completion(self) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": self._finish_reason, "message": self._message.body()}
        if self._choice_error is not None:
            choice["error"] = self._choice_error
        choices = [choice] if self._has_choice else []
        return {**self._fields, "object": "chat.completion", "choices": choices, "usage": self._usage}

    def _read_last(self, event: ServerSentEvent) -> None:
        """Read an event that the end of the stream may have cut."""
        try:
            self._read_event(event)
        except AttemptFailedError:
            self._unread = event.data

    def _read_event(self, event: ServerSentEvent) -> None:
        if event.data.strip() == DONE:
            self.is_done = True
            return
        value = _decode(event.data)
        if event.type == b"error" or _is_error(value):
            self._error = event.data
            self.is_done = True
        elif isinstance(value, dict):
            self._read_chunk(value)
        elif event.data.lstrip().startswith((b"{", b"[")) and value is None:
            detail = f"an event of the stream is not JSON: {excerpt(event.data)}"
            raise AttemptFailedError(AttemptProblem.MALFORMED, detail)
        else:
            self._unread = event.data

    def _read_chunk(self, value: dict[str, Any]) -> None:
        for name in _KEPT:
            if value.get(name) and name not in self._fields:
                self._fields[name] = value[name]
        choices = value.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index") in (None, 0):
                self._read_choice(choice)
        self._usage = _find_usage(value) or self._usage

    def _read_choice(self, choice: dict[str, Any]) -> None:
        self._has_choice = True
        delta, message = choice.get("delta"), choice.get("message")
        if not delta and isinstance(message, dict) and message:
            self._message = _Message()  # a whole message takes the place of all deltas before it
            delta = message
        if isinstance(delta, dict):
            self._message.add(delta)
            self.has_token = self.has_token or _has_token(delta)
        finish_reason = choice.get("finish_reason")
        if isinstance(finish_reason, str) and finish_reason not in _NO_FINISH:
            self._finish_reason = finish_reason
        self._choice_error = choice.get("error") or self._choice_error


class _Message:
    """The message that the deltas add up to."""

    def __init__(self) -> None:
        self._counter = NodeCounter()
        self._content = TextBuffer()
        self._refusal = TextBuffer()
        self._calls = CallFragments(self._counter)
        self._older_call: CallParts | None = None
        self._extra = MergedFields(self._counter)

    def add(self, delta: dict[str, Any]) -> None:
        for name, value in delta.items():
            if name == "content":
                self._content.add(_read_text(value))
            elif value is None:
                continue
            elif name == "tool_calls":
                self._calls.add(value)
            elif name not in MESSAGE_FIELDS:
                self._extra.merge(name, value)
            elif name == "refusal":
                self._refusal.add(_read_text(value))
            elif name == "function_call" and isinstance(value, dict):
                self._older_call = self._older_call or CallParts(self._counter)
                self._older_call.add(*read_call(value))

    def body(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self._content.text or None, **self._extra.values()}
        if self._refusal.chars:
            message["refusal"] = self._refusal.text
        if calls := self._calls.entries():
            message["tool_calls"] = calls
        elif self._older_call is not None:
            message["function_call"] = self._older_call.function()
        return message


def _read_text(content: Any) -> str:
    return "" if is_too_deep(content) else join_parts(content)


def _has_token(delta: dict[str, Any]) -> bool:
    return any(value for name, value in delta.items() if name != "role")


def _is_error(value: Any) -> bool:
    """Return whether an event is an error, in the forms of providers and gateways."""
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return False
    if value.get("error") or "error" in (value.get("object"), value.get("type")):
        return True
    return "choices" not in value and isinstance(value.get("message") or value.get("detail"), str)


def _find_usage(value: dict[str, Any]) -> Any:
    """Return the usage in an event: Groq and Moonshot have it in places of their own."""
    choices = value.get("choices")
    inner = value.get("x_groq"), choices[0] if isinstance(choices, list) and choices else None
    found = (place.get("usage") for place in (value, *inner) if isinstance(place, dict))
    return next((usage for usage in found if isinstance(usage, dict) and usage), None)


def _decode(data: bytes) -> Any:
    """Return the value of an event's JSON; None if it is none. Halves of characters stay, to be joined later."""
    try:
        return msgspec.json.decode(data)
    except UNREADABLE:
        pass
    try:
        return json.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return msgspec.json.encode(change_texts(body, repair))
