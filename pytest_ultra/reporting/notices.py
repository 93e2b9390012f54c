"""What a run found out about its endpoints, said once at its end."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ultra.benchmark.episode import Episode
from pytest_ultra.benchmark.transcript import Attempted
from pytest_ultra.errors import AttemptProblem
from pytest_ultra.reporting.text import neutralise


def tell_left_out(episodes: Iterable[Episode]) -> list[str]:
    """Return a line for each model whose endpoint rejected a parameter, with what it said."""
    said: dict[str, str] = {}
    for episode in episodes:
        for event in episode.transcript:
            if isinstance(event, Attempted) and event.problem == AttemptProblem.PARAMETER:
                said.setdefault(episode.case.model, event.detail)
    return [neutralise(f"model {model} was {detail}") for model, detail in said.items()]
