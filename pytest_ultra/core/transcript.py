"""The typed events of an episode, in order."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Self

import msgspec

from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.json_types import Amount, Count, Json

Extra = dict[str, Json] | msgspec.UnsetType
"""Fields of an answer that we do not know, by name, as the endpoint sent them. Files leave them out if unset."""


def change_texts(value: Json, change: Callable[[str], str]) -> Json:
    """Return a JSON value with all its texts changed, names of fields included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): change_texts(inner, change) for name, inner in value.items()}
    return [change_texts(inner, change) for inner in value] if isinstance(value, list) else value


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call as the model made it: `arguments` is the text it sent, JSON or not."""

    id: str
    name: str
    arguments: str
    extra: Extra = msgspec.UNSET

    def with_texts(self, change: Callable[[str], str]) -> Self:
        changed = type(self)(change(self.id), change(self.name), change(self.arguments), self.extra)
        if not self.extra:
            return changed
        return msgspec.structs.replace(changed, extra=change_texts(self.extra, change))


class Fault(msgspec.Struct, frozen=True):
    """A random fault of a tool, and what it did.

    `effect` is, by kind: for `permanent` the target that is down, empty if it is the whole tool; for `lost_reply`
    `happened` or `not_happened`; for `implicit` the name of the mutator, to which `seed` belongs.
    """

    kind: FaultKind
    effect: str = ""
    seed: int = 0


Place = tuple[str, Json]
"""A place in the state of a user's world, as `orders.o7`, and the value that stands there.

An item of a list stands at a place of its own kind, as `outbox[]`, once for each time that it is in the list.
"""


class StateChange(msgspec.Struct, frozen=True):
    """What a call changed in the state of a user's world: a changed value is removed and added."""

    removed: tuple[Place, ...] = ()
    added: tuple[Place, ...] = ()


HAPPENED, NOT_HAPPENED = "happened", "not_happened"
"""Whether a call whose reply was lost took effect."""


class ToolResult(msgspec.Struct, frozen=True):
    """A tool's answer to the agent. `code` None means success; `is_random` marks an error that it did not earn.

    `fault` is the random fault that the call met, if any; with an implicit one, the result looks like a success.
    Older transcripts have no `fault`, and transient ones alone. `change` is what the call changed in a world of the
    user's own; unset if nothing.
    """

    handle: str | None = None
    value: Json = None
    code: str | None = None
    message: str = ""
    is_random: bool = False
    fault: Fault | None = None
    change: StateChange | msgspec.UnsetType = msgspec.UNSET

    @property
    def fault_kind(self) -> FaultKind | None:
        """The kind of the random fault; None for a call without one."""
        if self.fault is not None:
            return self.fault.kind
        return FaultKind.TRANSIENT if self.is_random else None

    @property
    def is_success(self) -> bool:
        return self.code is None

    @property
    def has_taken_effect(self) -> bool:
        """Whether the call did what it was to do, whether the agent knows or not."""
        return self.is_success or (self.fault_kind is FaultKind.LOST_REPLY and self.fault_effect == HAPPENED)

    @property
    def fault_effect(self) -> str:
        return "" if self.fault is None else self.fault.effect


class Reply(msgspec.Struct, frozen=True):
    """One answer of the model, and what it consumed.

    `cached_tokens` (read from the provider's cache) and `cache_written_tokens` are part of `prompt_tokens`,
    `reasoning_tokens` are part of `completion_tokens`. `is_estimated` marks counts that the endpoint did not send.
    `model` and `fingerprint` say what answered, in the endpoint's words; they are empty if it does not say.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    finish_reason: str = "stop"
    extra: Extra = msgspec.UNSET
    cached_tokens: Count = 0
    cache_written_tokens: Count = 0
    reasoning_tokens: Count = 0
    is_estimated: bool = False
    model: str = ""
    fingerprint: str = ""

    def with_texts(self, change: Callable[[str], str]) -> Self:
        """Return the reply with all its texts changed, for example to redact secrets."""
        calls = tuple(call.with_texts(change) for call in self.tool_calls)
        changed = msgspec.structs.replace(
            self,
            text=change(self.text),
            tool_calls=calls,
            finish_reason=change(self.finish_reason),
            model=change(self.model),
            fingerprint=change(self.fingerprint),
        )
        if not self.extra:
            return changed
        return msgspec.structs.replace(changed, extra=change_texts(self.extra, change))


TOKEN_COUNTS = ("prompt_tokens", "completion_tokens", "cached_tokens", "cache_written_tokens", "reasoning_tokens")
"""The fields with counts of tokens, of a reply and of an episode's usage."""


