"""`pytest-ultra rescore`: the scores that a run's transcripts get from the scorer of today."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pytest_ultra import __version__
from pytest_ultra.commands.arguments import DONE, FOUND, Commands, add_command, add_json, add_run, chosen_run
from pytest_ultra.commands.command_output import print_bytes, print_lines, warn
from pytest_ultra.commands.rescored_run import Rescored, rescore
from pytest_ultra.core.case import SCORER_VERSION
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.files import check_writable
from pytest_ultra.storage.json_document import encode_document, write_document
from pytest_ultra.storage.run_directory import RunDirectory

DESCRIPTION = """\
Score the stored transcripts of a run again, with the scorer of this pytest-ultra, and say which scores have changed.
The run's own files stay as they are."""
EPILOG = """\
exit codes:
  0  every score is what it was
  1  some scores have changed
  2  it could not be done; the message says why"""


def add_rescore(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "rescore", run_rescore, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    add_json(parser)
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, help="write one JSON document with the rescored episodes"
    )


def run_rescore(args: argparse.Namespace) -> int:
    if args.output is not None:
        check_writable(args.output, "--output")
    run = chosen_run(args)
    rescored = rescore(run)
    by = {"pytest_ultra": __version__, "scorer": SCORER_VERSION}
    description = run.describe() | {"rescored_by": by}
    if args.output is not None:
        write_document(args.output, description, rescored.after)
    warn("rescore", map(str, rescored.torn))
    if args.json:
        print_bytes(encode_document(description, rescored.after))
    else:
        print_lines(tell(run, rescored))
    return FOUND if rescored.changed else DONE


def tell(run: RunDirectory, rescored: Rescored) -> Iterator[str]:
    """Say what came of it, in lines."""
    yield f"run {run.run_id}: {count(len(rescored.after), 'episode')}, {count(rescored.changed, 'score')} changed"
    for (old, new), n in rescored.transitions.items():
        yield f"  {old} -> {new}: {n:,}{' (in other figures)' if old is new else ''}"
    if kept := rescored.without_transcript:
        yield f"  {count(kept, 'episode')} without a transcript kept the old score, and its version"
