"""The store's schema as a list of migrations; `PRAGMA user_version` counts those that were applied to a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

_RESULTS = """
CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    started_at REAL NOT NULL,
    ended_at REAL,
    exit_status INTEGER,
    cut_off TEXT,
    planned INTEGER NOT NULL,
    files TEXT NOT NULL
);
CREATE TABLE cases (
    case_id TEXT NOT NULL PRIMARY KEY,
    model TEXT NOT NULL,
    prompt_type TEXT NOT NULL,
    flaw_kind TEXT,
    severity TEXT,
    task_type TEXT NOT NULL,
    difficulty TEXT NOT NULL,
    tool_success_rate REAL NOT NULL,
    instance INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    seed NOT NULL,
    max_turns INTEGER NOT NULL,
    timeout_s REAL,
    temperature REAL,
    prompt_variant TEXT NOT NULL,
    tool_protocol TEXT NOT NULL,
    has_tool_discovery INTEGER NOT NULL,
    flaws INTEGER NOT NULL,
    generator_version INTEGER NOT NULL,
    prompt_version INTEGER NOT NULL,
    scorer_version INTEGER NOT NULL
);
CREATE TABLE episodes (
    run_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    nodeid TEXT NOT NULL,
    outcome TEXT NOT NULL,
    failure_class TEXT,
    milestone_coverage REAL NOT NULL,
    tool_calls INTEGER NOT NULL,
    reference_calls INTEGER NOT NULL,
    efficiency REAL,
    random_faults INTEGER NOT NULL,
    recovered_faults INTEGER NOT NULL,
    tool_precision REAL,
    tool_recall REAL,
    argument_validity REAL,
    dependency_violations INTEGER NOT NULL,
    obedience REAL,
    first_divergence INTEGER,
    turns INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    model_time_s REAL NOT NULL,
    tool_time_s REAL NOT NULL,
    waiting_time_s REAL NOT NULL,
    cost REAL,
    worker TEXT NOT NULL,
    started_at REAL NOT NULL,
    duration_s REAL NOT NULL,
    error TEXT,
    reused INTEGER NOT NULL,
    PRIMARY KEY (run_id, case_id)
);
CREATE TABLE attempts (
    run_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    duration_s REAL NOT NULL,
    problem TEXT,
    status INTEGER,
    detail TEXT NOT NULL,
    wait_s REAL NOT NULL,
    PRIMARY KEY (run_id, case_id, number)
);
CREATE VIEW results AS SELECT * FROM episodes JOIN cases USING (case_id);
"""

_PROVENANCE = """
CREATE TABLE provenance (
    run_id TEXT NOT NULL,
    model TEXT NOT NULL,
    endpoint TEXT,
    parameters TEXT NOT NULL,
    pytest_ultra TEXT,
    python TEXT,
    generator_version INTEGER,
    prompt_version INTEGER,
    scorer_version INTEGER,
    git_commit TEXT,
    git_is_dirty INTEGER,
    command TEXT,
    PRIMARY KEY (run_id, model)
);
UPDATE runs SET files = '';
"""  # the last line makes the next sync read every run again, which fills the new table

_STANDSTILL = "ALTER TABLE episodes ADD COLUMN standstill_s REAL NOT NULL DEFAULT 0"

_REQUEST = "ALTER TABLE cases ADD COLUMN request_parameters TEXT NOT NULL DEFAULT ''"

_TOKEN_KINDS = ";".join(
    f"ALTER TABLE episodes ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0"
    for name in ("cached_tokens", "cache_written_tokens", "reasoning_tokens", "estimated_requests")
)

_STREAMS = """
ALTER TABLE episodes ADD COLUMN first_token_s REAL;
ALTER TABLE attempts ADD COLUMN first_token_s REAL;
"""

_FAULT_KINDS = ";".join(
    [
        "ALTER TABLE cases ADD COLUMN fault_kind TEXT NOT NULL DEFAULT 'transient'",
        *(
            f"ALTER TABLE episodes ADD COLUMN {part}{kind}_faults INTEGER NOT NULL DEFAULT 0"
            for kind in ("permanent", "lost_reply", "implicit")
            for part in ("", "recovered_")
        ),
        "ALTER TABLE episodes ADD COLUMN unrecovered_fault TEXT",
    ]
)


_SCORER_2 = ";".join(
    f"ALTER TABLE episodes ADD COLUMN {column}"
    for column in (
        "cause TEXT",
        "harms INTEGER",
        "harm_kinds TEXT NOT NULL DEFAULT ''",
        "route_calls INTEGER",
        "claimed_done INTEGER",
        "damaged_steps INTEGER NOT NULL DEFAULT 0",
        "obeyed_steps INTEGER NOT NULL DEFAULT 0",
        "sound_steps INTEGER NOT NULL DEFAULT 0",
        "distrusted_steps INTEGER NOT NULL DEFAULT 0",
        "look_ups INTEGER",
    )
)

_VISIBILITY = """
ALTER TABLE cases ADD COLUMN flaw_visibility TEXT;
ALTER TABLE episodes ADD COLUMN proved_visibility TEXT;
"""

_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "cache_written_tokens", "reasoning_tokens")


def _add_agents(earlier: Sequence[str]) -> str:
    """Return the migration for own agents, whose tokens can be null: SQLite drops a NOT NULL only by a new table."""
    script = "".join(f"{migration};" for migration in earlier)
    created = re.search(r"CREATE TABLE episodes \((.*?),\s+PRIMARY KEY", script, re.DOTALL)
    first = created[1].split(",") if created else []
    columns = [
        " ".join(text.split()) for text in first + re.findall(r"ALTER TABLE episodes ADD COLUMN ([^;]+)", script)
    ]
    names = [column.partition(" ")[0] for column in columns]
    typed = [f"{name} INTEGER" if name in _TOKENS else column for name, column in zip(names, columns, strict=True)]
    return f"""