class Forgiven(StrEnum):
    """A deviation that the reader accepted in a reply's tool calls, most of them in the text protocol."""

    UNCLOSED_TAG = "unclosed_tag"
    OTHER_TAG = "other_tag"  # the mark of another model family, such as <function=name> or [TOOL_CALLS]
    CODE_FENCE = "code_fence"
    BARE_JSON = "bare_json"  # neither tag nor fence
    TRAILING_TEXT = "trailing_text"  # beside the call, inside its tag
    SEVERAL_IN_ONE = "several_in_one"  # one tag around several calls
    OTHER_KEY = "other_key"  # `parameters` or the like in place of `arguments`
    MISSING_ARGUMENTS = "missing_arguments"
    WRAPPED = "wrapped"  # name and arguments under `function`, as in the native protocol
    ARGUMENTS_AS_TEXT = "arguments_as_text"
    ARGUMENTS_AS_TAGS = "arguments_as_tags"
    NATIVE_CALL = "native_call"
    TRAILING_COMMA = "trailing_comma"
    SINGLE_QUOTES = "single_quotes"
    UNQUOTED_KEY = "unquoted_key"
    PYTHON_LITERAL = "python_literal"
    MISSING_BRACKET = "missing_bracket"
    RAW_CONTROL_CHARACTER = "raw_control_character"  # such as a line break inside a string


class EndReason(StrEnum):
    """Why an episode ended: the first nine are up to the model or agent, the next four to the infrastructure."""

    STOPPED = "stopped"  # the model stopped calling tools
    MAX_TURNS = "max_turns"
    AGENT_TIMEOUT = "agent_timeout"
    GAVE_UP = "gave_up"  # the same call, answered by the same earned error, in three turns running
    MALFORMED_GENERATION = "malformed_generation"  # an empty reply, or a tool call that its server could not parse
    CONTEXT_OVERFLOW = "context_overflow"  # the conversation outgrew the model's context window
    TRUNCATED = "truncated"  # the reply was cut at a limit on its length
    REFUSED = "refused"  # by the model, or by its provider's content filter
    AGENT_ERROR = "agent_error"  # the user's own agent raised an exception
    ENDPOINT = "endpoint"
    RATE_LIMIT = "rate_limit"
    AGENT_SETUP = "agent_setup"  # the agent's program did not start, or never listed the tools
    HARNESS = "harness"
    SKIPPED = "skipped"  # not run: the budget was spent, or the run stopped

    @property
    def is_infrastructure(self) -> bool:
        return self in _OF_INFRASTRUCTURE

    @property
    def is_models(self) -> bool:
        """Whether the end is up to the model, so that the episode is scored."""
        return not self.is_infrastructure and self is not EndReason.SKIPPED


_OF_INFRASTRUCTURE = (EndReason.ENDPOINT, EndReason.RATE_LIMIT, EndReason.AGENT_SETUP, EndReason.HARNESS)


class Attempted(msgspec.Struct, frozen=True, tag="attempt"):
    """One HTTP attempt. `problem` is None if it brought the reply; `wait_s` is the back-off after it.

    `first_token_s` is the time from sending to the first token of a reply that was streamed.
    """

    turn: Count
    duration_s: Amount
    problem: str | None = None
    status: Count | None = None
    detail: str = ""
    wait_s: Amount = 0.0
    first_token_s: Amount | None = None


class Replied(msgspec.Struct, frozen=True, tag="reply"):
    """The model's reply of a turn, as it was sent; turns count from 1.

    `forgiven` lists the deviations that were accepted in its calls. `calls_in_text` counts the calls that a reply to
    native tools holds in its text, where they are not run. `own_names` is its text in the suite's own
    names, if the model was shown others.
    """

    turn: Count
    reply: Reply
    forgiven: tuple[Forgiven, ...] = ()
    own_names: str | None = None
    calls_in_text: Count = 0

    @property
    def text(self) -> str:
        return self.reply.text if self.own_names is None else self.own_names


class Answered(msgspec.Struct, frozen=True, tag="tool"):
    """A tool's answer to one call. `arguments` is None if the call's text was no JSON object."""

    turn: Count
    call: ToolCall
    arguments: dict[str, Any] | None
    result: ToolResult


class Discovered(msgspec.Struct, frozen=True, tag="discovery"):
    """The answer to a call by which the model searches for tools; not a tool call, but it takes a turn."""

    turn: Count
    call: ToolCall
    arguments: dict[str, Any] | None
    result: ToolResult


class FellBack(msgspec.Struct, frozen=True, tag="fallback"):
    """The endpoint rejects native tools (`detail` says how), so the episode starts again in the text protocol."""

    turn: Count
    detail: str


class GoalCheck(msgspec.Struct, frozen=True):
    """What a user's own check of the goal said: the share of the goal that is reached, in [0, 1], and in words."""

    share: Amount
    message: str = ""


class Ended(msgspec.Struct, frozen=True, tag="end"):
    """The last event. `check` is what the check of a task of the user's own said, if it has one."""

    reason: EndReason
    detail: str = ""
    check: GoalCheck | msgspec.UnsetType = msgspec.UNSET


Event = Attempted | Replied | Answered | Discovered | FellBack | Ended
