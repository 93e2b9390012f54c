"""The store's tables for its queries; a test checks that they match the schema that the migrations create."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, Text

METADATA = MetaData()


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _integers(*names: str) -> list[Column[int]]:
    return [Column(name, Integer) for name in names]


def _floats(*names: str) -> list[Column[float]]:
    return [Column(name, Float) for name in names]


RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", String, primary_key=True),
    *_floats("started_at", "ended_at"),
    *_integers("exit_status", "planned"),
    *_texts("cut_off", "files"),
)
"""`files` describes the run's files on disk when the run was last read."""

CASES = Table(
    "cases",
    METADATA,
    Column("case_id", String, primary_key=True),
    *_texts("model", "prompt_type", "flaw_kind", "severity", "task_type", "difficulty"),
    *_texts("prompt_variant", "tool_protocol", "request_parameters", "fault_kind", "flaw_visibility"),
    *_texts("agent", "agent_model", "suite", "suite_version"),
    *_floats("tool_success_rate", "timeout_s", "temperature"),
    *_integers("instance", "repeat", "seed", "max_turns", "flaws"),
    *_integers("generator_version", "prompt_version", "scorer_version"),
    Column("has_tool_discovery", Boolean),
)

EPISODES = Table(
    "episodes",
    METADATA,
    Column("run_id", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    *_texts("nodeid", "outcome", "failure_class", "cause", "harm_kinds", "worker", "error", "proved_visibility"),
    *_floats("milestone_coverage", "efficiency", "tool_precision", "tool_recall", "argument_validity", "obedience"),
    *_floats("model_time_s", "tool_time_s", "waiting_time_s", "cost", "started_at", "duration_s"),
    *_floats("standstill_s", "first_token_s"),
    *_integers("tool_calls", "reference_calls", "random_faults", "recovered_faults", "dependency_violations"),
    *_integers("first_divergence", "turns", "requests", "prompt_tokens", "completion_tokens"),
    *_integers("permanent_faults", "recovered_permanent_faults", "lost_reply_faults", "recovered_lost_reply_faults"),
    *_integers("implicit_faults", "recovered_implicit_faults"),
    *_texts("unrecovered_fault"),
    *_integers("cached_tokens", "cache_written_tokens", "reasoning_tokens", "estimated_requests"),
    *_integers("harms", "route_calls", "damaged_steps", "obeyed_steps", "sound_steps", "distrusted_steps", "look_ups"),
    Column("claimed_done", Boolean),
    Column("reused", Boolean),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("run_id", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    *_integers("turn", "status"),
    *_texts("problem", "detail"),
    *_floats("duration_s", "wait_s", "first_token_s"),
)
"""The HTTP attempts of an episode, counted from 1; `problem` is null for those with a reply."""

PROVENANCE = Table(
    "provenance",
    METADATA,
    Column("run_id", String, primary_key=True),
    Column("model", String, primary_key=True),
    *_texts("endpoint", "parameters", "pytest_ultra", "python", "git_commit", "command"),
    *_integers("generator_version", "prompt_version", "scorer_version"),
    Column("git_is_dirty", Boolean),
)
"""How a run was made, a row for each of its models; `parameters` and `command` are JSON."""

RUN_TABLES = (EPISODES, ATTEMPTS, PROVENANCE, RUNS)
"""The tables with rows of single runs."""
