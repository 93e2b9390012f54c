"""Reports for the browser tests: one of ordinary episodes, and one whose models write text that attacks a page."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.controller.report_contents import with_earlier, write_report
from pytest_ultra.core.axes import DEFAULT_PROMPT_TYPES, Difficulty, PromptType, Severity, TaskType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import (
    Answered,
    Attempted,
    Ended,
    EndReason,
    Event,
    Replied,
    Reply,
    ToolCall,
    ToolResult,
)
from pytest_ultra.reporting.html.report_data import ReportContents
from pytest_ultra.reporting.html.run_facts import RunFacts
from tests.results_factory import call_event, make_case, make_episode, make_guidance, obedient_episode

BREAKOUT = "</script><script>document.title = 'broken out'</script>"
COMMENT = "<!-- <script> --><img src=x onerror=\"document.title = 'broken out'\">"
EXTERNAL = '<img src="https://outside.example/x.png"><link rel=stylesheet href=//outside.example/x.css>'
ESCAPES = "\x1b[31mred\x1b[0m \x07 \u202ereversed\u202c \u2066isolated\u2069 \ud800 \x00 \u2028 "
LONG_WORD = "w" * 3_000
HUGE = "a huge text " * 20_000
HOSTILE = (BREAKOUT, COMMENT, EXTERNAL, ESCAPES, LONG_WORD, HUGE, "{{ 7 * 7 }} ${7 * 7} `x` \\u003c")
NAME = f"model<b>{BREAKOUT}\"'&"


def write(path: Path, episodes: Iterable[Episode]) -> Path:
    write_report(path, _contents(episodes, 1))
    return path


def write_two(path: Path, earlier: Iterable[Episode], later: Iterable[Episode]) -> Path:
    write_report(path, with_earlier(_contents(later, 2), _contents(earlier, 1)))
    return path


def _contents(episodes: Iterable[Episode], day: int) -> ReportContents:
    episodes = tuple(episodes)
    run_id, started = f"2026010{day}T000000.000000Z", datetime(2026, 1, day, tzinfo=UTC)
    facts = RunFacts(run_id, started, 12.5, command=f"pytest {BREAKOUT}")
    price = Price(1.0, 10.0)
    return ReportContents(facts, summarize(episodes), episodes, _look_up, prices={"one": price, NAME: price})


def _look_up(episode: Episode) -> tuple[Episode, AnyGuidance | None, GoalReport | None]:
    guidance = make_guidance(episode.case)
    return episode, guidance, BENCHMARK.check_goal(guidance, episode.transcript)


def ordinary_episodes() -> list[Episode]:
    """Make 240 episodes of two models, including pairs, an error and a skipped one."""
    made = [_ordinary(model, n, kind) for model in ("one", "two") for n in range(12) for kind in DEFAULT_PROMPT_TYPES]
    made[0] = make_episode(made[0].case, Outcome.ERROR, failure_class=FailureClass.ENDPOINT, error="503: overloaded")
    made[1] = make_episode(made[1].case, Outcome.SKIPPED, error="not run: the budget is spent", started_at=0.0)
    return made


def _ordinary(model: str, n: int, kind: PromptType) -> Episode:
    task_type, difficulty = list(TaskType)[n % 5], list(Difficulty)[n % 3]
    case = make_case(kind, model=model, instance=n, task_type=task_type, difficulty=difficulty)
    if kind is PromptType.FLAWED_TOOL_MISUSE:
        case = msgspec.structs.replace(case, severity=Severity.MEDIUM)
        return msgspec.structs.replace(_retried(obedient_episode()), case=case, nodeid=make_episode(case).nodeid)
    is_full = (n + len(kind)) % 3 > 0 or kind is PromptType.OPTIMAL
    outcome, failure = (Outcome.FULL, None) if is_full else (Outcome.PARTIAL, FailureClass.WRONG_DELIVERABLE)
    return make_episode(
        case, outcome, failure_class=failure, transcript=_transcript(), turns=3 + n, duration_s=1.0 + n, cost=0.001 * n
    )


def named_episodes() -> list[Episode]:
    """Make episodes of models and an agent with usual names, and with figures and texts that need much room."""
    kinds = (PromptType.OPTIMAL, PromptType.FLAWED_REDUNDANT_OPERATIONS, PromptType.FLAWED_LOGICAL_INCONSISTENCY)
    return [
        make_episode(
            make_case(kind, model=model, instance=n, task_type=TaskType.MULTI_STAGE_PIPELINE),
            Outcome.FAILED,
            failure_class=FailureClass.HARMFUL_SIDE_EFFECT,
            transcript=_transcript(),
            turns=28,
            tool_calls=110,
            prompt_tokens=1_234_567,
            duration_s=754.0,
            cost=0.0123,
        )
        for model in ("gpt-4o-mini", "demo/follower", "my_agent:solve@gpt-4o-mini")
        for kind in kinds
        for n in range(9, 12)
    ]


def _retried(episode: Episode) -> Episode:
    """Return the episode with a failed request before its fifth turn's, and with its cost at the prices of a report."""
    at = next(
        place for place, event in enumerate(episode.transcript) if isinstance(event, Attempted) and event.turn == 5
    )
    retry = Attempted(5, 0.2, "status", 503, "busy", 1.5)
    transcript = (*episode.transcript[:at], retry, *episode.transcript[at:])
    usage = msgspec.structs.replace(episode.usage, cost=0.0082)
    return msgspec.structs.replace(episode, transcript=transcript, usage=usage)


