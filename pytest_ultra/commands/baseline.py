"""`pytest-ultra baseline`: a run's outcomes as a small file, to be compared with later."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run

DESCRIPTION = """\
Write the outcomes of a run to a small file, a case a line: to be committed beside the code, and to be named by
`pytest --ultra-compare FILE` and `pytest-ultra compare FILE`."""
EPILOG = """\
exit codes:
  0  the file is written
  2  it could not be done; the message says why"""


def add_baseline(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "baseline", run_baseline, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the file to be written")


def run_baseline(args: argparse.Namespace) -> int:
    from pytest_ultra.reporting.text import count  # noqa: PLC0415 - `--help` needs none of it
    from pytest_ultra.storage.baseline_file import write_baseline  # noqa: PLC0415
    from pytest_ultra.storage.files import check_writable  # noqa: PLC0415
    from pytest_ultra.storage.journal import read_episodes  # noqa: PLC0415

    run = chosen_run(args)
    check_writable(args.output, "-o")
    cases = write_baseline(
        args.output, read_episodes(run).episodes, run_id=run.run_id, started_at=run.describe()["started_at"]
    )
    sys.stdout.write(f"{args.output}: {count(cases, 'case')} of run {run.run_id}\n")
    return DONE
