"""The `pytest-ultra` command line: the version, and the commands for runs that are on disk."""

from __future__ import annotations

import argparse
import gc
import io
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from pytest_ultra import __version__
from pytest_ultra.commands.arguments import FAILED
from pytest_ultra.commands.command_output import warn
from pytest_ultra.commands.command_table import COMMANDS
from pytest_ultra.commands.runs_folder import DEFAULT, find_runs_folder
from pytest_ultra.errors import UltraError, describe_error
from pytest_ultra.reporting.text import neutralise

DESCRIPTION = "Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."
EPILOG = "A run is started by pytest: pytest --ultra-model demo -n 3. All options: pytest --help, group pytest-ultra."


def main(args: Sequence[str] | None = None) -> int:
    args = sys.argv[1:] if args is None else args
    parser = make_parser(args)
    chosen = parser.parse_args(args)
    if chosen.command is None:
        parser.print_help()
        return 0
    with _without_garbage_collection():
        return _run(chosen)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Switch garbage collection off: episodes hold no cycles, and scanning them would take a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _run(chosen: argparse.Namespace) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not have all characters that a model writes
    try:
        if getattr(chosen, "dir", DEFAULT) is None:
            chosen.dir = find_runs_folder()
        code: int = chosen.command(chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python prints an error at its exit
        return FAILED
    except (UltraError, OSError) as error:
        warn(chosen.name, [f"error: {describe_error(error)}"])
        return FAILED
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        warn(chosen.name, [f"error: {_describe_unexpected(error)}"])
        return FAILED
    return code


def _describe_unexpected(error: Exception) -> str:
    """Describe an error that no reader of the run's files has found: the files may fit together in no way."""
    where = [frame for frame in traceback.extract_tb(error.__traceback__) if "pytest_ultra" in frame.filename]
    place = f", {Path(where[-1].filename).name} line {where[-1].lineno}" if where else ""
    return (
        f"the stored files hold something that pytest-ultra cannot use ({type(error).__name__}: {error}{place}); leave "
        "their run out, or report a bug if pytest-ultra wrote them (python -X dev -m pytest_ultra shows the traceback)"
    )


class _Parser(argparse.ArgumentParser):
    """Prints arguments, which may be names of files from elsewhere, without commands to terminals and CI services."""

    def error(self, message: str) -> NoReturn:
        super().error(neutralise(message))


def make_parser(args: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of all commands.

    Only the commands that are among the arguments are imported; the others need a name and a line of help.
    """
    parser = _Parser(prog="pytest-ultra", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"pytest-ultra {__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        if name in args:
            module = import_module(f"pytest_ultra.commands.{name}")
            getattr(module, f"add_{name}")(commands)
        else:
            commands.add_parser(name, help=purpose)
    return parser
