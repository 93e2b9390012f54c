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
from pytest_ultra.storage.run_status import read_ending
from pytest_ultra.storage.store.store_tables import CASES, EPISODES

Rows = list[dict[str, Any]]
_LARGEST = 2**63 - 1


def run_row(run: RunDirectory, files: str) -> dict[str, Any]:
    plan = read_plan(run)
    started = datetime.fromisoformat(run.describe()["started_at"])
    return {
        "run_id": run.run_id,
        "started_at": started.timestamp(),
        "planned": len(plan.nodeids) if plan else 0,
        "files": files,
        **ending_row(run),
    }


def ending_row(run: RunDirectory) -> dict[str, Any]:
    ending = read_ending(run)
    if ending is None:
        return {"ended_at": None, "exit_status": None, "cut_off": None}
    return {"ended_at": ending.ended_at, "exit_status": ending.exit_status, "cut_off": ending.cut_off}


def episode_rows(run: RunDirectory, episodes: Iterable[Episode]) -> tuple[Rows, Rows]:
    """Return the rows of cases and those of episodes."""
    cases, lives = [], []
    for episode in episodes:
        record = flatten(episode)
        cases.append({name: _fit(record[name]) for name in _CASE})
        lives.append({"run_id": run.run_id} | {name: _fit(record[name]) for name in _EPISODE})
    return cases, lives


_CASE = [column.name for column in CASES.columns]
_EPISODE = [column.name for column in EPISODES.columns if column.name != "run_id"]


def _fit(value: Any) -> Any:
    """Keep an integer beyond SQLite's as text: a seed may be as long as one likes."""
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value


def attempt_rows(run: RunDirectory, episodes: Iterable[Episode]) -> Iterator[dict[str, Any]]:
    for episode in episodes:
        case_id = episode.case_id
        attempts = (event for event in episode.transcript if isinstance(event, Attempted))
        for number, event in enumerate(attempts, start=1):
            record = {name: getattr(event, name) for name in Attempted.__struct_fields__}
            yield {"run_id": run.run_id, "case_id": case_id, "number": number, **record}


def provenance_rows(run: RunDirectory) -> Iterator[dict[str, Any]]:
    """Read it from run.json; a run of old tells less."""
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
