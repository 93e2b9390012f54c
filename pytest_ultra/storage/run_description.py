"""The fields of run.json that the commands and the reports read, and a check of their types."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from pytest_ultra.core.job_shard import MOST_SHARDS
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import UNREADABLE

MOST_NESTED = 20
"""How deeply the values of run.json may be nested."""


class _Model(msgspec.Struct, frozen=True):
    name: str
    hosts: list[str] = []


class _Commit(msgspec.Struct, frozen=True):
    commit: str
    is_dirty: bool | None = None


class _Versions(msgspec.Struct, frozen=True):
    generator: int | None = None
    prompts: int | None = None
    scorer: int | None = None


class _Options(msgspec.Struct, frozen=True):
    """The options that a merge joins or counts; those of old runs may be missing."""

    model: list[str] = []
    prompt_type: list[str] = []
    task_type: list[str] = []
    difficulty: list[str] = []
    severity: list[str] = []
    prompt_variant: list[str] = []
    tool_success_rate: list[float] = []
    instances: int = 1
    repeats: int = 1
    request: dict[str, dict[str, Any]] = {}
    header: dict[str, dict[str, str]] = {}


class ShardRecord(msgspec.Struct, frozen=True):
    """Which shard of a run this is, of how many; its cases, and those of all shards.

    `matrix` is a hash of all cases, `durations` one of the durations by which they were divided. `selection` is what
    else narrowed the cases.
    """

    number: Annotated[int, msgspec.Meta(ge=1, le=MOST_SHARDS)]
    of: Annotated[int, msgspec.Meta(ge=1, le=MOST_SHARDS)]
    cases: int
    all_cases: int
    matrix: str
    durations: str | None = None
    selection: list[str] = []


class _Description(msgspec.Struct, frozen=True):
    started_at: str
    pytest_ultra: str = ""
    python: str = ""
    versions: _Versions | None = None
    options: _Options = _Options()
    models: list[_Model] = []
    git: _Commit | None = None
    command: list[str] = []
    shard: ShardRecord | None = None


def check_description(description: dict[str, Any], path: Path) -> None:
    """Raise ConfigurationError unless the fields of a run.json have the types that a run writes."""
    try:
        _check_nesting(description, MOST_NESTED)
        datetime.fromisoformat(msgspec.convert(description, _Description).started_at).astimezone(UTC).timestamp()
    except (*UNREADABLE, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{str(path)!r} is damaged ({error}); leave its run out, or restore the file"
        ) from error


def _check_nesting(value: Any, left: int) -> None:
    """Raise ValueError if the value is nested too deeply."""
    if not left:
        raise ValueError(f"its values are nested more than {MOST_NESTED} deep")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_nesting(inner, left - 1)
