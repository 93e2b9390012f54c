"""What a run found out about its endpoints, said once at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Attempted, FellBack
from pytest_ultra.errors import AttemptProblem
from pytest_ultra.reporting.text import neutralise

_TURNED_AWAY = frozenset({401, 403, 404})


def tell_findings(episodes: Iterable[Episode]) -> list[str]:
    """Return a line for each parameter that was left out, and each of several endpoints that turned a model away."""
    return list(dict.fromkeys(neutralise(text) for episode in episodes for text in _find(episode)))


def _find(episode: Episode) -> Iterator[str]:
    model = episode.case.model
    has_moved = episode.outcome.is_scored and not any(isinstance(event, FellBack) for event in episode.transcript)
    for event in episode.transcript:
        if not isinstance(event, Attempted):
            continue
        if event.problem == AttemptProblem.PARAMETER:
            yield f"model {model} was {event.detail}"
        elif event.status in _TURNED_AWAY and has_moved:
            yield f"model {model} was asked elsewhere, since an endpoint says {event.status}: {event.detail}"
