"""Notices about a run's endpoints, printed once at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Attempted, FellBack
from pytest_ultra.errors import AttemptProblem
from pytest_ultra.reporting.text import neutralise

_REJECTIONS = frozenset({401, 403, 404})


def notice_lines(episodes: Iterable[Episode]) -> list[str]:
    """Return a line for each rejected parameter, and for each endpoint that rejected a model that another served."""
    return list(dict.fromkeys(neutralise(text) for episode in episodes for text in _notices(episode)))


def _notices(episode: Episode) -> Iterator[str]:
    model = episode.case.model
    was_answered = episode.outcome.is_scored and not any(isinstance(event, FellBack) for event in episode.transcript)
    for event in episode.transcript:
        if not isinstance(event, Attempted):
            continue
        if event.problem == AttemptProblem.PARAMETER:
            yield f"model {model} was {event.detail}"
        elif event.status in _REJECTIONS and was_answered:
            yield f"model {model} was called at another endpoint, because one returned {event.status}: {event.detail}"
