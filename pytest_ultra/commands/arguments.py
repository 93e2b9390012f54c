"""Shared by the commands: their parsers, and the arguments that name a run or ask for JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ultra.commands.command_table import COMMANDS
from pytest_ultra.commands.help_format import HelpFormatter

if TYPE_CHECKING:  # `--help` needs no run
    from pytest_ultra.storage.run_directory import RunDirectory

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse gives its type no public name
DONE, FOUND, FAILED = 0, 1, 2
"""Exit codes: success; the command found what it looks for, such as a regression; the command failed."""


def add_command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    description: str,
    epilog: str,
) -> argparse.ArgumentParser:
    """Make the parser of a command.

    `run` returns the exit code. An UltraError or OSError that it raises is printed, with exit code 2. The epilog lists
    the exit codes.
    """
    parser = commands.add_parser(
        name,
        help=COMMANDS[name],
        description=description,
        epilog=epilog,
        formatter_class=HelpFormatter,
    )
    parser.set_defaults(command=run, name=name)
    return parser


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add RUN (the newest run by default) and --dir; `chosen_run` reads them."""
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help="a run's id or directory, or latest (default: the newest run)"
    )
    add_dir(parser)


def add_dir(parser: argparse.ArgumentParser) -> None:
    """Add --dir; without it, `main` looks the folder up in the project's ini file."""
    parser.add_argument(
        "--dir",
        metavar="PATH",
        type=Path,
        help="folder of the runs (default: ultra_dir of the ini file, else .ultra)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def chosen_run(args: argparse.Namespace) -> RunDirectory:
    """Return the named run, or the newest; raise ConfigurationError if there is none."""
    from pytest_ultra.storage.run_lookup import find_run  # noqa: PLC0415 - `--help` needs no run

    return find_run(args.dir, args.run)
