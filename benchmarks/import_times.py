"""Measure the cost of importing each dependency, and of checking a tool call's arguments.

usage: python benchmarks/import_times.py [imports|validation]

Imports are timed in fresh processes, in CPU time, which other load on the machine affects less.
`jsonschema` and `scipy` are no dependencies; they are compared if they are installed.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from pytest_ultra.benchmark.tools import TOOLS

MODULES = (
    "pytest",
    "xdist",
    "filelock",
    "msgspec",
    "jsonschema_rs",
    "jsonschema",
    "aiohttp",
    "rich.table",
    "numpy",
    "scipy.special",
    "sqlalchemy",
    "jinja2",
    "matplotlib.figure",
    "pyarrow.parquet",
    "openai",
    "anthropic",
    "google.genai",
    "mcp.server.lowlevel",
    "mcp",
)
TRIES = 9
CALLS = 5_000

ARGUMENTS = {"data": "data_2", "field": "status", "operator": "eq", "value": "paid"}
TOOL = TOOLS["data_processing_filter"]


def time_process(code: str) -> float:
    """Return the least CPU time of a fresh process, in seconds."""
    times = []
    for _ in range(TRIES):
        before = _children_s()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(_children_s() - before)
    return min(times)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report_imports() -> None:
    bare = time_process("pass")
    print(f"{'bare Python':<16}{1000 * bare:5.0f} ms")
    for module in MODULES:
        if importlib.util.find_spec(module.partition(".")[0]):
            print(f"{module:<16}{1000 * (time_process(f'import {module}') - bare):5.0f} ms more")


def report_validation() -> None:
    for name, check in _checks().items():
        started = time.process_time()
        for _ in range(CALLS):
            check(ARGUMENTS)
        print(f"{name:<16}{1e6 * (time.process_time() - started) / CALLS:6.1f} microseconds a call")


def _checks() -> dict[str, Callable[[object], object]]:
    import jsonschema_rs  # noqa: PLC0415 - must not be loaded when imports are timed

    checks: dict[str, Callable[[object], object]] = {
        "jsonschema_rs": jsonschema_rs.Draft202012Validator(TOOL.parameters).validate
    }
    if importlib.util.find_spec("jsonschema"):
        jsonschema = importlib.import_module("jsonschema")
        checks["jsonschema"] = jsonschema.Draft202012Validator(TOOL.parameters).validate
    return checks


if __name__ == "__main__":
    report = {"imports": report_imports, "validation": report_validation}
    for part in sys.argv[1:] or list(report):
        report[part]()
