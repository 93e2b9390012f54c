"""The estimated duration of a run: each endpoint has its own limits, shared by all models that it serves."""

from __future__ import annotations

import pytest

from pytest_ultra.controller.duration_estimate import Load, estimate_duration
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.options.option_hooks import read_settings
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.served_endpoints import Served

A, B = Served(key_env="A"), Served(key_env="B")


def settings(pytester: pytest.Pytester, tables: dict[str, tuple[Served, ...]], *args: str) -> Settings:
    entries = [
        f'"{model}" = {{endpoints = [{", ".join(f"{{key_env = {one.key_env!r}}}" for one in served)}]}}'
        for model, served in tables.items()
    ]
    pytester.makepyprojecttoml("\n".join(["[tool.pytest_ultra.models]", *entries]))
    read = read_settings(pytester.parseconfig("--ultra-model=one,other", *args))
    assert read is not None
    return read


def load(requests: float, cases: int = 100, longest: float = 5.0) -> Load:
    return Load(Estimate(requests, 0.0, requests * 1000, 0.0), longest, cases)


@pytest.mark.parametrize(
    ("tables", "minutes", "pace"),
    [
        ({}, 30, "bounded by 10 requests a minute"),
        ({"other": (A, B)}, 20, "bounded by 10 requests a minute"),
        ({"one": (A, B), "other": (A, B)}, 15, "bounded by 10 requests a minute at each of 2 endpoints"),
        ({"one": (A,), "other": (B,)}, 20, "bounded by 10 requests a minute"),
    ],
    ids=["one endpoint for both", "a pool and another", "a pool for both", "one each"],
)
def test_each_endpoint_has_its_own_limits(
    pytester: pytest.Pytester, tables: dict[str, tuple[Served, ...]], minutes: float, pace: str
) -> None:
    loads = {"one": load(200), "other": load(100)}
    assert estimate_duration(loads, settings(pytester, tables, "--ultra-rpm=10"), 2) == (60 * minutes, pace)


@pytest.mark.parametrize(
    ("args", "seconds", "pace"),
    [
        ((), 10, "the longest episode's if an answer takes 2 s"),
        (("--ultra-tpm=60000",), 200, "bounded by 60000 tokens a minute"),
        (("--ultra-max-in-flight=5",), 80, "if an answer takes 2 s and 5 are in flight"),
        (("--ultra-concurrency=10",), 40, "if an answer takes 2 s and 10 are in flight"),
    ],
)
def test_the_slowest_bound_is_reported(
    pytester: pytest.Pytester, args: tuple[str, ...], seconds: float, pace: str
) -> None:
    assert estimate_duration({"one": load(200)}, settings(pytester, {}, *args), 0) == (seconds, pace)


def test_a_run_with_nothing_left_needs_no_time(pytester: pytest.Pytester) -> None:
    assert estimate_duration({}, settings(pytester, {}), 1) == (0.0, "no episode is run")
