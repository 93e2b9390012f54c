"""`pytest-ultra merge`: merges the runs of several CI jobs into one."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_json
from pytest_ultra.commands.command_output import print_json, print_lines, warn
from pytest_ultra.commands.merged_run import check_parts, find_gap, find_parts, merge
from pytest_ultra.reporting.text import count

DESCRIPTION = """\
Merge the runs of several jobs into one. Each DIR is a run's directory, an .ultra folder, or a downloaded artifact that
contains one. The runs must have the same configuration (versions, seed, limits and everything else that a case depends
on; models, prompt types and the other axes may differ), must not share a case, and must be complete."""
EPILOG = """\
exit codes:
  0  the runs were merged; `pytest-ultra show` shows the new run
  2  the command failed; the message says why"""


def add_merge(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "merge", run_merge, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("dirs", metavar="DIR", nargs="+", type=Path, help="a folder with runs")
    parser.add_argument(
        *("-o", "--output", "--dir"),
        dest="dir",
        metavar="PATH",
        type=Path,
        help="folder of the new run (default: ultra_dir of the ini file, else .ultra)",
    )
    parser.add_argument("--incomplete", action="store_true", help="merge even if planned cases are missing")
    add_json(parser)


def run_merge(args: argparse.Namespace) -> int:
    parts = find_parts(args.dirs)
    check_parts(parts, is_incomplete_allowed=args.incomplete)
    if gap := find_gap(parts):
        text = f"{count(gap, 'case')} of the matrix that the runs name are in none of them: is a DIR missing?"
        warn("merge", [text])
    run = merge(parts, args.dir)
    episodes = sum(len(part.plan.nodeids.keys() & part.episodes.keys()) for part in parts)
    if args.json:
        sources = [part.run.run_id for part in parts]
        print_json(
            {"run_id": run.run_id, "path": str(run.path), "merged_from": sources, "episodes": episodes, "gap": gap}
        )
    else:
        print_lines([f"{count(len(parts), 'run')}, {count(episodes, 'episode')}, merged into {run.path}"])
    return DONE
