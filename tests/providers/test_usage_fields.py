"""The usage of an answer, in the spellings of the providers."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.bounds import MAX_TOKENS
from pytest_ultra.core.token_usage import TokenUsage, reconcile
from pytest_ultra.providers.usage_fields import read_usage

_DETAILS = {"prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 15}}


def read(usage: Any) -> TokenUsage:
    return read_usage(msgspec.Raw(json.dumps(usage).encode()))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        pytest.param({**_DETAILS}, TokenUsage(100, 20, 60, 0, 15), id="openai"),
        pytest.param(
            {"prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 30}},
            TokenUsage(100, 20, 10, 30),
            id="openrouter",
        ),
        pytest.param(
            {"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}, TokenUsage(100, 20, 60), id="deepseek"
        ),
        pytest.param({"cached_tokens": 60, "prompt_tokens_details": None}, TokenUsage(100, 20, 60), id="moonshot"),
        pytest.param({"reasoning_tokens": 15}, TokenUsage(100, 20, reasoning=15), id="sglang"),
        pytest.param(
            {"cache_read_input_tokens": 50, "cache_creation_input_tokens": 10},
            TokenUsage(100, 20, 50, 10),
            id="litellm: the prompt contains them",
        ),
        pytest.param(
            {"total_tokens": 3120, "completion_tokens_details": {"reasoning_tokens": 3000}},
            TokenUsage(100, 3020, reasoning=3000),
            id="xai: reasoning beside the completion",
        ),
        pytest.param({"total_tokens": 500}, TokenUsage(100, 400), id="google: thoughts in the total only"),
        pytest.param({"total_tokens": 3}, TokenUsage(100, 20), id="a total that is too small"),
        pytest.param(
            {"completion_tokens_details": {"reasoning_tokens": 300}},
            TokenUsage(100, 320, reasoning=300),
            id="no total, more reasoning than completion",
        ),
        pytest.param(
            {"cache_read_input_tokens": 900}, TokenUsage(1000, 20, 900), id="the prompt without what was in the cache"
        ),
        pytest.param({"prompt_tokens_details": [1], "cached_tokens": -3}, TokenUsage(100, 20), id="nonsense"),
    ],
)
def test_each_spelling_is_read(usage: dict[str, Any], expected: TokenUsage) -> None:
    assert read({"prompt_tokens": 100, "completion_tokens": 20} | usage) == expected


def test_anthropics_own_counts_leave_the_cache_out_of_the_input() -> None:
    usage = {
        "input_tokens": 40,
        "output_tokens": 20,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": 10,
    }
    assert read(usage) == TokenUsage(80, 20, 30, 10)


@pytest.mark.parametrize("usage", [None, [], "10", 3, {}, {"prompt_tokens": "many", "total_tokens": 1e300}])
def test_no_usage_reads_as_zeros(usage: Any) -> None:
    assert read(usage) == TokenUsage()


_counts = st.integers(0, MAX_TOKENS)


@given(st.builds(TokenUsage, _counts, _counts, _counts, _counts, _counts), _counts)
def test_each_kind_contains_its_parts_and_is_never_less_than_was_reported(counts: TokenUsage, total: int) -> None:
    whole = reconcile(counts, total)

    assert whole.prompt >= max(counts.prompt, whole.cached + whole.cache_written)
    assert whole.completion >= max(counts.completion, whole.reasoning)
    assert whole.prompt + whole.completion >= total
    assert reconcile(whole, whole.prompt + whole.completion) == whole
