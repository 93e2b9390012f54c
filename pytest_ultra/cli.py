"""The `pytest-ultra` command: which version is there, how to start, and what can be done with a run afterwards."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pytest_ultra import __version__
from pytest_ultra.commands.rescore import add_rescore

DESCRIPTION = "Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."
EPILOG = "A run is started by pytest: pytest --ultra-model demo -n 3. All options: pytest --help, group pytest-ultra."


def main(args: Sequence[str] | None = None) -> int:
    parser = _make_parser()
    chosen = parser.parse_args(args)
    if chosen.command is None:
        parser.print_help()
        return 0
    code: int = chosen.command(chosen)
    return code


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pytest-ultra", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"pytest-ultra {__version__}")
    parser.set_defaults(command=None)
    add_rescore(parser.add_subparsers(title="commands", metavar="COMMAND"))
    return parser
