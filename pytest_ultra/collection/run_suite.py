"""The suite of all runs: the built-in benchmark, so far. Nothing above this module names a suite."""

from __future__ import annotations

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.core.suite import Suite

SUITE: Suite = BENCHMARK
