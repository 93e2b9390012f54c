"""Run directories for the tests of the code that reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.reuse import Plan, write_plan
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, write_run_end
from tests.results_factory import make_case, make_episode, make_nodeid, obedient_episode

STARTED_AT = 1_700_000_000.0
ENDED = RunEnd(1, STARTED_AT + 60)


def make_run(
    root: Path,
    episodes: Iterable[Episode],
    *,
    planned: Sequence[Case] | None = None,
    at: float = STARTED_AT,
    run_end: RunEnd | None = ENDED,
    described: dict[str, Any] | None = None,
) -> RunDirectory:
    """Make the directory of a run; with `run_end=None`, of a run that was killed."""
    episodes = list(episodes)
    run = RunDirectory.create(root, described or {"pytest_ultra": "0.0.9"}, started_at=at)
    cases = [episode.case for episode in episodes] if planned is None else planned
    by_id = {case.case_id: case for case in cases}
    nodeids = {case_id: make_nodeid(case) for case_id, case in by_id.items()}
    write_plan(run, Plan(is_new_start=False, nodeids=nodeids, cases=by_id))
    write(run, episodes)
    if run_end is not None:
        write_run_end(run, run_end)
    return run


def write(run: RunDirectory, episodes: Iterable[Episode], worker: str = "gw0") -> None:
    journal = Journal(run, worker)
    for episode in episodes:
        journal.append(episode)
    journal.close()


def some_episodes() -> list[Episode]:
    """Make one of each kind: full, failed with a transcript, error without a price, partial and reused."""
    return [
        make_episode(make_case(PromptType.OPTIMAL), cost=0.25),
        obedient_episode(),
        make_episode(
            make_case(PromptType.FLAWED_MISSING_STEP),
            Outcome.ERROR,
            failure_class=FailureClass.ENDPOINT,
            error="no answer\nat all: \x1b[31m",
        ),
        make_episode(
            make_case(PromptType.COT, instance=1, model="demo/perfect"), Outcome.PARTIAL, cost=1.5, reused=True
        ),
    ]
