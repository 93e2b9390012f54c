"""A budget is held by all of a run's processes together, and whoever finds it spent is skipped."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Ended, EndReason, Reply
from pytest_ultra.engine.budget import Amounts, BudgetedEndpoint, Spent, find_limit
from pytest_ultra.engine.episode_run import live_episode
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.open_limiter import open_limiter
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.shared_budget import SharedBudget
from tests.engine.engine_fakes import DONE, VirtualClock, calling, make_assignment, make_case, run, scripted, status
from tests.engine.stand_in import RULES


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (Spent(9, 99, 0.9), None),
        (Spent(10, 0, 0), "the budget of 10 requests (--ultra-max-requests) is spent"),
        (Spent(0, 1000, 0), "the budget of 1,000 tokens (--ultra-max-tokens) is spent"),
        (Spent(0, 0, 1.5), "the budget of $1.5 (--ultra-max-cost) is spent"),
    ],
)
def test_a_limit_that_is_reached_is_named(spent: Spent, said: str | None) -> None:
    assert find_limit(spent, Amounts(requests=10, tokens=1000, cost=1.5)) == said


def test_what_is_not_limited_is_never_spent() -> None:
    assert find_limit(Spent(10**9, 10**12, 10.0**6), Amounts()) is None


def _take_all(path: Path, results: multiprocessing.SimpleQueue[int]) -> None:
    budget = SharedBudget(path, Amounts(requests=500))
    taken = 0
    while budget.take() is None:
        budget.book(3, 0.5)
        taken += 1
    results.put(taken)


def test_processes_take_from_one_budget_and_never_too_much(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    processes = [context.Process(target=_take_all, args=(tmp_path / "budget", results)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sum(results.get() for _ in processes) == 500
    budget = SharedBudget(tmp_path / "budget", Amounts())
    assert budget.spent == Spent(500, 1500, 250.0, has_refused=True)
    budget.close()


def test_an_episode_that_backs_off_learns_at_once_that_another_process_has_spent_the_budget(tmp_path: Path) -> None:
    clock, case = VirtualClock(), make_case()
    budget = SharedBudget(tmp_path / "budget", Amounts(requests=2))
    limiter, _ = open_limiter({case.model: ["e"]}, Limits(), folder=tmp_path, clock=clock)
    endpoint = BudgetedEndpoint(scripted([status(503, retry_after_s=60), DONE]), budget, {})
    caller = Caller(endpoint, clock, limiter=limiter)

    async def live() -> tuple[Outcome, float]:
        watch = asyncio.create_task(caller.watch(budget.refuse))
        asyncio.get_running_loop().call_later(10, budget.take)
        episode = await live_episode(make_assignment(case), caller, worker="gw0", rules=RULES)
        watch.cancel()
        return episode.outcome, episode.duration_s

    outcome, duration_s = run(clock, live())
    assert outcome is Outcome.SKIPPED
    assert duration_s == pytest.approx(10.25, abs=0.26)
    assert budget.spent == Spent(2, has_refused=True)
    budget.close()


def test_what_is_answered_without_asking_is_answered_though_the_budget_is_spent(tmp_path: Path) -> None:
    clock = VirtualClock()
    kept, asked = make_case(1), make_case(2)
    budget = SharedBudget(tmp_path / "budget", Amounts(requests=1))
    budget.take()
    refusing, answering = BudgetedEndpoint(scripted([]), budget, {}), scripted([DONE])

    class Kept:
        async def attempt(self, request: ChatRequest) -> Reply:
            return await (answering if request.case == kept else refusing).attempt(request)

        async def aclose(self) -> None: ...

    caller = Caller(Kept(), clock, concerns=lambda request: request.case != kept)
    outcomes = [
        run(clock, live_episode(make_assignment(case), caller, worker="gw0", rules=RULES)).outcome
        for case in (asked, kept)
    ]
    assert outcomes == [Outcome.SKIPPED, Outcome.FULL]
    budget.close()


def test_an_episode_that_is_refused_a_request_is_skipped_with_the_reason(tmp_path: Path) -> None:
    clock, case = VirtualClock(), make_case()
    budget = SharedBudget(tmp_path / "budget", Amounts(tokens=12))
    prices = {case.model: Price(1.0, 10.0)}
    answers = [DONE, calling(), DONE]
    endpoint = BudgetedEndpoint(scripted(answers), budget, prices)
    caller = Caller(endpoint, clock, prices=prices)

    first, second = (
        run(clock, live_episode(make_assignment(case), caller, worker="gw0", rules=RULES)) for _ in range(2)
    )

    cost = prices[case.model].cost(10, 2)
    assert (first.outcome, first.usage.cost) == (Outcome.FULL, cost)
    assert (second.outcome, second.usage.requests) == (Outcome.SKIPPED, 0)
    reason = "not lived to its end: the budget of 12 tokens (--ultra-max-tokens) is spent"
    assert second.error == reason
    assert second.transcript == (Ended(EndReason.SKIPPED, reason),)
    assert budget.spent == Spent(1, 12, cost, has_refused=True)
    budget.close()
