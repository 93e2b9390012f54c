"""The status of a run as one plain line, for logs, and the words that this shares with the picture."""

from __future__ import annotations

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.reporting.budget_lines import dollars
from pytest_ultra.reporting.live_status.run_status_record import Status
from pytest_ultra.reporting.text import count, neutralise

_MINUTE_S = 60
_HOUR_S = 3600
_THOUSAND = 1_000
_MILLION = 1_000_000
_MOST_NAMED = 8


def plain_line(status: Status) -> str:
    """Tell everything on one line; of many workers, only how far the first and the last of them are."""
    told = [
        f"{status.done:,}/{status.planned:,} done{_reused(status)}",
        *rate(status.episode_rate, "episodes"),
        eta(status),
    ]
    told += [calls(status), *rate(status.call_rate, "calls"), spent(status)]
    if status.workers > 1:
        told.append(_workers(status))
    return f"ultra: {'; '.join(told)}"


def rate(per_s: float | None, what: str) -> list[str]:
    """Return how fast something comes, nothing where it does not."""
    if not per_s:
        return []
    return [f"{per_s:.1f} {what}/s" if per_s >= 1 else f"{per_s * _MINUTE_S:.1f} {what}/min"]


def eta(status: Status) -> str:
    if status.done >= status.planned:
        return "all done"
    return f"ETA {'-' if status.eta_s is None else clock(status.eta_s)}"


def calls(status: Status) -> str:
    return f"{count(status.in_flight, 'call')} in flight, {status.waiting:,} waiting for limits"


def spent(status: Status) -> str:
    return f"{count(status.tokens, 'token')}, {cost(status)}"


def cost(status: Status) -> str:
    return "cost unknown" if status.cost is None else dollars(status.cost)


def short_tokens(tokens: int) -> str:
    """Write a number in thousands or millions where it has more digits than a glance takes in."""
    if tokens < _THOUSAND * 10:
        return count(tokens, "token")
    if tokens < _MILLION:
        return f"{tokens / _THOUSAND:.0f}k tokens"
    return f"{tokens / _MILLION:,.1f}M tokens"


def clock(seconds: float) -> str:
    """Write a duration as m:ss, or h:mm:ss from an hour on."""
    minutes, left_s = divmod(round(seconds), _MINUTE_S)
    hours, left_min = divmod(minutes, _MINUTE_S)
    return f"{hours}:{left_min:02}:{left_s:02}" if hours else f"{left_min}:{left_s:02}"


def share(shard: ShardProgress) -> str:
    planned = "?" if shard.planned is None else f"{shard.planned:,}"
    return f"{shard.done:,}/{planned}"


def name(shard: ShardProgress) -> str:
    return neutralise(shard.worker)


def _reused(status: Status) -> str:
    return f" ({status.reused:,} reused)" if status.reused else ""


def _workers(status: Status) -> str:
    named = [f"{name(shard)} {share(shard)}" for shard in status.shards]
    if len(named) > _MOST_NAMED:
        behind = sorted(status.shards, key=lambda shard: shard.done / (shard.planned or 1))
        named = [f"{name(shard)} {share(shard)}" for shard in (behind[0], behind[-1])]
        return f"{status.workers} workers, from {' to '.join(named)}"
    return ", ".join(named)
