"""A budget that processes of several hosts share in a real Redis, also when it is lost and loses all it held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_ultra.engine.budget import BudgetLimits
from pytest_ultra.engine.redis_budget import RedisBudget
from pytest_ultra.engine.redis_connection import RETRY_EVERY_S, JointStore, check_redis
from pytest_ultra.errors import ConfigurationError
from tests.engine.engine_fakes import VirtualClock
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


class Hosts:
    """The budgets of processes on hosts a and b, and what is noted of Redis."""

    def __init__(self, redis: RedisServer, limits: BudgetLimits, name: str) -> None:
        self.clock = VirtualClock()
        self.notes: list[str] = []
        self.budgets = [
            RedisBudget(JointStore(f"{redis.url}#{name}", host, self.notes.append), limits, "run", self.clock)
            for host in "ab"
        ]

    def take_all(self) -> list[int]:
        """Take requests by turns until both are refused; return how many each got."""
        taken = [0, 0]
        for number, budget in enumerate(self.budgets):
            while budget.take() is None:
                taken[number] += 1
        return taken

    def close(self) -> None:
        for budget in self.budgets:
            budget.close()


def test_processes_share_requests_tokens_and_cost(redis: RedisServer) -> None:
    hosts = Hosts(redis, BudgetLimits(requests=5, tokens=1000, cost=1.5), "shared")
    first, second = hosts.budgets
    assert [first.take(), second.take(), second.take()] == [None] * 3
    first.record(tokens=300, cost=0.25)
    second.record(tokens=100, cost=0.5)
    assert first.spent == second.spent
    assert (first.spent.requests, first.spent.tokens, first.spent.cost) == (3, 400, 0.75)
    assert hosts.take_all() == [2, 0]
    assert second.spent.has_refused
    assert second.find_refusal() == "the budget of 5 requests (--ultra-max-requests) is spent"
    hosts.close()


def test_a_budget_that_is_used_to_the_last_request_has_refused_nothing(redis: RedisServer) -> None:
    hosts = Hosts(redis, BudgetLimits(requests=1), "last")
    assert hosts.budgets[0].take() is None
    hosts.budgets[0].record(10, 0.0)
    assert hosts.budgets[1].is_spent
    assert not hosts.budgets[1].spent.has_refused
    hosts.close()


def test_reserved_shares_of_other_processes_count(redis: RedisServer) -> None:
    hosts = Hosts(redis, BudgetLimits(requests=10), "reserved")
    first, second = hosts.budgets
    assert first.reserve(0.0, 0.6)
    assert not second.reserve(0.0, 0.5)
    assert second.reserve(0.0, 0.4)
    assert first.reserve(0.0, 0.5)
    hosts.close()


def test_without_redis_each_process_spends_its_part_and_a_restarted_one_learns_what_was_spent() -> None:
    with RedisServer() as redis:
        hosts = Hosts(redis, BudgetLimits(requests=10), "lost")
        first, second = hosts.budgets
        assert [first.take(), second.take(), first.take(), second.take()] == [None] * 4
        redis.stop()
        assert hosts.take_all() == [3, 3]
        assert len(hosts.notes) == 2
        assert "until it does, this process spends no more than its part of what was left" in hosts.notes[0]
        redis.start()
        hosts.clock.seconds += RETRY_EVERY_S
        assert first.spent.requests == 6  # the first has not heard of the second's last request
        assert second.spent.requests == 9
        hosts.close()


def test_what_cannot_be_used_is_said_before_the_run() -> None:
    with pytest.raises(ConfigurationError, match=r"^Redis at 127.0.0.1:1 does not answer \(.*\); start it, or leave"):
        check_redis("redis://user:secret@127.0.0.1:1/0")
