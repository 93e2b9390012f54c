"""Notices about what is odd in the replies of a run's own episodes, a line per model and oddity."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.token_usage import CHARS_PER_TOKEN
from pytest_ultra.core.transcript import Replied
from pytest_ultra.reporting.text import count, neutralise

_MOST_NAMED = 3


class ReplyNotices:
    """Notices on estimated tokens, tool calls that were left in the text, and models that changed."""

    def __init__(self) -> None:
        self._by_model: dict[str, _Replies] = {}

    def add(self, episode: Episode) -> None:
        if not episode.reused:
            self._by_model.setdefault(episode.case.model, _Replies()).add(episode)

    def lines(self) -> Iterator[str]:
        for model, replies in self._by_model.items():
            yield from replies.lines(f"model {neutralise(model)}")


class _Replies:
    """The replies of one model."""

    def __init__(self) -> None:
        self._number = 0
        self._estimated = 0
        self._with_calls = 0  # replies that held calls as text
        self._calls = 0
        self._models: dict[str, None] = {}  # in the order in which they answered
        self._fingerprints: dict[str, None] = {}

    def add(self, episode: Episode) -> None:
        self._estimated += episode.usage.estimated_requests
        for event in episode.transcript:
            if isinstance(event, Replied):
                self._add_reply(event)

    def _add_reply(self, event: Replied) -> None:
        self._number += 1
        self._with_calls += bool(event.calls_in_text)
        self._calls += event.calls_in_text
        if event.reply.model:
            self._models[event.reply.model] = None
        if event.reply.fingerprint:
            self._fingerprints[event.reply.fingerprint] = None

    def lines(self, name: str) -> Iterator[str]:
        if self._estimated:
            yield (
                f"{name}: {self._estimated:,} of {_replies(max(self._number, self._estimated))} came without token "
                f"counts; their tokens and cost, marked ~, are estimated at {CHARS_PER_TOKEN} characters per token"
            )
        if self._with_calls:
            yield (
                f"{name}: {_replies(self._with_calls)} held {count(self._calls, 'tool call')} as text, which "
                "the native tool protocol does not run; use --ultra-tool-protocol text if the endpoint cannot parse "
                "its calls"
            )
        changes = (("models", self._models), ("fingerprints", self._fingerprints))
        if named := [f"{len(names)} {what} answered ({_listed(names)})" for what, names in changes if len(names) > 1]:
            yield f"{name}: {', '.join(named)} within this run, so that its figures may mix different models"


def _replies(n: int) -> str:
    return f"{n:,} {'reply' if n == 1 else 'replies'}"


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(map(neutralise, list(names)[:_MOST_NAMED]))
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown
