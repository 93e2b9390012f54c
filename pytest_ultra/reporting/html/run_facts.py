"""Facts about the run itself that a report shows."""

from __future__ import annotations

from datetime import datetime

import msgspec


class RunFacts(msgspec.Struct, frozen=True):
    """The provenance of the figures; None or empty if unknown.

    `options` are the options of the run that differ from their defaults, by flag. `interruption` is what interrupted
    the run.
    """

    run_id: str
    started: datetime | None = None
    duration_s: float | None = None
    command: str | None = None
    made_by: str | None = None
    python: str | None = None
    project: str | None = None
    seed: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    exit_status: int | None = None
    interruption: str | None = None
