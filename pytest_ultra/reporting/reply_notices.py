"""Notices about what is odd in the replies of a run's own episodes, a line per model and oddity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.token_usage import CHARS_PER_TOKEN
from pytest_ultra.core.transcript import Replied
from pytest_ultra.reporting.text import count, neutralise

_MOST_NAMED = 3


def reply_notices(episodes: Iterable[Episode]) -> Iterator[str]:
    """Yield notices on estimated tokens, tool calls that were left in the text, and models that changed."""
    by_model: dict[str, list[Episode]] = {}
    for episode in episodes:
        if not episode.reused:
            by_model.setdefault(episode.case.model, []).append(episode)
    for model, own in by_model.items():
        replies = [event for episode in own for event in episode.transcript if isinstance(event, Replied)]
        name = f"model {neutralise(model)}"
        yield from _estimates(name, own, len(replies))
        yield from _calls_in_text(name, replies)
        yield from _changes(name, replies)


def _estimates(name: str, episodes: Sequence[Episode], replies: int) -> Iterator[str]:
    estimated = sum(episode.usage.estimated_requests for episode in episodes)
    if estimated:
        yield (
            f"{name}: {estimated:,} of {_replies(max(replies, estimated))} came without token counts; "
            f"their tokens and cost, marked ~, are estimated at {CHARS_PER_TOKEN} characters per token"
        )


def _calls_in_text(name: str, replies: Sequence[Replied]) -> Iterator[str]:
    held = [event.calls_in_text for event in replies if event.calls_in_text]
    if held:
        yield (
            f"{name}: {_replies(len(held))} held {count(sum(held), 'tool call')} as text, which the "
            "native tool protocol does not run; use --ultra-tool-protocol text if the endpoint cannot parse its calls"
        )


def _changes(name: str, replies: Sequence[Replied]) -> Iterator[str]:
    """Name the models and fingerprints that answered for one model's name, if there were several."""
    models = list(dict.fromkeys(event.reply.model for event in replies if event.reply.model))
    fingerprints = list(dict.fromkeys(event.reply.fingerprint for event in replies if event.reply.fingerprint))
    named = [
        f"{len(names)} {what} answered ({_listed(names)})"
        for what, names in (("models", models), ("fingerprints", fingerprints))
        if len(names) > 1
    ]
    if named:
        yield f"{name}: {', '.join(named)} within this run, so that its figures may mix different models"


def _replies(n: int) -> str:
    return f"{n:,} {'reply' if n == 1 else 'replies'}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(neutralise, names[:_MOST_NAMED]))
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown
