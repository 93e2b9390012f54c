"""Notices about a run's endpoints, and about its own standstill, printed once at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Answered, Attempted, Discovered, Ended, EndReason, FellBack
from pytest_ultra.errors import AttemptProblem
from pytest_ultra.reporting.reply_notices import reply_notices
from pytest_ultra.reporting.text import count, neutralise

_REJECTIONS = frozenset({401, 403, 404})
_STANDSTILL_S = 5.0  # a shorter one is not worth a line


def notice_lines(episodes: Sequence[Episode]) -> list[str]:
    """Return a line for each changed dialect, model that another endpoint served, oddity of replies, and standstill."""
    about_endpoints: dict[str, str] = {}
    for key, text in (notice for episode in episodes for notice in _notices(episode)):
        about_endpoints.setdefault(key, neutralise(text))
    return [
        *dict.fromkeys(about_endpoints.values()),
        *_cut_notices(episodes),
        *reply_notices(episodes),
        *_standstill_notices(episodes),
    ]


def no_call_lines(episodes: Sequence[Episode]) -> Iterator[str]:
    """Yield a line for each model that called no tool in any scored episode: its figures show a fault of the set-up."""
    by_model: dict[str, list[Episode]] = {}
    for episode in episodes:
        if episode.outcome.is_scored:
            by_model.setdefault(episode.case.model, []).append(episode)
    for model, own in by_model.items():
        if not any(isinstance(event, Answered | Discovered) for episode in own for event in episode.transcript):
            what = "agent" if own[0].case.agent else "model"
            yield f"{what} {neutralise(model)} called no tool in {count(len(own), 'episode')}: {_remedy(own[0].case)}"


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


def _cut_notices(episodes: Iterable[Episode]) -> Iterator[str]:
    """Name the episodes that ended with a cut reply, per model: the limit may be the endpoint's own."""
    ends = Counter(
        episode.case.model
        for episode in episodes
        if any(isinstance(event, Ended) and event.reason is EndReason.TRUNCATED for event in episode.transcript[-1:])
    )
    for model, times in ends.items():
        yield (
            f"model {neutralise(model)}: {count(times, 'episode')} ended with a reply that was cut by a limit on its "
            "length, the endpoint's own or one that it was given"
        )


def _standstill_notices(episodes: Iterable[Episode]) -> Iterator[str]:
    own = (episode.usage.standstill_s for episode in episodes if not episode.reused)
    affected = [seconds for seconds in own if seconds >= _STANDSTILL_S]
    if affected:
        yield (
            f"this run itself stood still (stopped, or too busy) for up to {max(affected):.0f} s during "
            f"{count(len(affected), 'case')}; no time limit and no model time contains that"
        )


def _notices(episode: Episode) -> Iterator[tuple[str, str]]:
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