DROP VIEW results;
ALTER TABLE episodes RENAME TO old_episodes;
CREATE TABLE episodes ({", ".join(typed)}, PRIMARY KEY (run_id, case_id));
INSERT INTO episodes ({", ".join(names)}) SELECT {", ".join(names)} FROM old_episodes;
DROP TABLE old_episodes;
ALTER TABLE cases ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN agent_model TEXT NOT NULL DEFAULT '';
CREATE VIEW results AS SELECT * FROM episodes JOIN cases USING (case_id);
"""  # noqa: S608 - all names are our own


_WITH_TOKENS = (
    _RESULTS,
    _PROVENANCE,
    _STANDSTILL,
    _REQUEST,
    _TOKEN_KINDS,
    _STREAMS,
    _FAULT_KINDS,
    _SCORER_2,
    _VISIBILITY,
)
_SUITES = """
ALTER TABLE cases ADD COLUMN suite TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN suite_version TEXT NOT NULL DEFAULT '';
"""

MIGRATIONS: tuple[str, ...] = (*_WITH_TOKENS, _add_agents(_WITH_TOKENS), _SUITES)
SCHEMA_VERSION = len(MIGRATIONS)


def read_version(connection: Connection) -> int:
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    return version


def migrate(connection: Connection) -> None:
    """Apply the missing migrations, all or none: this runs in the connection's transaction."""
    for number, script in enumerate(MIGRATIONS[read_version(connection) :], start=read_version(connection) + 1):
        for statement in filter(str.strip, script.split(";")):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")


def drop_all(connection: Connection) -> None:
    """Drop all tables and views, in the connection's transaction."""
    found = connection.exec_driver_sql("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").all()
    for kind, name in sorted(found, reverse=True):  # views before tables
        connection.exec_driver_sql(f'DROP {kind} IF EXISTS "{name}"')
    connection.exec_driver_sql("PRAGMA user_version = 0")
