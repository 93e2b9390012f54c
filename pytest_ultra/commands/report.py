"""`pytest-ultra report`: writes the HTML report of a stored run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_lines
from pytest_ultra.controller.report_contents import NAME, stored_contents, write_report
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.files import check_writable

DESCRIPTION = """\
Write the HTML report of a stored run. The report is one file that needs no network; the transcripts of a large run go
into a folder beside it."""
EPILOG = """\
exit codes:
  0  the report was written
  2  the command failed; the message says why"""


def add_report(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "report", run_report, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, help=f"the file to write (default: {NAME} in the run's directory)"
    )


def run_report(args: argparse.Namespace) -> int:
    run = chosen_run(args)
    path = args.output or run.path / NAME
    check_writable(path, "--output")
    contents = stored_contents(run)
    if not contents.episodes:
        raise ConfigurationError(f"the run {run.run_id} holds no episodes, so there is nothing to report")
    write_report(path, contents)
    print_lines([f"{os.path.relpath(path)}: {count(len(contents.episodes), 'episode')}"])
    return DONE
