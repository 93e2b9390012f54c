"""One cassette: the conversation recorded for one case, turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.cassettes.recorded_requests import (
    Lines,
    Said,
    describe_case,
    describe_tools,
    in_words,
    join,
    messages_said,
    request_key,
    split,
)
from pytest_ultra.storage.codec import encode

CASSETTE_VERSION = 1


class Spoken(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reply as a file holds it."""

    text: Lines = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls(
            split(reply.text), reply.tool_calls, reply.finish_reason, reply.prompt_tokens, reply.completion_tokens
        )

    @property
    def reply(self) -> Reply:
        return Reply(join(self.text), self.tool_calls, self.prompt_tokens, self.completion_tokens, self.finish_reason)


class Turn(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A request and its answer.

    `messages` and `tools` hold what is new since the turn before: with `is_whole`, all messages anew. `reply` is
    None when the request was cut off after `model_time_s`. `rejected` are the parameters that the endpoint rejected
    first, with what it said.
    """

    turn: int
    key: str
    tools: dict[str, str] | None = None
    is_whole: bool = False
    messages: tuple[Said, ...]
    reply: Spoken | None = None
    rejected: dict[str, str] = {}
    model_time_s: float


class Cassette(msgspec.Struct, frozen=True):
    """What one case's model was asked and answered; `case` is for people."""

    schema_version: int
    case: dict[str, Any]
    turns: tuple[Turn, ...]

    @classmethod
    def blank(cls, case: Case) -> Self:
        return cls(CASSETTE_VERSION, describe_case(case), ())

    def find(self, request: ChatRequest) -> Turn | None:
        key = request_key(request)
        return next((turn for turn in self.turns if turn.key == key), None)

    def time_before(self, turn: int) -> float:
        """Return the seconds that the model took in all turns before."""
        return sum(earlier.model_time_s for earlier in self.turns if earlier.turn < turn)

    def add(
        self,
        request: ChatRequest,
        reply: Reply | None,
        model_time_s: float,
        redact: Callable[[str], str] = str,
        rejected: Mapping[str, str] | None = None,
    ) -> Self:
        """Record a turn. What was recorded from that turn on can no longer follow, and goes."""
        before = msgspec.structs.replace(self, turns=tuple(turn for turn in self.turns if turn.turn < request.turn))
        known, said = before.said(), tuple(_redacted(said, redact) for said in messages_said(request))
        is_whole = said[: len(known)] != known
        tools = describe_tools(request)
        turn = Turn(
            turn=request.turn,
            key=request_key(request),
            tools=None if tools == before.tools() else tools,
            is_whole=is_whole,
            messages=said if is_whole else said[len(known) :],
            reply=None if reply is None else Spoken.of(reply),
            rejected={name: redact(said) for name, said in (rejected or {}).items()},
            model_time_s=round(model_time_s, 3),
        )
        return msgspec.structs.replace(before, case=describe_case(request.case), turns=(*before.turns, turn))

    def until(self, turn: int) -> Self:
        """Return the cassette as it was when this turn had been asked."""
        return msgspec.structs.replace(self, turns=tuple(each for each in self.turns if each.turn <= turn))

    def said(self) -> tuple[Said, ...]:
        said: tuple[Said, ...] = ()
        for turn in self.turns:
            said = turn.messages if turn.is_whole else said + turn.messages
        return said

    def tools(self) -> dict[str, str]:
        offered = [turn.tools for turn in self.turns if turn.tools is not None]
        return offered[-1] if offered else {}

    def in_words(self) -> list[str]:
        """Write out the request of the last turn by lines, to be compared."""
        return in_words(self.case, self.tools(), self.said())


def _redacted(said: Said, redact: Callable[[str], str]) -> Said:
    return Said(said.role, split(redact(join(said.content))))


def encode_cassette(cassette: Cassette) -> bytes:
    """Encode for people and for small differences: indented, a line of text a line."""
    return msgspec.json.format(encode(cassette), indent=1) + b"\n"


def decode_cassette(content: bytes, path: Path) -> Cassette:
    """Read a cassette; raise ConfigurationError, which names `path`, when it is none or of a newer schema."""
    try:
        version = _VERSION.decode(content).schema_version
        if version <= CASSETTE_VERSION:
            return _CASSETTE.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the cassette {str(path)!r} cannot be read ({error}); restore it, or delete it and record it again"
        ) from None
    raise ConfigurationError(
        f"the cassette {str(path)!r} was written by a newer pytest-ultra (schema {version}, this one reads up to "
        f"{CASSETTE_VERSION}); upgrade pytest-ultra, or name another folder with --ultra-cassette-dir"
    )


class _Version(msgspec.Struct):
    schema_version: int


_VERSION = msgspec.json.Decoder(_Version)
_CASSETTE = msgspec.json.Decoder(Cassette)
