"""`pytest-ultra runs`: lists the runs, newest first."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.commands.arguments import DONE, Commands, add_command, add_dir, add_json
from pytest_ultra.commands.command_output import print_json, print_lines, warn, width
from pytest_ultra.reporting.budget_lines import dollars
from pytest_ultra.reporting.text import excerpt
from pytest_ultra.reporting.text_table import draw
from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.store.queries import StoredRun, list_stored_runs
from pytest_ultra.storage.store.store_sync import open_synced

DESCRIPTION = """\
List the runs, newest first: start, models, how many of the planned cases are scored, the share of those with outcome
full, the cost in US dollars if the prices are known, and the state."""
EPILOG = """\
exit codes:
  0  the runs were listed, or there are none
  2  the command failed; the message says why"""
_HEADS = ("run", "started", "models", "scored", "success", "cost", "state")
_MODELS_ROOM = 40


def add_runs(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "runs", run_runs, description=DESCRIPTION, epilog=EPILOG)
    add_dir(parser)
    add_json(parser)


def run_runs(args: argparse.Namespace) -> int:
    runs = _list(args.dir)
    if args.json:
        print_json([_record(run, state) for run, state in runs])
    elif runs:
        print_lines(_table(runs))
    else:
        print_lines([f"{str(args.dir / 'runs')!r} holds no run; start one: pytest --ultra-model demo"])
    return DONE


def _list(root: Path) -> list[tuple[StoredRun, State]]:
    if not list_runs(root):
        return []
    database, problems = open_synced(root)
    warn("runs", problems)
    with closing(database):
        return [(run, _state(root, run)) for run in list_stored_runs(database)]


def _state(root: Path, run: StoredRun) -> State:
    """Look at the run itself only if the store does not know how it ended."""
    if run.ended_at is None:
        return find_state(RunDirectory(root / "runs" / run.run_id))
    return State.FINISHED if run.interruption is None else State.INTERRUPTED


def _record(run: StoredRun, state: State) -> dict[str, Any]:
    return {"state": state, "success": _success(run), **msgspec.to_builtins(run)}


def _success(run: StoredRun) -> float | None:
    return run.full / run.scored if run.scored else None


def _table(runs: Iterable[tuple[StoredRun, State]]) -> list[str]:
    """Draw the table; a narrow terminal omits the start, which the id contains."""
    rows = [_cells(run, state) for run, state in runs]
    lines = draw(_HEADS, rows, left=3, gap=2)
    if max(map(len, lines)) <= width():
        return lines
    heads, *narrow = [(first, *others) for first, _, *others in (_HEADS, *rows)]
    return draw(heads, narrow, left=2, gap=1)


def _cells(run: StoredRun, state: State) -> tuple[str, ...]:
    success = _success(run)
    return (
        run.run_id,
        f"{datetime.fromtimestamp(run.started_at).astimezone():%Y-%m-%d %H:%M}",
        excerpt(", ".join(run.models), _MODELS_ROOM) or "-",
        f"{run.scored:,}/{run.planned:,}",
        "-" if success is None else f"{100 * success:.1f}%",
        dollars(run.cost) if run.cost else "-",
        state.label,
    )
