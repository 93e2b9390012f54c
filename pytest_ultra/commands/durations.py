"""`pytest-ultra durations`: writes how long the tasks of a run took, to balance shards by."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_lines, warn

DESCRIPTION = """\
Write the mean seconds of an episode of each task of a run, without waiting for limits, one task per line. Commit the
file, or give it to all jobs as an artifact, and name it in `pytest --ultra-shard I/N --ultra-durations FILE`: then the
shards take about equally long. It must be the same file in all jobs."""
EPILOG = """\
exit codes:
  0  the file was written
  2  the command failed; the message says why"""


def add_durations(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "durations", run_durations, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the file to write")


def run_durations(args: argparse.Namespace) -> int:
    from pytest_ultra.reporting.text import count  # noqa: PLC0415 - not for --help
    from pytest_ultra.storage.durations_file import write_durations  # noqa: PLC0415
    from pytest_ultra.storage.files import check_writable  # noqa: PLC0415
    from pytest_ultra.storage.slim_episodes import SlimEpisodes  # noqa: PLC0415

    run = chosen_run(args)
    check_writable(args.output, "-o")
    stored = SlimEpisodes(run)
    warn("durations", map(str, stored.damaged))
    tasks = write_durations(args.output, stored.episodes, run_id=run.run_id)
    print_lines([f"{args.output}: {count(tasks, 'task')} of run {run.run_id}"])
    return DONE
