"""Bounds on what a model may send: nesting, and text that cannot be encoded."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.core.bounds import MAX_DEPTH, MAX_NAME_CHARS, bound_reply, is_too_deep, without_lone_surrogates
from pytest_ultra.core.transcript import Reply


def nest(levels: int) -> Any:
    value: Any = "inside"
    for level in range(levels):
        value = [1, value] if level % 2 else {"a": value, "b": 2}
    return value


@pytest.mark.parametrize(
    ("levels", "expected"), [(0, False), (1, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True), (100_000, True)]
)
def test_nesting_is_bounded_without_recursion(levels: int, *, expected: bool) -> None:
    assert is_too_deep(nest(levels)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 😀", "plain é 😀"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),
        ("\udc00\ud800", "\ufffd\ufffd"),
    ],
)
def test_halves_of_surrogate_pairs_are_replaced_or_joined(text: str, expected: str) -> None:
    assert without_lone_surrogates(text) == expected


def test_names_and_counts_of_a_reply_are_bounded() -> None:
    """What an endpoint says answered is stored with every turn, so that it must stay short."""
    reply = bound_reply(
        Reply("Hi", model="m\ud800" * MAX_NAME_CHARS, fingerprint="f" * 1000, cached_tokens=10**15, reasoning_tokens=7)
    )

    assert (len(reply.model), len(reply.fingerprint)) == (MAX_NAME_CHARS, MAX_NAME_CHARS)
    assert (reply.cached_tokens, reply.reasoning_tokens) == (0, 7)
    assert reply.model.encode()


def test_the_names_of_a_reply_are_redacted() -> None:
    reply = Reply("Hi", model="secret-model", fingerprint="fp-secret")

    redacted = reply.with_texts(lambda text: text.replace("secret", "***"))

    assert (redacted.model, redacted.fingerprint) == ("***-model", "fp-***")
