"""Under a budget, episodes are begun only as far as it is likely to see them to their end."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.engine.admission import OPEN_DOOR, Reserving
from pytest_ultra.engine.assignment import Assignment
from pytest_ultra.engine.budget import Amounts, Spent
from pytest_ultra.engine.shared_budget import SharedBudget
from tests.results_factory import make_case

MOST = Amounts(requests=100)
GUIDANCE = make_guidance(make_case())
SHARD = [Assignment(make_case(instance=instance), GUIDANCE, f"test[{instance}]") for instance in range(30)]


class Purse:
    """A budget of one process."""

    def __init__(self) -> None:
        self.left = 1.0
        self.held = 0.0

    @property
    def is_spent(self) -> bool:
        return self.left <= 0

    def refuse(self) -> str | None:
        return "spent" if self.is_spent else None

    def reserve(self, held: float, more: float) -> bool:
        has_room = self.left >= held + more
        self.held = held + more if has_room else held
        return has_room


def reserving_from(purse: Purse, most: Amounts) -> Reserving:
    return Reserving(purse, most, {}, lambda assignment: BENCHMARK.estimate(assignment.case, assignment.guidance))


def begin(reserving: Reserving, assignments: list[Assignment]) -> list[Assignment]:
    """Begin as many as may, in their order."""
    admitted: list[Assignment] = []
    for assignment in assignments:
        if not reserving.admit(assignment):
            break
        admitted.append(assignment)
    return admitted


def live(reserving: Reserving, purse: Purse, assignments: list[Assignment], requests: int) -> None:
    for assignment in assignments:
        for _ in range(requests):
            purse.left -= 1 / 100
            reserving.book(assignment.case, Spent(requests=1))
        reserving.settle(assignment)


def test_no_more_is_begun_than_a_model_that_needs_thrice_as_much_would_leave_room_for() -> None:
    purse = Purse()
    admitted = begin(reserving_from(purse, MOST), SHARD)
    assert 1 < len(admitted) < 10
    assert 0.8 < purse.held <= 1


def test_what_episodes_have_needed_is_what_the_next_are_expected_to_need() -> None:
    purses = []
    for requests in (4, 12):
        purse = Purse()
        reserving = reserving_from(purse, Amounts(requests=10_000))
        live(reserving, purse, begin(reserving, SHARD), requests)
        purse.left = 0.01
        purses.append(len(begin(reserving, SHARD)))
    assert purses[0] > 2 * purses[1] > 0


def test_what_an_episode_has_used_is_no_longer_held_and_its_end_frees_the_rest() -> None:
    purse = Purse()
    reserving = reserving_from(purse, MOST)
    first, *_ = admitted = begin(reserving, SHARD)
    refused = SHARD[len(admitted)]
    assert not reserving.admit(refused)
    live(reserving, purse, [first], 3)
    assert reserving.admit(refused)


def test_one_is_begun_even_if_the_budget_will_hardly_last() -> None:
    purse = Purse()
    purse.left = 0.01
    assert begin(reserving_from(purse, MOST), SHARD) == SHARD[:1]


def test_when_all_is_spent_whoever_asks_may_learn_it() -> None:
    purse = Purse()
    purse.left = 0.0
    reserving = reserving_from(purse, MOST)
    assert begin(reserving, SHARD) == SHARD
    assert reserving.refuse() == "not lived to its end: spent"


def test_without_a_budget_everything_is_begun() -> None:
    assert all(map(OPEN_DOOR.admit, SHARD))


def _hold(path: Path, amount: float, answers: multiprocessing.SimpleQueue[bool]) -> None:
    answers.put(SharedBudget(path, MOST).reserve(0.0, amount))


def test_processes_hold_parts_of_one_budget_which_end_with_them(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    budget = SharedBudget(path, MOST)
    assert budget.reserve(0.0, 0.75)
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.SimpleQueue[bool] = context.SimpleQueue()
    for amount, is_held in ((0.5, False), (0.25, True), (0.25, True)):
        process = context.Process(target=_hold, args=(path, amount, answers))
        process.start()
        process.join()
        assert answers.get() == is_held
    assert not budget.reserve(0.75, 0.5)
    assert budget.reserve(0.75, 0.25), "those that held something are gone"
    assert budget.spent == Spent()
    budget.close()


def test_a_budget_that_is_spent_is_refused_without_being_asked_of(tmp_path: Path) -> None:
    budget = SharedBudget(tmp_path / "budget", Amounts(requests=1))
    assert budget.refuse() is None
    assert budget.spent == Spent()
    budget.take()
    assert budget.refuse() == "the budget of 1 requests (--ultra-max-requests) is spent"
    assert budget.spent == Spent(1, has_refused=True)
    budget.close()
