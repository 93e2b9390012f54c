"""`pytest-ultra rescore`: the scores that a run's transcripts get from the scorer of today."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_ultra import __version__
from pytest_ultra.benchmark.case import SCORER_VERSION
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.text import count
from pytest_ultra.rescoring import Rescored, rescore
from pytest_ultra.storage.archive import find_run
from pytest_ultra.storage.document import write_document
from pytest_ultra.storage.files import check_writable
from pytest_ultra.storage.runs import RunDirectory

DESCRIPTION = """\
Score the stored transcripts of a run again, with the scorer of this pytest-ultra, and say which scores have changed.
The run's own files stay as they are."""
EPILOG = """\
exit codes:
  0  every score is what it was
  1  some scores have changed
  2  it could not be done; the message says why"""
SAME, CHANGED, FAILED = 0, 1, 2


def add_rescore(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "rescore",
        help="score the stored transcripts of a run again",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", nargs="?", help="a run's directory, or its id (default: the newest run)")
    parser.add_argument("--json", metavar="PATH", type=Path, help="write one JSON document with the rescored episodes")
    parser.add_argument(
        "--dir", metavar="PATH", type=Path, default=Path(".ultra"), help="folder in which runs are kept"
    )
    parser.set_defaults(command=run_rescore)


def run_rescore(args: argparse.Namespace) -> int:
    try:
        run, rescored = _rescore(args)
    except ConfigurationError as error:
        sys.stderr.write(f"pytest-ultra rescore: error: {error}\n")
        return FAILED
    for torn in rescored.torn:
        sys.stderr.write(f"pytest-ultra rescore: {torn}\n")
    sys.stdout.write("".join(f"{line}\n" for line in tell(run, rescored)))
    return CHANGED if rescored.changed else SAME


def _rescore(args: argparse.Namespace) -> tuple[RunDirectory, Rescored]:

    if args.json is not None:
        check_writable(args.json, "--json")
    run = find_run(args.dir, args.run)
    rescored = rescore(run)
    if args.json is not None:
        _write(args.json, run, rescored)
    return run, rescored


def _write(path: Path, run: RunDirectory, rescored: Rescored) -> None:

    by = {"pytest_ultra": __version__, "scorer": SCORER_VERSION}
    write_document(path, run.describe() | {"rescored_by": by}, rescored.after)


def tell(run: RunDirectory, rescored: Rescored) -> Iterator[str]:
    """Say what came of it, in lines."""
    yield f"run {run.run_id}: {count(len(rescored.after), 'episode')}, {count(rescored.changed, 'score')} changed"
    for (old, new), n in rescored.transitions.items():
        yield f"  {old} -> {new}: {n:,}{' (in other figures)' if old is new else ''}"
    if kept := rescored.without_transcript:
        yield f"  {count(kept, 'episode')} without a transcript kept the old score, and its version"
