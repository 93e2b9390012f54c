"""Notices about a run's endpoints, and about its own standstill, printed once at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Answered, Attempted, Discovered, Ended, EndReason, FellBack
from pytest_ultra.errors import AttemptProblem
from pytest_ultra.reporting.reply_notices import ReplyNotices
from pytest_ultra.reporting.text import count, neutralise

_REJECTIONS = frozenset({401, 403, 404})
_STANDSTILL_S = 5.0  # a shorter one is not worth a line


class Notices:
    """What is said once of a run, collected from its episodes one at a time: they may not fit in memory."""

    def __init__(self, episodes: Iterable[Episode]) -> None:
        self._about_endpoints: dict[str, str] = {}
        self._cut: Counter[str] = Counter()
        self._replies = ReplyNotices()
        self._standstills: list[float] = []
        self._scored: dict[str, tuple[Case, int]] = {}  # by model: its first case, and the number of scored episodes
        self._with_calls: set[str] = set()
        for episode in episodes:
            self._add(episode)

    def lines(self) -> list[str]:
        """Return a line for each changed dialect, model that another endpoint served, oddity of replies, standstill."""
        return [
            *dict.fromkeys(self._about_endpoints.values()),
            *self._cut_lines(),
            *self._replies.lines(),
            *self._standstill_lines(),
        ]

    def no_call_lines(self) -> Iterator[str]:
        """Yield a line for each model that called no tool in any scored episode: a sign of a fault of the set-up."""
        for model, (case, scored) in self._scored.items():
            if model not in self._with_calls:
                what = "agent" if case.agent else "model"
                yield f"{what} {neutralise(model)} called no tool in {count(scored, 'episode')}: {_remedy(case)}"

    def _add(self, episode: Episode) -> None:
        case, usage, transcript = episode.case, episode.usage, episode.transcript
        for key, text in _about_endpoints(episode):
            self._about_endpoints.setdefault(key, neutralise(text))
        if any(isinstance(event, Ended) and event.reason is EndReason.TRUNCATED for event in transcript[-1:]):
            self._cut[case.model] += 1
        self._replies.add(episode)
        if usage.standstill_s >= _STANDSTILL_S and not episode.reused:
            self._standstills.append(usage.standstill_s)
        if episode.outcome.is_scored:
            first, scored = self._scored.get(case.model, (case, 0))
            self._scored[case.model] = first, scored + 1
            if case.model not in self._with_calls and any(isinstance(e, Answered | Discovered) for e in transcript):
                self._with_calls.add(case.model)

    def _cut_lines(self) -> Iterator[str]:
        """Name the episodes that ended with a cut reply, per model: the limit may be the endpoint's own."""
        for model, times in self._cut.items():
            yield (
                f"model {neutralise(model)}: {count(times, 'episode')} ended with a reply that was cut by a limit on "
                "its length, the endpoint's own or one that it was given"
            )

    def _standstill_lines(self) -> Iterator[str]:
        if self._standstills:
            yield (
                f"this run itself stood still (stopped, or too busy) for up to {max(self._standstills):.0f} s during "
                f"{count(len(self._standstills), 'case')}; no time limit and no model time contains that"
            )


def _remedy(case: Case) -> str:
    if case.agent:
        return (
            "its failures show what it did instead; a function has the tools in task.tools, a program gets them by MCP"
        )
    name = neutralise(case.model)
    check = f"`pytest-ultra check {name}` shows what its endpoint does with tools"
    if case.tool_protocol is ToolProtocol.TEXT:
        return f"its failures show what it wrote instead; {check}"
    return f"if it should, --ultra-tool-protocol text lets it write its calls as text; {check}"


def _about_endpoints(episode: Episode) -> Iterator[tuple[str, str]]:
    """Yield notices, each with a key: of a change that many rejections led to, the first one is printed."""
    model = episode.case.model
    was_answered = episode.outcome.is_scored and not any(isinstance(event, FellBack) for event in episode.transcript)
    for event in episode.transcript:
        if not isinstance(event, Attempted):
            continue
        if event.problem == AttemptProblem.PARAMETER:
            text = f"model {model} was {event.detail}"
            yield text.partition(": ")[0], text
        elif event.status in _REJECTIONS and was_answered:
            text = f"model {model} was called at another endpoint, because one returned {event.status}: {event.detail}"
            yield text, text
