"""How a generation ended: what a reply's finish reason says, in the spellings of all providers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pytest_ultra.core.transcript import EndReason, Reply

ERROR_FINISHES = frozenset({"error", "network_error"})
"""The endpoint failed in mid-reply. https://github.com/gethouston/houston/pull/1211"""

_ENDS: Mapping[str, EndReason] = MappingProxyType(
    {
        # https://pypi.org/project/openai/3.57.0/
        "length": EndReason.TRUNCATED,
        "content_filter": EndReason.REFUSED,
        # https://pypi.org/project/anthropic/2.14.0/
        "max_tokens": EndReason.TRUNCATED,
        "model_context_window_exceeded": EndReason.CONTEXT_OVERFLOW,
        "refusal": EndReason.REFUSED,
        # https://pypi.org/project/mistralai/3.7.0/
        "model_length": EndReason.CONTEXT_OVERFLOW,
        # https://pypi.org/project/google-genai/3.6.1/
        "malformed_function_call": EndReason.MALFORMED_GENERATION,
        "unexpected_tool_call": EndReason.MALFORMED_GENERATION,
        "too_many_tool_calls": EndReason.MALFORMED_GENERATION,
        "malformed_response": EndReason.MALFORMED_GENERATION,
        "safety": EndReason.REFUSED,
        "prohibited_content": EndReason.REFUSED,
        "blocklist": EndReason.REFUSED,
        "spii": EndReason.REFUSED,
        "recitation": EndReason.REFUSED,
        "language": EndReason.REFUSED,
        "model_armor": EndReason.REFUSED,
    }
)
REFUSAL = "refusal"
"""The finish reason of a reply whose only words are a refusal, in a field of its own; Anthropic's word."""
_CALLS = frozenset({"tool_calls", "function_call", "tool_use"})


def normalize_finish(finish_reason: str) -> str:
    """Return a finish reason in lower case, with what a layer between put around it removed.

    Gemini's compatible layer writes `function_call_filter: MALFORMED_FUNCTION_CALL`:
    https://github.com/NousResearch/hermes-agent/pull/83882
    """
    name = re.sub(r"[^a-z_]+", " ", finish_reason.lower().rpartition(":")[2].rpartition(".")[2]).strip()
    return name.removeprefix("finish_reason_")


def find_abnormal_end(reply: Reply) -> EndReason | None:
    """Return the end that a reply's finish reason names; None if the model ended the reply as it wanted."""
    return _ENDS.get(normalize_finish(reply.finish_reason))


def is_models_end(finish_reason: str) -> bool:
    """Return whether a normalized finish reason says that the model failed."""
    return finish_reason in _ENDS


def judge_last_reply(reply: Reply, *, is_first: bool) -> EndReason:
    """Return why a reply without a tool call ends an episode.

    Models may end a job in silence. An empty reply is a failure of its own where it announces a call, or is the first.
    """
    if (end := find_abnormal_end(reply)) is not None:
        return end
    is_malformed = not reply.text.strip() and (is_first or _announces_call(reply))
    return EndReason.MALFORMED_GENERATION if is_malformed else EndReason.STOPPED


def describe_end(reply: Reply, reason: EndReason) -> str:
    """Say what ended a reply; empty if the model did, with words."""
    if reason is EndReason.STOPPED and reply.text.strip():
        return ""
    finish = f"finish reason {reply.finish_reason!r}"
    if reason is EndReason.TRUNCATED:
        is_counted = reply.completion_tokens and not reply.is_estimated
        tokens = f" after {reply.completion_tokens:,} tokens" if is_counted else ""
        return f"The reply was cut{tokens} by a limit on its length ({finish})."
    if find_abnormal_end(reply) is not None:
        return f"The endpoint ended the reply with {finish}."
    what = "announced a tool call that it does not contain" if _announces_call(reply) else "was empty"
    return f"The reply {what} ({finish})."


def _announces_call(reply: Reply) -> bool:
    return normalize_finish(reply.finish_reason) in _CALLS
