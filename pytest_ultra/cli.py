"""The `pytest-ultra` command: which version is there, and how to start."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pytest_ultra import __version__

DESCRIPTION = "Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."
EPILOG = "A run is started by pytest: pytest --ultra-model demo -n 3. All options: pytest --help, group pytest-ultra."


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pytest-ultra", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"pytest-ultra {__version__}")
    parser.parse_args(args)
    parser.print_help()
    return 0
