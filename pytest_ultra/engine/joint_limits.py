"""The limits on one endpoint that all hosts hold together, in Redis: atomic scripts, on Redis' own clock.

A call in flight is a lease, which its process renews. So the slots of a process that has died come back by themselves.
While others wait, a process takes no more slots than its share.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from pytest_ultra.core.chat_request import MAX_WAIT_S
from pytest_ultra.engine.limits import CATCH_UP_S, TIMER_S, Limits, Pace
from pytest_ultra.engine.redis_connection import LEASE_S, JointStore, RedisScripts

_KEPT_S = 3600
"""How long Redis keeps the state of an endpoint that nobody calls."""
_WAITING_S = 0.3
"""How long a process counts as waiting for a slot after it has asked for one."""

_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
"""

_ACQUIRE = (
    _NOW
    + """
local pace, flight, members, waiting = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local per_request, per_token, tokens, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local permit, member, held, lease = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local kept, longest, catch_up, timer = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])

redis.call('ZADD', members, now + lease, member)
redis.call('ZREM', waiting, member)
for position = 2, 4 do redis.call('ZREMRANGEBYSCORE', KEYS[position], '-inf', now) end
local processes, hosts, seen = 0, 0, {}
for _, name in ipairs(redis.call('ZRANGE', members, 0, -1)) do
    local host = string.match(name, '^%S+')
    processes = processes + 1
    if not seen[host] then hosts = hosts + 1 end
    seen[host] = true
end

local due = {requests = 0, tokens = 0}
for name, interval in pairs({requests = per_request, tokens = per_token}) do
    if interval > 0 then due[name] = tonumber(redis.call('HGET', pace, name) or '0') end
end
local wait = math.max(due.requests, due.tokens) - now
if wait > 0 then return {0, tostring(wait), hosts} end

local has_share = held >= math.max(1, math.floor(most / processes)) and redis.call('ZCARD', waiting) > 0
if most > 0 and (has_share or redis.call('ZCARD', flight) >= most) then
    if not has_share then redis.call('ZADD', waiting, now + tonumber(ARGV[13]), member) end
    return {0, '-1', hosts}
end

for name, step in pairs({requests = per_request, tokens = per_token * tokens}) do
    if step > 0 then
        local start = math.max(due[name], now - math.max(timer, math.min(step, catch_up)))
        redis.call('HSET', pace, name, string.format('%.6f', math.min(start + step, now + longest)))
    end
end
redis.call('ZADD', flight, now + lease, permit)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, kept) end
return {1, '0', hosts}
"""
)

_RELEASE = (
    _NOW
    + """
redis.call('ZREM', KEYS[2], ARGV[1])
local more, longest = tonumber(ARGV[2]), tonumber(ARGV[3])
if more ~= 0 then
    local due = tonumber(redis.call('HGET', KEYS[1], 'tokens') or '0') + more
    redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', math.max(0, math.min(due, now + longest))))
end
return {}
"""
)

_RENEW = (
    _NOW
    + """
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[2]), ARGV[1])
for position = 3, #ARGV do redis.call('ZADD', KEYS[2], 'XX', now + tonumber(ARGV[2]), ARGV[position]) end
return {}
"""
)


class JointAnswer(NamedTuple):
    """Whether a call may be made; if not, the seconds until the pace allows one, None if all slots are taken."""

    is_permitted: bool
    wait_s: float | None


class JointLimits:
    """The joint limits on one endpoint. `hosts` is how many hosts share them, as far as that is known."""

    def __init__(
        self, endpoint: str, limits: Limits, scripts: RedisScripts, store: JointStore, *, lease_s: float = LEASE_S
    ) -> None:
        """`endpoint` is a hash over its address and key, the same on all hosts."""
        self._lease_s = lease_s
        self._keys = [
            f"pytest-ultra:limits:{{{endpoint}}}:{part}" for part in ("pace", "in-flight", "members", "waiting")
        ]
        self._limits = limits
        self._scripts = scripts
        self._member = f"{store.host} {uuid.uuid4().hex}"
        self._requests = Pace.per_minute(limits.rpm)
        self._tokens = Pace.per_minute(limits.tpm)
        self._held: set[str] = set()
        self._least_hosts = self.hosts = store.hosts

    @staticmethod
    def new_permit() -> str:
        return uuid.uuid4().hex

    async def acquire(self, permit: str, tokens: float) -> JointAnswer | None:
        """Ask for a call under this name; None if Redis does not answer."""
        answer = await self._scripts.run(
            _ACQUIRE,
            self._keys,
            self._requests.interval_s,
            self._tokens.interval_s,
            tokens,
            self._limits.max_in_flight or 0,
            permit,
            self._member,
            len(self._held),
            self._lease_s,
            _KEPT_S,
            MAX_WAIT_S,
            CATCH_UP_S,
            TIMER_S,
            _WAITING_S,
        )
        if answer is None:
            return None
        is_permitted, wait_s = bool(answer[0]), float(answer[1])
        self.hosts = max(self._least_hosts, int(answer[2]))
        if is_permitted:
            self._held.add(permit)
        return JointAnswer(is_permitted, None if wait_s < 0 else wait_s)

    async def release(self, permit: str, more_tokens: float) -> None:
        """Give a call's slot back. It used `more_tokens` than it took."""
        self._held.discard(permit)
        more_s = self._tokens.interval_s * more_tokens
        await self._scripts.run(_RELEASE, self._keys, permit, more_s, MAX_WAIT_S)

    async def renew(self) -> None:
        """Renew the leases of the calls in flight, and this host's own."""
        await self._scripts.run(_RENEW, self._keys, self._member, self._lease_s, *self._held)
