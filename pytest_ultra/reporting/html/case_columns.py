"""The table of cases as columns of JSON values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.episode import Episode
from pytest_ultra.reporting.html.html_text import safe_text

_MAX_LENGTH = 300  # characters of a name or a message


def _protocol(episode: Episode) -> str:
    case = episode.case
    protocol = "" if case.tool_protocol is ToolProtocol.NATIVE else str(case.tool_protocol)
    return f"{protocol} with tool discovery".strip() if case.has_tool_discovery else protocol


_COLUMNS: Mapping[str, Callable[[Episode], Any]] = {
    "id": lambda e: e.case_id,
    "nodeid": lambda e: safe_text(e.nodeid, 1000),
    "model": lambda e: safe_text(e.case.model, _MAX_LENGTH),
    "prompt_type": lambda e: e.case.prompt_type,
    "severity": lambda e: e.case.severity,
    "visibility": lambda e: e.proved_visibility,
    "task_type": lambda e: e.case.task_type,
    "difficulty": lambda e: e.case.difficulty,
    "tool_success_rate": lambda e: e.case.tool_success_rate,
    "fault_kind": lambda e: safe_text(e.case.fault_kind, _MAX_LENGTH),
    "met": lambda e: "+".join(kind for kind, (_, met) in e.score.recovery_by_kind.items() if met),
    "instance": lambda e: e.case.instance,
    "repeat": lambda e: e.case.repeat,
    "seed": lambda e: e.case.seed,
    "prompt_variant": lambda e: e.case.prompt_variant,
    "protocol": _protocol,
    "versions": lambda e: str(e.versions),
    "outcome": lambda e: e.outcome,
    "failure_class": lambda e: e.score.failure_class,
    "unrecovered": lambda e: safe_text(e.score.unrecovered_fault or "", _MAX_LENGTH),
    "cause": lambda e: e.score.cause,
    "harms": lambda e: e.score.harms,
    "coverage": lambda e: round(e.score.milestone_coverage, 4),
    "obedience": lambda e: None if e.score.obedience is None else round(e.score.obedience, 4),
    "divergence": lambda e: e.score.first_divergence,
    "turns": lambda e: e.score.turns,
    "calls": lambda e: e.score.tool_calls,
    "reference_calls": lambda e: e.score.reference_calls,
    "faults": lambda e: e.score.random_faults,
    "recovered": lambda e: e.score.recovered_faults,
    "tokens": lambda e: e.usage.tokens,
    "cost": lambda e: e.usage.cost,
    "duration": lambda e: round(e.duration_s, 3),
    "waiting": lambda e: round(e.usage.waiting_time_s, 3),
    "started": lambda e: round(e.started_at),
    "worker": lambda e: e.worker,
    "reused": lambda e: e.reused,
    "error": lambda e: safe_text((e.error or "").partition("\n")[0], _MAX_LENGTH),
}


def make_columns(episodes: Sequence[Episode], **others: Sequence[Any]) -> dict[str, Any]:
    """Return the columns by name; `others` are additional columns of the same length."""
    columns = {name: _encode([read(episode) for episode in episodes]) for name, read in _COLUMNS.items()}
    return columns | {name: _encode(list(values)) for name, values in others.items()}


def _encode(values: list[Any]) -> dict[str, Any]:
    """Encode a column as distinct values and codes if that is shorter."""
    codes: dict[Any, int] = {}
    for value in values:
        codes.setdefault(value, len(codes))
    if 2 * len(codes) > len(values):
        return {"values": values}
    return {"values": list(codes), "codes": [codes[value] for value in values]}
