"""`pytest-ultra export`: a run's episodes for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_bytes, warn
from pytest_ultra.commands.export_formats import FORMATS, make_rows
from pytest_ultra.commands.inspect_log import to_inspect_log
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.files import check_writable, write_atomically
from pytest_ultra.storage.results import read_results

DESCRIPTION = """\
Write a run's episodes as a table, a row for each planned case: the run's id, and the fields of the --ultra-json
document. Text in CSV is made safe for spreadsheets: one that begins with = + - or @ gets a ' before it, and control
characters are spelt out. Parquet needs the extra: pip install 'pytest-ultra[parquet]'. The format inspect is an eval
log with all transcripts, which Inspect's log viewer opens (inspect view)."""
EPILOG = """\
exit codes:
  0  it was written
  2  it could not be done; the message says why"""

INSPECT = "inspect"


def add_export(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "export", run_export, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    formats = ", ".join((*FORMATS, INSPECT))
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=(*FORMATS, INSPECT),
        help=f"{formats} (default: by the name of PATH, else jsonl)",
    )
    parser.add_argument("-o", "--output", metavar="PATH", type=Path, help="(default: standard output)")


def run_export(args: argparse.Namespace) -> int:
    path: Path | None = args.output
    named = path.suffix.removeprefix(".") if path else ""
    chosen = args.format or (named if named in FORMATS else "jsonl")
    if path is not None:
        check_writable(path, "--output")
    elif chosen == "parquet" and sys.stdout.isatty():
        raise ConfigurationError("Parquet is not for a terminal; name a file by -o PATH")
    run = chosen_run(args)
    contents = read_results(run)
    warn("export", map(str, contents.torn))
    if chosen == INSPECT:
        content = to_inspect_log(run, contents.episodes)
    else:
        content = FORMATS[chosen](make_rows(run.run_id, contents.episodes))
    if path is None:
        print_bytes(content)
    else:
        write_atomically(path, content)
    return DONE
