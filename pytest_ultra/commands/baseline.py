"""`pytest-ultra baseline`: writes a run's outcomes to a small file for later comparisons."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_lines, warn

DESCRIPTION = """\
Write the outcomes of a run to a small file, one case per line. Commit it beside the code, and name it in
`pytest --ultra-compare FILE` and `pytest-ultra compare FILE`."""
EPILOG = """\
exit codes:
  0  the file was written
  2  the command failed; the message says why"""


def add_baseline(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "baseline", run_baseline, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the file to write")


def run_baseline(args: argparse.Namespace) -> int:
    from pytest_ultra.reporting.text import count  # noqa: PLC0415 - not for --help
    from pytest_ultra.storage.baseline_file import write_baseline  # noqa: PLC0415
    from pytest_ultra.storage.files import check_writable  # noqa: PLC0415
    from pytest_ultra.storage.journal import read_episodes  # noqa: PLC0415

    run = chosen_run(args)
    check_writable(args.output, "-o")
    contents = read_episodes(run)
    warn("baseline", map(str, contents.damaged))
    cases = write_baseline(args.output, contents.episodes, run_id=run.run_id, started_at=run.describe()["started_at"])
    print_lines([f"{args.output}: {count(cases, 'case')} of run {run.run_id}"])
    return DONE
