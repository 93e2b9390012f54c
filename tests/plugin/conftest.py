"""Running pytest on small projects, in the three ways in which a user may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

WAYS = {"no-xdist": ("-p", "no:xdist"), "n0": ("-n0",), "n2": ("-n2",)}

Run = Callable[..., pytest.RunResult]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How pytest is run: without xdist, with xdist but in one process, on two workers."""
    return WAYS[request.param]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a key for `gpt-4o-mini`, which no test in this folder ever asks."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")


@pytest.fixture
def collect(pytester: pytest.Pytester) -> Callable[..., list[str]]:
    """Collect with `--ultra-model` and the arguments given, and return the node ids."""

    def collect(*args: str, model: str = "gpt-4o-mini") -> list[str]:
        result = pytester.runpytest("-p", "no:xdist", "--ultra-model", model, "--collect-only", "-q", *args)
        return [line for line in result.outlines if "::" in line]

    return collect
