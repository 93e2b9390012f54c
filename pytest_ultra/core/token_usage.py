"""The tokens of an answer by kind: reconciled where endpoints count differently, estimated where they do not count."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply

CHARS_PER_TOKEN = 4
"""Characters of English text or JSON per token, about: OpenAI's rule of thumb.

DeepSeek's is 0.3 tokens per character (https://api-docs.deepseek.com/quick_start/token_usage).
"""
_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")  # a reply has the same thoughts under one or more
AnyReply = TypeVar("AnyReply", bound=Reply)


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens of an answer. `cached` and `cache_written` are part of `prompt`, `reasoning` is part of `completion`."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0


def reconcile(counts: TokenUsage, total: int = 0) -> TokenUsage:
    """Return counts in which each kind contains its parts, from those that an endpoint reports beside each other.

    xAI leaves reasoning out of the completion but not out of the total (litellm 1.110.2), and so does Gemini's
    compatible layer. Anthropic counts the prompt without what its cache read and wrote (anthropic 2.14.0). A part that
    is larger than its whole shows such a count; `total` (0 if unknown) shows it too.
    """
    prompt, completion = counts.prompt, counts.completion
    in_cache = counts.cached + counts.cache_written
    if in_cache > prompt:
        prompt += in_cache
    if not prompt:
        prompt = max(0, total - completion)
    completion = max(completion, total - prompt)
    if counts.reasoning > completion:
        completion += counts.reasoning
    return msgspec.structs.replace(counts, prompt=prompt, completion=completion)


def estimate_missing(reply: AnyReply, request: int | ChatRequest) -> AnyReply:
    """Estimate the counts that the endpoint did not send, and mark the reply; return others as they are.

    `request` is its number of characters, or the request itself where its body is not known.
    """
    wrote = 0 if reply.completion_tokens else written_chars(reply)
    if reply.prompt_tokens and not wrote:
        return reply
    return msgspec.structs.replace(
        reply,
        prompt_tokens=reply.prompt_tokens or max(1, _chars(request) // CHARS_PER_TOKEN),
        completion_tokens=max(1, wrote // CHARS_PER_TOKEN) if wrote else reply.completion_tokens,
        is_estimated=True,
    )


def _chars(request: int | ChatRequest) -> int:
    """Return the characters of a request, about those of its messages and tools."""
    if isinstance(request, int):
        return request
    return len(msgspec.json.encode(request.messages)) + len(msgspec.json.encode(request.tools))


def written_chars(reply: Reply) -> int:
    """Return the characters that a model wrote in a reply: text, calls, and thoughts."""
    calls = sum(len(call.name) + len(call.arguments) for call in reply.tool_calls)
    fields = reply.extra or {}
    thoughts = (value for name in _REASONING_FIELDS if isinstance(value := fields.get(name), str))
    return len(reply.text) + calls + max(map(len, thoughts), default=0)
