"""The agenda decides which life comes next and who is given which."""

from __future__ import annotations

import msgspec

from pytest_ultra.engine.assignment import Place
from pytest_ultra.engine.episode_queue import Agenda
from tests.engine.engine_fakes import make_assignment, make_case

SHARD = [make_assignment(make_case(instance)) for instance in range(5)]


def order(agenda: Agenda) -> list[int]:
    """Begin all that there is, and return the instances."""
    instances = []
    while (life := agenda.begin_next()) is not None:
        instances.append(life.assignment.case.instance)
    return instances


def test_cases_come_in_the_given_order_each_once() -> None:
    agenda = Agenda(is_lazy=False)
    agenda.plan([*SHARD, *SHARD])

    assert order(agenda) == [0, 1, 2, 3, 4]
    assert order(agenda) == []


def test_awaited_cases_come_first_in_the_order_of_waiting() -> None:
    agenda = Agenda(is_lazy=False)
    agenda.plan(SHARD)
    agenda.claim(SHARD[3])
    agenda.claim(SHARD[1])
    agenda.claim(SHARD[3])

    assert order(agenda) == [3, 1, 0, 2, 4]


def test_the_first_and_the_last_keep_their_places_whatever_is_waited_for() -> None:
    last, *others, first = SHARD
    agenda = Agenda(is_lazy=False)
    placed = (msgspec.structs.replace(last, place=Place.LAST), msgspec.structs.replace(first, place=Place.FIRST))
    agenda.plan([placed[0], *others, placed[1]])
    for assignment in (last, SHARD[2], first):
        agenda.claim(assignment)

    assert order(agenda) == [4, 2, 1, 3, 0]


def test_what_may_not_begin_holds_up_all_that_come_after_it() -> None:
    agenda = Agenda(is_lazy=False)
    agenda.plan(SHARD)

    assert agenda.begin_next(lambda assignment: assignment.case.instance != 0) is None
    assert order(agenda) == [0, 1, 2, 3, 4]


def test_a_lazy_agenda_holds_only_what_is_waited_for() -> None:
    agenda = Agenda(is_lazy=True)
    agenda.plan(SHARD)
    agenda.claim(SHARD[3])
    agenda.claim(SHARD[1])

    assert order(agenda) == [3, 1]


def test_a_life_in_progress_is_not_begun_again_for_a_second_waiter() -> None:
    agenda = Agenda(is_lazy=False)
    life = agenda.claim(SHARD[0])

    assert agenda.begin_next() is life
    assert agenda.claim(make_assignment(SHARD[0].case, "test_other")) is life
    assert agenda.begin_next() is None


def test_a_closed_agenda_begins_nothing_more() -> None:
    agenda = Agenda(is_lazy=False)
    agenda.plan(SHARD)
    agenda.close()

    assert order(agenda) == []
