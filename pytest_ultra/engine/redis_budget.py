"""A budget that hosts and CI jobs share in Redis: atomic scripts; a process's reserved share is a lease.

While Redis does not answer, each process may spend its part of what was left at the last answer: the rest, divided by
the processes that were known then. So together they exceed the budget by at most what was spent between a process's
last answer and the loss.
"""

from __future__ import annotations

import uuid

import msgspec

from pytest_ultra.engine.budget import BudgetLimits, Spent, find_limit, largest_share
from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.redis_connection import Availability, JointStore, budget_name, connect

_KEPT_S = 7 * 24 * 3600
"""How long Redis keeps a budget that nobody uses."""
_RESERVED_S = 120
"""How long a reserved share counts without a message; also how long a process counts as one that spends."""

_ADD = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local member, lease, kept = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
for position, name in ipairs({'requests', 'tokens', 'cost'}) do
    local known = math.max(tonumber(ARGV[position]), tonumber(redis.call('HGET', KEYS[1], name) or '0'))
    redis.call('HSET', KEYS[1], name, string.format('%.17g', known + tonumber(ARGV[3 + position])))
end
redis.call('ZADD', KEYS[2], now + lease, member)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do redis.call('HDEL', KEYS[3], gone) end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
"""

_STATE = """
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, kept) end
local spent = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'cost', 'refused')
return {spent[1] or '0', spent[2] or '0', spent[3] or '0', spent[4] or '0', redis.call('ZCARD', KEYS[2])}
"""

_TAKE = (
    _ADD
    + """
local asked, is_spent = ARGV[13], false
for position, name in ipairs({'requests', 'tokens', 'cost'}) do
    local limit = tonumber(ARGV[9 + position])
    if limit >= 0 and tonumber(redis.call('HGET', KEYS[1], name)) >= limit then is_spent = true end
end
if is_spent and asked ~= 'look' then redis.call('HSET', KEYS[1], 'refused', 1) end
if not is_spent and asked == 'take' then redis.call('HINCRBY', KEYS[1], 'requests', 1) end
"""
    + _STATE.replace("return {", "return {is_spent and 1 or 0, ")
)

_RESERVE = (
    _ADD
    + """
local others = 0
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if name ~= member then others = others + tonumber(redis.call('HGET', KEYS[3], name) or '0') end
end
local spent = 0
for position, name in ipairs({'requests', 'tokens', 'cost'}) do
    local limit = tonumber(ARGV[9 + position])
    if limit > 0 then spent = math.max(spent, tonumber(redis.call('HGET', KEYS[1], name)) / limit) end
end
local held, more = tonumber(ARGV[13]), tonumber(ARGV[14])
local has_room = 1 - spent - others >= held + more
redis.call('HSET', KEYS[3], member, tostring(has_room and held + more or held))
"""
    + _STATE.replace("return {", "return {has_room and 1 or 0, ")
)


class RedisBudget:
    """See `engine.budget.Budget` and `engine.admission.BudgetReserve`. A request asks Redis twice."""

    def __init__(self, store: JointStore, limits: BudgetLimits, run_id: str, clock: Clock = SYSTEM_CLOCK) -> None:
        """The budget is that of the URL's fragment, else the run's own."""
        import redis  # noqa: PLC0415 - an extra

        name = budget_name(store.url) or f"run/{run_id}"
        self._keys = [f"pytest-ultra:budget:{{{name}}}:{part}" for part in ("spent", "members", "reserved")]
        self._limits = limits
        self._most = [-1 if limit is None else limit for limit in msgspec.structs.astuple(limits)]
        self._member = f"{store.host} {uuid.uuid4().hex}"
        self._errors = (redis.RedisError, OSError)
        self._client = connect(store.url)
        self._scripts = {text: self._client.register_script(text) for text in (_TAKE, _RESERVE)}
        fallback = "until it does, this process spends no more than its part of what was left of the budget"
        self._availability = Availability(store, lambda: fallback, clock)
        self._known = Spent()  # at the last answer, of all processes
        self._unsent = Spent()  # spent here since
        self._processes = 1
        self._run(_TAKE, "look")

    @property
    def spent(self) -> Spent:
        """What is recorded, as far as it is known here."""
        self._run(_TAKE, "look")
        return self._with_unsent(1)

    @property
    def is_spent(self) -> bool:
        self._run(_TAKE, "look")
        return find_limit(self._share_of_spent(), self._limits) is not None

    def take(self) -> str | None:
        answer = self._run(_TAKE, "take")
        reason = find_limit(self._share_of_spent(), self._limits)
        if answer is not None:
            return (reason or "the budget is spent") if answer else None
        if reason is None:
            self._unsent = msgspec.structs.replace(self._unsent, requests=self._unsent.requests + 1)
            return None
        self._known = msgspec.structs.replace(self._known, has_refused=True)
        return f"{reason}, as far as is known while Redis does not answer"

    def find_refusal(self) -> str | None:
        """Return why no more requests may be sent, None if they may. Counts no request."""
        self._run(_TAKE, "ask")
        return find_limit(self._share_of_spent(), self._limits)

    def record(self, tokens: int, cost: float) -> None:
        unsent = self._unsent
        self._unsent = msgspec.structs.replace(unsent, tokens=unsent.tokens + tokens, cost=unsent.cost + cost)
        self._run(_TAKE, "look")

    def reserve(self, held: float, more: float) -> bool:
        answer = self._run(_RESERVE, held, more)
        if answer is not None:
            return bool(answer)
        spent = self._share_of_spent()
        return 1.0 - largest_share(self._limits, spent.requests, spent.tokens, spent.cost) >= held + more

    def close(self) -> None:
        self._run(_TAKE, "look")
        self._client.close()

    def _run(self, script: str, *args: str | float) -> int | None:
        """Send what is unsent, and run a script; return its answer, None if there is none.

        What was known is sent too: a Redis that was restarted may have lost it.
        """
        if not self._availability.may_ask():
            return None
        sums = [repr(amount) for spent in (self._known, self._unsent) for amount in _amounts(spent)]
        member = [self._member, _RESERVED_S, _KEPT_S]
        try:
            answer = self._scripts[script](keys=self._keys, args=[*sums, *member, *self._most, *args])
        except self._errors as error:
            self._availability.failed(error)
            return None
        self._availability.answered()
        self._unsent = Spent()
        result, requests, tokens, cost, refused, processes = answer
        self._known = Spent(int(float(requests)), int(float(tokens)), float(cost), has_refused=refused == "1")
        self._processes = max(1, int(processes))
        return int(result)

    def _share_of_spent(self) -> Spent:
        """Return what counts as spent here: with Redis lost, as if every process spent as much as this one would."""
        if not self._availability.is_lost:
            return self._with_unsent(1)
        spent = self._with_unsent(self._processes)
        return msgspec.structs.replace(spent, requests=spent.requests + self._processes - 1)

    def _with_unsent(self, times: int) -> Spent:
        known, unsent = self._known, self._unsent
        return Spent(
            known.requests + times * unsent.requests,
            known.tokens + times * unsent.tokens,
            known.cost + times * unsent.cost,
            known.has_refused,
        )


def _amounts(spent: Spent) -> tuple[float, ...]:
    return spent.requests, spent.tokens, spent.cost
