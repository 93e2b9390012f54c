"""The `usage` of an answer, in the spellings of the providers and of the layers between."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.token_usage import TokenUsage, reconcile
from pytest_ultra.providers.wire_fields import ABSENT, is_filled, read_fields, read_tokens


class _Counts(msgspec.Struct, frozen=True):
    """The fields of `usage`.

    `prompt_tokens_details` and `completion_tokens_details` are OpenAI's (https://pypi.org/project/openai/3.57.0/),
    `prompt_cache_hit_tokens` is DeepSeek's (https://api-docs.deepseek.com/guides/kv_cache), `cached_tokens` Moonshot's,
    `reasoning_tokens` SGLang's, and the others are Anthropic's, which gateways pass on
    (https://pypi.org/project/litellm/1.110.2/).
    """

    prompt_tokens: msgspec.Raw = ABSENT
    completion_tokens: msgspec.Raw = ABSENT
    total_tokens: msgspec.Raw = ABSENT
    prompt_tokens_details: msgspec.Raw = ABSENT
    completion_tokens_details: msgspec.Raw = ABSENT
    prompt_cache_hit_tokens: msgspec.Raw = ABSENT
    cached_tokens: msgspec.Raw = ABSENT
    reasoning_tokens: msgspec.Raw = ABSENT
    cache_read_input_tokens: msgspec.Raw = ABSENT
    cache_creation_input_tokens: msgspec.Raw = ABSENT
    input_tokens: msgspec.Raw = ABSENT
    output_tokens: msgspec.Raw = ABSENT


class _Details(msgspec.Struct, frozen=True):
    """Parts of a count. `cache_write_tokens` is OpenAI's and OpenRouter's, `cache_creation_tokens` litellm's."""

    cached_tokens: msgspec.Raw = ABSENT
    cache_write_tokens: msgspec.Raw = ABSENT
    cache_creation_tokens: msgspec.Raw = ABSENT
    reasoning_tokens: msgspec.Raw = ABSENT


_NO_DETAILS = _Details()


def read_usage(usage: msgspec.Raw) -> TokenUsage:
    """Return the tokens by kind; 0 for each that is missing or cannot be a number of tokens."""
    counts = read_fields(usage, _Counts)
    if counts is None:
        return TokenUsage()
    prompt, completion = _details(counts.prompt_tokens_details), _details(counts.completion_tokens_details)
    found = TokenUsage(
        prompt=_first(counts.prompt_tokens) or _anthropic_prompt(counts),
        completion=_first(counts.completion_tokens, counts.output_tokens),
        cached=_first(
            prompt.cached_tokens, counts.prompt_cache_hit_tokens, counts.cached_tokens, counts.cache_read_input_tokens
        ),
        cache_written=_first(
            prompt.cache_write_tokens, prompt.cache_creation_tokens, counts.cache_creation_input_tokens
        ),
        reasoning=_first(completion.reasoning_tokens, counts.reasoning_tokens),
    )
    return reconcile(found, _first(counts.total_tokens))


def _anthropic_prompt(counts: _Counts) -> int:
    """Return the prompt's tokens: `input_tokens` leaves out those that the cache read or wrote."""
    return sum(map(_first, (counts.input_tokens, counts.cache_read_input_tokens, counts.cache_creation_input_tokens)))


def _details(field: msgspec.Raw) -> _Details:
    """Return the parts of a count; most endpoints send none, or null."""
    return (is_filled(field) and read_fields(field, _Details)) or _NO_DETAILS


def _first(*fields: msgspec.Raw) -> int:
    """Return the first of the counts that is not missing and not 0."""
    for field in fields:
        if field is not ABSENT and (tokens := read_tokens(field)):
            return tokens
    return 0
