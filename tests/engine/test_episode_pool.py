"""The crew lives what the agenda holds, on any loop."""

from __future__ import annotations

import asyncio

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.episode_pool import Crew
from pytest_ultra.engine.episode_queue import Agenda
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    make_assignment,
    make_caller,
    make_case,
    run,
    steady,
)
from tests.engine.stand_in import RULES

CASE = make_case()


def work(endpoint: FakeEndpoint, agenda: Agenda) -> list[Episode]:
    """Have a crew work on an agenda for a while; return what it handed on."""
    finished: list[Episode] = []
    clock = VirtualClock()
    crew = Crew(agenda, finished.append, worker="gw0", concurrency=2, rules=RULES)

    async def work_a_while() -> None:
        asyncio.get_running_loop().call_later(10, crew.quit)
        await crew.work(endpoint, make_caller(endpoint, clock))

    run(clock, work_a_while())
    return finished


def test_a_crew_begins_with_what_was_planned_before_it_came() -> None:
    agenda = Agenda(is_lazy=False)
    agenda.plan([make_assignment(CASE)])

    assert [episode.case for episode in work(steady(), agenda)] == [CASE]


def test_an_episode_that_ends_after_the_engine_was_given_up_is_not_handed_on() -> None:
    agenda = Agenda(is_lazy=False)
    agenda.plan([make_assignment(CASE)])

    async def respond(_: ChatRequest) -> Reply:
        agenda.close()
        return DONE

    assert work(FakeEndpoint(respond), agenda) == []
