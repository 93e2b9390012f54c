"""A cassette: the recorded conversation of one case, turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Count
from pytest_ultra.core.transcript import Extra, Reply, ToolCall
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.cassettes.recorded_requests import (
    RecordedMessage,
    TextLines,
    describe_case,
    describe_tools,
    join_lines,
    recorded_messages,
    request_key,
    request_lines,
    split_lines,
)
from pytest_ultra.storage.codec import UNREADABLE, Versioned, encode

CASSETTE_VERSION = 2
"""Version 2 keeps unknown fields of answers, and says in words what a rejection changed."""


class RecordedReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reply as it is stored in a file."""

    text: TextLines = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    extra: Extra = msgspec.UNSET
    cached_tokens: Count = 0
    cache_written_tokens: Count = 0
    reasoning_tokens: Count = 0
    is_estimated: bool = False
    model: str = ""
    fingerprint: str = ""

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls(split_lines(reply.text), **{name: getattr(reply, name) for name in _SAME_FIELDS})

    @property
    def reply(self) -> Reply:
        return Reply(join_lines(self.text), **{name: getattr(self, name) for name in _SAME_FIELDS})


_SAME_FIELDS = tuple(name for name in Reply.__struct_fields__ if name != "text")


class Turn(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request and its answer.

    `messages` and `tools` hold the changes since the previous turn; with `is_whole`, `messages` holds all messages.
    `reply` is None if the request was cancelled after `model_time_s`. `rejected` maps the changes
    that the endpoint's rejections led to, as in "without temperature", to its error messages.
    """

    turn: int
    key: str
    tools: dict[str, str] | None = None
    is_whole: bool = False
    messages: tuple[RecordedMessage, ...]
    reply: RecordedReply | None = None
    rejected: dict[str, str] = {}
    model_time_s: float


class Cassette(msgspec.Struct, frozen=True):
    """The requests and answers of one case; `case` is for human readers."""

    schema_version: int
    case: dict[str, Any]
    turns: tuple[Turn, ...]

    @classmethod
    def blank(cls, case: Case) -> Self:
        return cls(CASSETTE_VERSION, describe_case(case), ())

    def find(self, request: ChatRequest) -> Turn | None:
        """Return the turn with the same request; of several, that of the same number, else the first."""
        key = request_key(request)
        same = [turn for turn in self.turns if turn.key == key]
        return next((turn for turn in same if turn.turn == request.turn), same[0] if same else None)

    def time_before(self, turn: int) -> float:
        """Return the seconds that the model took in all earlier turns."""
        return sum(earlier.model_time_s for earlier in self.turns if earlier.turn < turn)

    def add(
        self,
        request: ChatRequest,
        reply: Reply | None,
        model_time_s: float,
        redact: Callable[[str], str] = str,
        *,
        rejected: Mapping[str, str] | None = None,
        keep: Container[int] = (),
    ) -> Self:
        """Return the cassette with this turn recorded, and without the old recordings of this and later turns.

        Of later turns, those in `keep` stay: an agent that asks several times at once may get their answers first.
        """
        later = [self.until(turn.turn) for turn in self.turns if turn.turn > request.turn and turn.turn in keep]
        turn = Turn(
            turn=request.turn,
            key=request_key(request),
            messages=(),
            reply=None if reply is None else RecordedReply.of(reply),
            rejected={name: redact(reason) for name, reason in (rejected or {}).items()},
            model_time_s=round(model_time_s, 3),
        )
        messages = tuple(_redacted(message, redact) for message in recorded_messages(request))
        after = msgspec.structs.replace(self, case=describe_case(request.case)).until(request.turn - 1)
        after = after.append(turn, messages, describe_tools(request))
        for known in later:
            after = after.append(known.turns[-1], known.messages(), known.tools())
        return after

    def append(self, turn: Turn, messages: tuple[RecordedMessage, ...], tools: dict[str, str]) -> Self:
        """Return the cassette with one more turn, whose request had these messages and tools."""
        known = self.messages()
        is_whole = messages[: len(known)] != known
        appended = msgspec.structs.replace(
            turn,
            tools=None if tools == self.tools() else tools,
            is_whole=is_whole,
            messages=messages if is_whole else messages[len(known) :],
        )
        return msgspec.structs.replace(self, turns=(*self.turns, appended))

    def until(self, turn: int) -> Self:
        """Return the cassette up to and including this turn."""
        return msgspec.structs.replace(self, turns=tuple(each for each in self.turns if each.turn <= turn))

    def messages(self) -> tuple[RecordedMessage, ...]:
        messages: list[RecordedMessage] = []
        for turn in self.turns:
            if turn.is_whole:
                messages.clear()
            messages += turn.messages
        return tuple(messages)

    def tools(self) -> dict[str, str]:
        offered = [turn.tools for turn in self.turns if turn.tools is not None]
        return offered[-1] if offered else {}

    def request_lines(self) -> list[str]:
        """Return the request of the last turn as short lines, to compare it with another."""
        return request_lines(self.case, self.tools(), self.messages())


def _redacted(message: RecordedMessage, redact: Callable[[str], str]) -> RecordedMessage:
    return RecordedMessage(message.role, split_lines(redact(join_lines(message.content))))


def encode_cassette(cassette: Cassette) -> bytes:
    """Encode for human readers and small diffs: indented, with one line of text per line."""
    return msgspec.json.format(encode(cassette), indent=1) + b"\n"


def decode_cassette(content: bytes, path: Path) -> Cassette:
    """Decode a cassette; raise ConfigurationError, naming `path`, if it is damaged or has a newer schema version."""
    try:
        version = _VERSION.decode(content).schema_version
        if version <= CASSETTE_VERSION:
            return _CASSETTE.decode(content)
    except UNREADABLE as error:
        raise ConfigurationError(
            f"the cassette {str(path)!r} cannot be read ({error}); restore it, or delete it and record it again"
        ) from None
    raise ConfigurationError(
        f"the cassette {str(path)!r} was written by a newer pytest-ultra (schema {version}, this one reads up to "
        f"{CASSETTE_VERSION}); upgrade pytest-ultra, or name another folder with --ultra-cassette-dir"
    )


_VERSION = msgspec.json.Decoder(Versioned)
_CASSETTE = msgspec.json.Decoder(Cassette)
