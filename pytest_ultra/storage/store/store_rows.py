"""A run's files as rows of the store's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from pytest_ultra.core.episode import Episode, flatten
from pytest_ultra.core.transcript import Attempted
from pytest_ultra.storage.reuse import read_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_run_end
from pytest_ultra.storage.store.store_tables import CASES, EPISODES

Rows = list[dict[str, Any]]
_MAX_INTEGER = 2**63 - 1


def run_row(run: RunDirectory, files: str) -> dict[str, Any]:
    plan = read_plan(run)
    started = datetime.fromisoformat(run.describe()["started_at"])
    return {
        "run_id": run.run_id,
        "started_at": started.timestamp(),
        "planned": len(plan.nodeids) if plan else 0,
        "files": files,
        **run_end_row(run),
    }


def run_end_row(run: RunDirectory) -> dict[str, Any]:
    end = read_run_end(run)
    if end is None:
        return {"ended_at": None, "exit_status": None, "cut_off": None}
    return {"ended_at": end.ended_at, "exit_status": end.exit_status, "cut_off": end.interruption}


def episode_rows(run: RunDirectory, episodes: Iterable[Episode]) -> tuple[Rows, Rows]:
    """Return the rows of the cases and the rows of the episodes."""
    case_rows, rows = [], []
    for episode in episodes:
        record = flatten(episode)
        case_rows.append({name: _fit(record[name]) for name in _CASE})
        rows.append({"run_id": run.run_id} | {name: _fit(record[name]) for name in _EPISODE})
    return case_rows, rows


_CASE = [column.name for column in CASES.columns]
_EPISODE = [column.name for column in EPISODES.columns if column.name != "run_id"]


def _fit(value: Any) -> Any:
    """Return an integer that is too large for SQLite as text: a seed has no limit."""
    return str(value) if isinstance(value, int) and abs(value) > _MAX_INTEGER else value


def attempt_rows(run: RunDirectory, episodes: Iterable[Episode]) -> Iterator[dict[str, Any]]:
    for episode in episodes:
        case_id = episode.case_id
        attempts = (event for event in episode.transcript if isinstance(event, Attempted))
        for number, event in enumerate(attempts, start=1):
            record = {name: _fit(getattr(event, name)) for name in Attempted.__struct_fields__}
            yield {"run_id": run.run_id, "case_id": case_id, "number": number, **record}


def provenance_rows(run: RunDirectory) -> Iterator[dict[str, Any]]:
    """Yield a row per model from run.json, which has fewer fields in runs of old versions."""
    described = run.describe()
    options, versions = described.get("options", {}), described.get("versions", {})
    git = described.get("git") or {}
    endpoints = {model["name"]: model for model in described.get("models", ())}
    for model in dict.fromkeys([*options.get("model", ()), *endpoints]):
        known = endpoints.get(model, {})
        yield {
            "run_id": run.run_id,
            "model": model,
            "endpoint": ", ".join(known.get("hosts", ())) or None,
            "parameters": _json(known.get("parameters", {})),
            "pytest_ultra": described.get("pytest_ultra"),
            "python": described.get("python"),
            "generator_version": versions.get("generator"),
            "prompt_version": versions.get("prompts"),
            "scorer_version": versions.get("scorer"),
            "git_commit": git.get("commit"),
            "git_is_dirty": git.get("is_dirty"),
            "command": _json(described["command"]) if "command" in described else None,
        }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