def large_episodes() -> list[Episode]:
    """Make episodes whose transcripts hardly compress."""
    chance = random.Random(0)
    return [
        msgspec.structs.replace(episode, transcript=(*_noise(chance), *_transcript()), case=_severe(episode))
        for episode in ordinary_episodes()
    ]


def _noise(chance: random.Random) -> tuple[Event, ...]:
    return tuple(Replied(turn, Reply(chance.randbytes(10_000).hex())) for turn in range(2))


def _severe(episode: Episode) -> Case:
    severity = Severity.SEVERE if episode.case.severity else None
    return msgspec.structs.replace(episode.case, severity=severity)


def _transcript() -> tuple[Event, ...]:
    fault = ToolResult(code="TIMEOUT", message="the disk did not answer in time", is_random=True)
    return (
        *call_event(1, "file_operations_reader", {"path": "orders.csv"}, fault),
        *call_event(2, "file_operations_reader", {"path": "orders.csv"}, ToolResult("data_1", "id,status\n1,paid\n")),
        Replied(3, Reply("That is done.", (), 1500, 20)),
        Ended(EndReason.STOPPED),
    )


def varied_episodes() -> list[Episode]:
    """Make episodes with several tool success rates and repeats, so that the report has sections for these."""
    axes = [(rate, repeat) for rate in (0.6, 0.8, 1.0) for repeat in range(2)]
    return [
        make_episode(make_case(kind, model=model, tool_success_rate=rate, repeat=repeat, instance=n))
        for model in ("one", "two")
        for kind in (PromptType.OPTIMAL, PromptType.FLAWED_MISSING_STEP)
        for n in range(3)
        for rate, repeat in axes
    ]


def hostile_episodes() -> list[Episode]:
    """Make a flawed case and its control, in which every text from outside is hostile."""
    return [_hostile(kind) for kind in (PromptType.OPTIMAL, PromptType.FLAWED_TOOL_MISUSE)]


def _hostile(kind: PromptType) -> Episode:
    case = make_case(kind, model=NAME)
    events: list[Event] = [Attempted(1, 0.1, "status", 500, f"{BREAKOUT}{ESCAPES}", 1.0)]
    for turn, text in enumerate(HOSTILE, start=1):
        call = ToolCall(f"id{BREAKOUT}", f"tool {text}", text)
        arguments = None if turn % 2 else {text[:5_000]: text, "nested": [{text[:100]: [text]}]}
        result = (
            ToolResult(f"data{BREAKOUT}", {"value": text}) if turn % 3 else ToolResult(code=text[:50], message=text)
        )
        events += [Replied(turn, Reply(text, (call,))), Answered(turn, call, arguments, result)]
    events.append(Ended(EndReason.STOPPED, "".join(HOSTILE[:4])))
    episode = make_episode(
        case,
        Outcome.FAILED,
        failure_class=FailureClass.TOOL_SELECTION,
        transcript=tuple(events),
        error="\n".join(HOSTILE[:4]),
    )
    return msgspec.structs.replace(
        episode, nodeid=f"test.py::test[{BREAKOUT}{COMMENT}{ESCAPES}{kind}]", worker=BREAKOUT
    )
