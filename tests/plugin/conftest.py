"""Fixtures that run pytest on small projects, in the three ways that users do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

WAYS = {"no-xdist": ("-p", "no:xdist"), "n0": ("-n0",), "n2": ("-n2",)}

Run = Callable[..., pytest.RunResult]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Arguments of pytest: without xdist, with xdist in one process, or with two workers."""
    return WAYS[request.param]


@pytest.fixture(params=["no-xdist", "n2"])
def way_on_off(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Arguments for the two ways that differ most, for tests where the third would only cost time."""
    return WAYS[request.param]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a key for `gpt-4o-mini`; no test in this folder sends it a request."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")


@pytest.fixture
def collect(pytester: pytest.Pytester) -> Callable[..., list[str]]:
    """Return a function that collects with `--ultra-model` and given arguments, and returns the node ids."""

    def collect(*args: str, model: str = "gpt-4o-mini") -> list[str]:
        result = pytester.runpytest("-p", "no:xdist", "--ultra-model", model, "--collect-only", "-q", *args)
        return [line for line in result.outlines if "::" in line]

    return collect
