"""`pytest-ultra export`: writes a run's episodes for other programs: JSON lines, CSV, Parquet, Inspect."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_run, chosen_run
from pytest_ultra.commands.command_output import print_bytes, warn
from pytest_ultra.commands.inspect_log import to_inspect_log
from pytest_ultra.core.episode import Episode, flatten
from pytest_ultra.core.json_types import Row
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.csv_table import render_csv
from pytest_ultra.reporting.episode_fields import kind_of
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.files import check_writable, write_atomically
from pytest_ultra.storage.results import read_results

DESCRIPTION = """\
Write a run's episodes as a table with a row for each planned case: the run's id, and the fields of the --ultra-json
document. Text in CSV is made safe for spreadsheets: text that begins with = + - or @ gets a ' before it, and control
characters are escaped. Parquet needs the extra: pip install 'pytest-ultra[parquet]'. The format inspect is an eval log
with all transcripts for Inspect's log viewer (inspect view)."""
EPILOG = """\
exit codes:
  0  the file was written
  2  the command failed; the message says why"""

INSPECT = "inspect"

_LARGEST = 2**63 - 1


def make_rows(run_id: str, episodes: Iterable[Episode]) -> list[Row]:
    """Return a row for each episode, with the fields of the `--ultra-json` document; raise if there is none."""
    rows = [{"run_id": run_id} | flatten(episode) for episode in episodes]
    if not rows:
        raise ConfigurationError(f"the run {run_id} holds no episodes, so there is nothing to export")
    return rows


def to_jsonl(rows: Sequence[Row]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


def to_csv(rows: Sequence[Row]) -> bytes:
    return render_csv(rows[0], [tuple(row.values()) for row in rows]).encode()


def to_parquet(rows: Sequence[Row]) -> bytes:
    """Return a typed table; raise ConfigurationError if pyarrow is missing."""
    pyarrow = _import_pyarrow()
    types = {"text": pyarrow.string(), "int": pyarrow.int64(), "float": pyarrow.float64(), "bool": pyarrow.bool_()}
    arrays = {}
    for name in rows[0]:
        kind, values = kind_of(name), [row[name] for row in rows]
        is_too_long = kind == "int" and any(value is not None and abs(value) > _LARGEST for value in values)
        arrays[name] = pyarrow.array(
            map(str, values) if is_too_long else values, types["text" if is_too_long else kind]
        )
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(arrays), buffer)
    return buffer.getvalue()


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra, and 100 ms
    except ImportError as error:
        raise ConfigurationError(
            f"Parquet needs pyarrow ({error}); install it with: pip install 'pytest-ultra[parquet]', or export as csv "
            "or jsonl"
        ) from error
    return pyarrow


FORMATS: Mapping[str, Callable[[Sequence[Row]], bytes]] = MappingProxyType(
    {"jsonl": to_jsonl, "csv": to_csv, "parquet": to_parquet}
)


def add_export(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "export", run_export, description=DESCRIPTION, epilog=EPILOG)
    add_run(parser)
    formats = ", ".join((*FORMATS, INSPECT))
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=(*FORMATS, INSPECT),
        help=f"{formats} (default: by the suffix of PATH, else jsonl)",
    )
    parser.add_argument("-o", "--output", metavar="PATH", type=Path, help="(default: standard output)")


def run_export(args: argparse.Namespace) -> int:
    path: Path | None = args.output
    named = path.suffix.removeprefix(".") if path else ""
    chosen = args.format or (named if named in FORMATS else "jsonl")
    if path is not None:
        check_writable(path, "--output")
    elif chosen == "parquet" and sys.stdout.isatty():
        raise ConfigurationError("Parquet cannot be shown in a terminal; name a file with -o PATH")
    run = chosen_run(args)
    contents = read_results(run)
    warn("export", map(str, contents.damaged))
    if chosen == INSPECT:
        content = to_inspect_log(run, contents.episodes)
    else:
        content = FORMATS[chosen](make_rows(run.run_id, contents.episodes))
    if path is None:
        print_bytes(content)
    else:
        write_atomically(path, content)
    return DONE
