"""`pytest-ultra store`: shows, updates or rebuilds the store of all runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_dir, add_json
from pytest_ultra.commands.command_output import print_json, print_lines, warn
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.text import count
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.store.database import Database, rebuild, store_path
from pytest_ultra.storage.store.migrations import SCHEMA_VERSION
from pytest_ultra.storage.store.queries import count_stored
from pytest_ultra.storage.store.store_sync import SyncResult, sync

DESCRIPTION = """\
The store, results.sqlite in the folder of runs, holds all runs for queries: see docs/store.md. It is updated at the end
of each run, and can be rebuilt from the runs' own files at any time.

  status   update the store, and print what it holds
  sync     read the runs that have changed since they were last read, such as killed ones
  rebuild  rebuild the store from all runs"""
EPILOG = """\
exit codes:
  0  success; runs that cannot be read are named on standard error
  2  the command failed; the message says why"""


def add_store(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "store", run_store, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("action", choices=("status", "sync", "rebuild"), help="what to do with it")
    add_dir(parser)
    add_json(parser)


def run_store(args: argparse.Namespace) -> int:
    if not list_runs(args.dir):
        raise ConfigurationError(
            f"{str(args.dir / 'runs')!r} holds no run, so there is nothing to store; start one: "
            "pytest --ultra-model demo"
        )
    path = store_path(args.dir)
    database = rebuild(path) if args.action == "rebuild" else Database.open(path)
    filled = sync(database, args.dir)
    warn("store", filled.problems)
    if args.json:
        print_json(_record(path, database, filled))
    else:
        print_lines(_tell(path, database, filled))
    return DONE


def _record(path: Path, database: Database, filled: SyncResult) -> dict[str, Any]:
    stored = count_stored(database)
    return {"path": str(path), "schema": SCHEMA_VERSION, "bytes": path.stat().st_size, **stored} | {
        "read": filled.read,
        "removed": filled.removed,
        "problems": filled.problems,
    }


def _tell(path: Path, database: Database, filled: SyncResult) -> list[str]:
    stored = count_stored(database)
    held = ", ".join(count(n, name.removesuffix("s")) for name, n in stored.items())
    return [
        f"{path}: {held}; schema {SCHEMA_VERSION}",
        f"{count(len(filled.read), 'run')} read, {len(filled.removed):,} removed, {len(filled.problems):,} left out",
    ]
