"""Measure the cost of importing each dependency, of the plugin where it is not used, and of checking arguments.

usage: python benchmarks/import_times.py [imports|plugin|validation]

Imports are timed in fresh processes, in CPU time, which other load on the machine affects less. `plugin` compares
`pytest --help`, and pytest with one test that has nothing to do with us, with and without the plugin, in turn.
`jsonschema` and `scipy` are no dependencies; they are compared if they are installed.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

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
    "redis.asyncio",
)
TRIES = 9
PLUGIN_TRIES = 25
MOST_PLUGIN_MS = 15
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


def report_plugin() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text("def test_it(): pass\n")
        for name, options in (("pytest --help", ("--help",)), ("an unused plugin", ("-q",))):
            command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options)
            without_s, with_s = [], []
            for _ in range(PLUGIN_TRIES):
                without_s.append(_time_command(command, folder))
                with_s.append(_time_command((*command, "-p", "pytest_ultra.plugin"), folder))
            more_ms = 1000 * (min(with_s) - min(without_s))
            print(f"{name:<16}{more_ms:5.1f} ms more than {1000 * min(without_s):.0f} ms (limit: {MOST_PLUGIN_MS})")


def _time_command(command: Sequence[str], folder: str) -> float:
    before = _children_s()
    environ = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_DEBUG_TEMPROOT": folder}
    subprocess.run(command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL)
    return _children_s() - before


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
    report = {"imports": report_imports, "plugin": report_plugin, "validation": report_validation}
    for part in sys.argv[1:] or list(report):
        report[part]()
