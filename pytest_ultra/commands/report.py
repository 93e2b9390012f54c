"""`pytest-ultra report`: writes the HTML report of a stored run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_dir
from pytest_ultra.commands.command_output import print_lines, warn
from pytest_ultra.controller.report_contents import NAME, stored_contents, with_earlier, write_report
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.html.report_data import ReportContents
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.files import check_writable
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import find_run
from pytest_ultra.storage.slim_episodes import SlimEpisodes

COMPARED_NAME = "comparison.html"
"""The name of a report of two runs, in the directory of the later one."""
MOST_RUNS = 2

DESCRIPTION = """\
Write the HTML report of a stored run, or of two runs A and B side by side, of which B is the later one. The report is
one file that needs no network; the transcripts of a large run go into a folder beside it."""
EPILOG = """\
exit codes:
  0  the report was written
  2  the command failed; the message says why"""


def add_report(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "report", run_report, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help="a run, or two, each an id, a directory or latest (default: the newest run)",
    )
    add_dir(parser)
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, help=f"the file to write (default: {NAME} in the run's directory)"
    )


def run_report(args: argparse.Namespace) -> int:
    if len(args.runs) > MOST_RUNS:
        raise ConfigurationError(f"a report holds one run or two, not {len(args.runs)}")
    runs = [find_run(args.dir, name) for name in args.runs or [None]]
    path = args.output or runs[-1].path / (NAME if len(runs) == 1 else COMPARED_NAME)
    check_writable(path, "--output")
    *earlier, contents = map(_read, runs)
    for other in earlier:
        contents = with_earlier(contents, other)
    write_report(path, contents)
    n = sum(len(each.episodes) for each in (contents, *earlier))
    print_lines([f"{os.path.relpath(path)}: {count(n, 'episode')}"])
    return DONE


def _read(run: RunDirectory) -> ReportContents:
    stored = SlimEpisodes(run)
    warn("report", map(str, stored.damaged))
    if not stored.episodes:
        raise ConfigurationError(f"the run {run.run_id} holds no episodes, so there is nothing to report")
    return stored_contents(run, stored)
