"""What a report says of the run itself."""

from __future__ import annotations

from datetime import datetime

import msgspec


class RunFacts(msgspec.Struct, frozen=True):
    """Where figures come from; None and empty where nobody knows.

    `options` are the settings of the run that are not at their default, by flag. `cut_off` tells what cut it off.
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
    cut_off: str | None = None
