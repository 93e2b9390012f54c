"""All processes of a run share its budget, and episodes that find it spent are skipped."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Ended, EndReason, Reply
from pytest_ultra.engine.budget import BudgetedEndpoint, BudgetLimits, Spent, find_limit
from pytest_ultra.engine.episode_run import run_episode
from pytest_ultra.engine.limiter import open_limiter
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.shared_budget import SharedBudget
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.reporting.budget_lines import budget_line
from tests.engine.engine_fakes import DONE, VirtualClock, calling, make_assignment, make_case, run, scripted, status
from tests.engine.fake_rules import RULES
from tests.fuzzing import fuzz


@pytest.mark.parametrize(
    ("spent", "message"),
    [
        (Spent(9, 99, 0.9), None),
        (Spent(10, 0, 0), "the budget of 10 requests (--ultra-max-requests) is spent"),
        (Spent(0, 1000, 0), "the budget of 1,000 tokens (--ultra-max-tokens) is spent"),
        (Spent(0, 0, 1.5), "the budget of $1.5 (--ultra-max-cost) is spent"),
    ],
)
def test_a_limit_that_is_reached_is_named(spent: Spent, message: str | None) -> None:
    assert find_limit(spent, BudgetLimits(requests=10, tokens=1000, cost=1.5)) == message


def test_an_amount_without_a_limit_is_never_spent() -> None:
    assert find_limit(Spent(10**9, 10**12, 10.0**6), BudgetLimits()) is None


def _take_all(path: Path, results: multiprocessing.SimpleQueue[int]) -> None:
    budget = SharedBudget(path, BudgetLimits(requests=500))
    taken = 0
    while budget.take() is None:
        budget.record(3, 0.5)
        taken += 1
    results.put(taken)


def test_processes_share_one_budget_and_never_exceed_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    processes = [context.Process(target=_take_all, args=(tmp_path / "budget", results)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sum(results.get() for _ in processes) == 500
    budget = SharedBudget(tmp_path / "budget", BudgetLimits())
    assert budget.spent == Spent(500, 1500, 250.0, has_refused=True)
    budget.close()


def test_an_episode_that_backs_off_ends_soon_after_another_process_has_spent_the_budget(tmp_path: Path) -> None:
    clock, case = VirtualClock(), make_case()
    budget = SharedBudget(tmp_path / "budget", BudgetLimits(requests=2))
    limiter, _ = open_limiter({case.model: ["e"]}, Limits(), folder=tmp_path, clock=clock)
    endpoint = BudgetedEndpoint(scripted([status(503, retry_after_s=60), DONE]), budget, {})
    caller = Caller(endpoint, clock, limiter=limiter)

    async def run_one() -> tuple[Outcome, float]:
        watch = asyncio.create_task(caller.watch(budget.find_refusal))
        asyncio.get_running_loop().call_later(10, budget.take)
        episode = await run_episode(make_assignment(case), caller, worker="gw0", rules=RULES)
        watch.cancel()
        return episode.outcome, episode.duration_s

    outcome, duration_s = run(clock, run_one())
    assert outcome is Outcome.SKIPPED
    assert duration_s == pytest.approx(10.25, abs=0.26)
    assert budget.spent == Spent(2, has_refused=True)
    budget.close()


def test_kept_answers_are_given_although_the_budget_is_spent(tmp_path: Path) -> None:
    clock = VirtualClock()
    kept, sent = make_case(1), make_case(2)
    budget = SharedBudget(tmp_path / "budget", BudgetLimits(requests=1))
    budget.take()
    refusing, answering = BudgetedEndpoint(scripted([]), budget, {}), scripted([DONE])

    class Kept:
        async def attempt(self, request: ChatRequest) -> Reply:
            return await (answering if request.case == kept else refusing).attempt(request)

        def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
            return refusing.adapt(request, failure)

        async def aclose(self) -> None: ...

    caller = Caller(Kept(), clock, reaches_model=lambda request: request.case != kept)
    outcomes = [
        run(clock, run_episode(make_assignment(case), caller, worker="gw0", rules=RULES)).outcome
        for case in (sent, kept)
    ]
    assert outcomes == [Outcome.SKIPPED, Outcome.FULL]
    budget.close()


def test_an_episode_that_is_refused_a_request_is_skipped_with_the_reason(tmp_path: Path) -> None:
    clock, case = VirtualClock(), make_case()
    budget = SharedBudget(tmp_path / "budget", BudgetLimits(tokens=12))
    prices = {case.model: Price(1.0, 10.0)}
    answers = [DONE, calling(), DONE]
    endpoint = BudgetedEndpoint(scripted(answers), budget, prices)
    caller = Caller(endpoint, clock, prices=prices)

    first, second = (
        run(clock, run_episode(make_assignment(case), caller, worker="gw0", rules=RULES)) for _ in range(2)
    )

    cost = prices[case.model].cost(10, 2)
    assert (first.outcome, first.usage.cost) == (Outcome.FULL, cost)
    assert (second.outcome, second.usage.requests) == (Outcome.SKIPPED, 0)
    reason = "not finished: the budget of 12 tokens (--ultra-max-tokens) is spent"
    assert second.error == reason
    assert second.transcript == (Ended(EndReason.SKIPPED, reason),)
    assert budget.spent == Spent(1, 12, cost, has_refused=True)
    budget.close()


COUNTS = st.integers(0, 2**64 - 1)
ROWS = st.tuples(st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-1, 0, 1, os.getpid()]), st.floats())
LEDGERS = st.builds(
    lambda spent, rows: struct.pack("<QQd?39x", *spent) + b"".join(struct.pack("<qd", *row) for row in rows),
    st.tuples(COUNTS, COUNTS, st.floats(), st.booleans()),
    st.lists(ROWS, max_size=4),
)


@fuzz(100)
@given(st.binary(max_size=200) | LEDGERS)
@example(struct.pack("<QQdB39xqd", 2**64 - 1, 2**64 - 1, math.nan, 0, 2**62, math.nan))
@example(struct.pack("<QQdB39xqd", 0, 0, -math.inf, 0, -1, 0.5))
@example(b"\xff" * 4200)
def test_a_damaged_budget_neither_fails_nor_allows_further_costs(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "budget")
        path.write_bytes(content)
        budget = SharedBudget(path, BudgetLimits(requests=5, tokens=1000, cost=1.5))
        before = budget.spent
        assert budget.reserve(0.1, 0.2) in (True, False)
        reason = budget.take()
        assert (reason is None) == (before.requests < 5 and before.tokens < 1000 and 0 <= before.cost < 1.5)
        budget.record(999, 1.5)
        assert budget.find_refusal() is not None
        assert budget_line(budget.spent.requests, budget.spent.tokens, budget.spent.cost, limit=None)
        budget.close()
