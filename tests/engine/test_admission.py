"""Under a budget, an episode starts only if the budget is likely to pay for it to the end."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.benchmark.guide import make_guidance
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.engine.admission import ADMIT_ALL, BudgetAdmission
from pytest_ultra.engine.budget import BudgetLimits, Spent
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.shared_budget import SharedBudget
from tests.results_factory import make_case

LIMITS = BudgetLimits(requests=100)
GUIDANCE = make_guidance(make_case())
SHARD = [Assignment(make_case(instance=instance), lambda: GUIDANCE, f"test[{instance}]") for instance in range(30)]


class Reserve:
    """A budget of one process."""

    def __init__(self) -> None:
        self.left = 1.0
        self.held = 0.0

    @property
    def is_spent(self) -> bool:
        return self.left <= 0

    def find_refusal(self) -> str | None:
        return "spent" if self.is_spent else None

    def reserve(self, held: float, more: float) -> bool:
        has_room = self.left >= held + more
        self.held = held + more if has_room else held
        return has_room


def admission_of(reserve: Reserve, limits: BudgetLimits) -> BudgetAdmission:
    return BudgetAdmission(reserve, limits, {}, lambda each: BENCHMARK.estimate(each.case, each.guidance))


def start(admission: BudgetAdmission, assignments: list[Assignment]) -> list[Assignment]:
    """Start as many as are admitted, in this order."""
    admitted: list[Assignment] = []
    for assignment in assignments:
        if not admission.admit(assignment):
            break
        admitted.append(assignment)
    return admitted


def finish(admission: BudgetAdmission, reserve: Reserve, assignments: list[Assignment], requests: int) -> None:
    for assignment in assignments:
        for _ in range(requests):
            reserve.left -= 1 / 100
            admission.record(assignment.case, Spent(requests=1))
        admission.finish(assignment)


def test_only_as_many_start_as_the_budget_covers_at_three_times_the_estimate() -> None:
    reserve = Reserve()
    admitted = start(admission_of(reserve, LIMITS), SHARD)
    assert 1 < len(admitted) < 10
    assert 0.8 < reserve.held <= 1


def test_the_use_of_earlier_episodes_predicts_that_of_the_next() -> None:
    counts = []
    for requests in (4, 12):
        reserve = Reserve()
        admission = admission_of(reserve, BudgetLimits(requests=10_000))
        finish(admission, reserve, start(admission, SHARD), requests)
        reserve.left = 0.01
        counts.append(len(start(admission, SHARD)))
    assert counts[0] > 2 * counts[1] > 0


def test_used_budget_is_no_longer_reserved_and_the_end_of_an_episode_frees_the_rest() -> None:
    reserve = Reserve()
    admission = admission_of(reserve, LIMITS)
    first, *_ = admitted = start(admission, SHARD)
    refused = SHARD[len(admitted)]
    assert not admission.admit(refused)
    finish(admission, reserve, [first], 3)
    assert admission.admit(refused)


def test_one_episode_starts_even_if_the_budget_is_too_small_for_it() -> None:
    reserve = Reserve()
    reserve.left = 0.01
    assert start(admission_of(reserve, LIMITS), SHARD) == SHARD[:1]


def test_with_a_spent_budget_every_episode_starts_and_gets_the_reason() -> None:
    reserve = Reserve()
    reserve.left = 0.0
    admission = admission_of(reserve, LIMITS)
    assert start(admission, SHARD) == SHARD
    assert admission.find_refusal() == "not finished: spent"


def test_without_a_budget_every_episode_starts() -> None:
    assert all(map(ADMIT_ALL.admit, SHARD))


def _reserve(path: Path, amount: float, answers: multiprocessing.SimpleQueue[bool]) -> None:
    answers.put(SharedBudget(path, LIMITS).reserve(0.0, amount))


def test_processes_reserve_shares_of_one_budget_which_end_with_them(tmp_path: Path) -> None:
    path = tmp_path / "budget"
    budget = SharedBudget(path, LIMITS)
    assert budget.reserve(0.0, 0.75)
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.SimpleQueue[bool] = context.SimpleQueue()
    for amount, has_room in ((0.5, False), (0.25, True), (0.25, True)):
        process = context.Process(target=_reserve, args=(path, amount, answers))
        process.start()
        process.join()
        assert answers.get() == has_room
    assert not budget.reserve(0.75, 0.5)
    assert budget.reserve(0.75, 0.25), "the processes that reserved something have ended"
    assert budget.spent == Spent()
    budget.close()


def test_a_spent_budget_is_recorded_as_refused_without_a_request(tmp_path: Path) -> None:
    budget = SharedBudget(tmp_path / "budget", BudgetLimits(requests=1))
    assert budget.find_refusal() is None
    assert budget.spent == Spent()
    budget.take()
    assert budget.find_refusal() == "the budget of 1 requests (--ultra-max-requests) is spent"
    assert budget.spent == Spent(1, has_refused=True)
    budget.close()


def test_what_cannot_be_estimated_starts_alone_and_then_by_the_mean_use() -> None:
    reserve = Reserve()
    admission = admission_of(reserve, BudgetLimits(cost=1.0))  # the prices are unknown
    (first,) = start(admission, SHARD)
    admission.record(first.case, Spent(cost=0.05))
    reserve.left -= 0.05
    admission.finish(first)
    assert len(start(admission, SHARD[1:])) == 6  # three times 0.05 each, of the 0.95 that are left


def test_what_turns_out_to_be_free_is_not_limited() -> None:
    admission = admission_of(Reserve(), BudgetLimits(cost=1.0))
    (first,) = start(admission, SHARD)
    admission.finish(first)
    assert len(start(admission, SHARD[1:])) == 29


def test_a_case_that_cannot_be_estimated_starts_and_reserves_nothing() -> None:
    def estimate(each: Assignment) -> Estimate:
        raise OSError(24, f"Too many open files, at {each.nodeid}")

    reserve = Reserve()
    admission = BudgetAdmission(reserve, LIMITS, {}, estimate)
    assert start(admission, SHARD) == SHARD
    assert reserve.held == 0
    finish(admission, reserve, SHARD[:1], requests=1)
