"""Notices about endpoints are printed once, and only if they concern the user."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.axes import PromptType, ToolProtocol
from pytest_ultra.core.episode import Episode, Outcome, Score, Usage
from pytest_ultra.core.transcript import Answered, Attempted, Event, FellBack, ToolCall, ToolResult
from pytest_ultra.reporting.notices import Notices
from tests.results_factory import make_case, make_nodeid

REJECTED_PARAMETER = Attempted(1, 0.1, "parameter", 400, "asked again without temperature: unsupported")
REJECTED_KEY = Attempted(1, 0.1, "status", 401, "http://h KEY_A: wrong key")


def episode_with(*events: Event, outcome: Outcome = Outcome.FAILED) -> Episode:
    case = make_case(PromptType.OPTIMAL, model="m")
    return Episode(case, make_nodeid(case), Score(outcome), Usage(), "gw0", 0.0, 1.0, transcript=events)


def test_each_notice_is_printed_once() -> None:
    assert Notices(
        [episode_with(REJECTED_PARAMETER, REJECTED_KEY), episode_with(REJECTED_KEY), episode_with(REJECTED_PARAMETER)]
    ).lines() == [
        "model m was asked again without temperature: unsupported",
        "model m was called at another endpoint, because one returned 401: http://h KEY_A: wrong key",
    ]


def test_what_ended_an_episode_and_a_rejection_of_tools_give_no_notice() -> None:
    assert Notices([episode_with(REJECTED_KEY, outcome=Outcome.ERROR)]).lines() == []
    assert Notices([episode_with(Attempted(1, 0.1, "status", 404, "no tools"), FellBack(1, "no tools"))]).lines() == []


def test_other_failed_attempts_give_no_notice() -> None:
    assert Notices([episode_with(Attempted(1, 0.1), Attempted(1, 0.1, "status", 500, "busy"))]).lines() == []


def test_a_long_standstill_gives_one_notice_and_a_short_one_or_an_earlier_runs_gives_none() -> None:
    episodes = [
        msgspec.structs.replace(episode_with(), usage=Usage(standstill_s=seconds), reused=is_reused)
        for seconds, is_reused in ((4.0, False), (20.4, False), (19.0, False), (500.0, True))
    ]
    (notice,) = Notices(episodes).lines()
    assert notice.startswith("this run itself stood still (stopped, or too busy) for up to 20 s during 2 cases; ")
    assert Notices(episodes[:1]).lines() == []


def test_a_model_that_never_calls_a_tool_is_named_unless_nothing_was_scored() -> None:
    called = episode_with(Answered(1, ToolCall("1", "database_reader", "{}"), {}, ToolResult()))
    assert list(Notices([episode_with(), called]).no_call_lines()) == []
    assert list(Notices([episode_with(outcome=Outcome.ERROR)]).no_call_lines()) == []
    (line,) = Notices([episode_with(), episode_with()]).no_call_lines()
    assert line.startswith("model m called no tool in 2 episodes: ")
    assert "--ultra-tool-protocol text" in line
    in_text = msgspec.structs.replace(episode_with(), case=make_case(model="m", tool_protocol=ToolProtocol.TEXT))
    (line,) = Notices([in_text]).no_call_lines()
    assert "--ultra-tool-protocol" not in line
