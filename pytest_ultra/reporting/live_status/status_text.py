"""The status of a run as one plain line for logs, and the texts that it shares with the terminal layout."""

from __future__ import annotations

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.reporting.budget_lines import dollars, estimate_mark
from pytest_ultra.reporting.figure_format import coarse_percent
from pytest_ultra.reporting.live_status.status_snapshot import StatusSnapshot
from pytest_ultra.reporting.text import count, excerpt, neutralise

_MINUTE_S = 60
_HOUR_S = 3600
_THOUSAND = 1_000
_MILLION = 1_000_000
_MAX_NAMED = 8
_MAX_WORDS = 120
_MAX_MODELS = 4


def plain_line(status: StatusSnapshot) -> str:
    """Return the whole status on one line; of many workers, it names only the slowest and the fastest."""
    parts = [
        f"{done_of_all(status)} done{reused_and_reported(status)}",
        *outcomes(status),
        *rate(status.episode_rate, "episodes"),
        eta(status),
    ]
    parts += [calls(status), *rate(status.call_rate, "calls"), usage(status)]
    if status.workers > 1:
        parts.append(_worker_progress(status))
    if status.said:
        parts.append(words(status, _MAX_WORDS))
    return f"ultra: {'; '.join(parts)}"


def rate(per_s: float | None, what: str) -> list[str]:
    """Return a rate per second or minute, in a list that is empty if there is none."""
    if not per_s:
        return []
    return [f"{per_s:.1f} {what}/s" if per_s >= 1 else f"{per_s * _MINUTE_S:.1f} {what}/min"]


def eta(status: StatusSnapshot) -> str:
    if status.done >= status.planned:
        return "all done"
    if status.eta_s is None:
        return "ETA -"
    return f"ETA {'at most ' if status.context.may_end_early else ''}{clock(status.eta_s)}"


def done_of_all(status: StatusSnapshot) -> str:
    return f"{status.done:,}{' of up to ' if status.context.may_end_early else '/'}{status.planned:,}"


def calls(status: StatusSnapshot) -> str:
    retries = f", {status.backing_off:,} to try again" if status.backing_off else ""
    for_limits = status.waiting - status.backing_off
    return f"{count(status.in_flight, 'call')} in flight, {for_limits:,} waiting for limits{retries}"


def outcomes(status: StatusSnapshot) -> list[str]:
    """Return the results of the finished cases, and each model's success so far; empty without any."""
    tallies = status.tallies
    if not tallies:
        return []
    passed, failed = sum(tally.passed for tally in tallies), sum(tally.failed for tally in tallies)
    shown = f"{passed:,} passed, {failed:,} failed, {count(sum(tally.errors for tally in tallies), 'error')}"
    scored = [tally for tally in tallies if tally.scored]
    successes = [
        f"{neutralise(tally.model)} {coarse_percent(tally.full / tally.scored)} of {tally.scored:,}"
        for tally in scored[:_MAX_MODELS]
    ]
    more = len(scored) - _MAX_MODELS
    return [shown, *successes, *([f"and {count(more, 'more model')}"] if more > 0 else [])]


def usage(status: StatusSnapshot) -> str:
    limit = status.context.max_tokens
    of_limit = "" if limit is None else f" of {limit:,}"
    return f"{estimate_mark(status.estimated)}{count(status.tokens, 'token')}{of_limit}, {cost(status)}"


def cost(status: StatusSnapshot) -> str:
    limit = status.context.max_cost
    of_limit = "" if limit is None else f" of {dollars(limit)}"
    return (
        "cost unknown" if status.cost is None else f"{estimate_mark(status.estimated)}{dollars(status.cost)}{of_limit}"
    )


def words(status: StatusSnapshot, room: int) -> str:
    """Return what an endpoint said last, while calls wait."""
    return f"the endpoint says: {excerpt(' '.join(status.said.split()), room)}"


def short_tokens(tokens: int) -> str:
    """Format a number of tokens, from 10,000 on in thousands or millions."""
    if tokens < _THOUSAND * 10:
        return count(tokens, "token")
    if tokens < _MILLION:
        return f"{tokens / _THOUSAND:.0f}k tokens"
    return f"{tokens / _MILLION:,.1f}M tokens"


def clock(seconds: float) -> str:
    """Format a duration as m:ss, or as h:mm:ss from an hour on."""
    minutes, left_s = divmod(round(seconds), _MINUTE_S)
    hours, left_min = divmod(minutes, _MINUTE_S)
    return f"{hours}:{left_min:02}:{left_s:02}" if hours else f"{left_min}:{left_s:02}"


def done_of_planned(shard: ShardProgress) -> str:
    planned = "?" if shard.planned is None else f"{shard.planned:,}"
    return f"{shard.done:,}/{planned}"


def worker_name(shard: ShardProgress) -> str:
    return neutralise(shard.worker)


def reused_and_reported(status: StatusSnapshot) -> str:
    """Return how many finished cases are from an earlier run, and how many pytest has reported, if not all."""
    parts = [f"{status.reused:,} reused"] if status.reused else []
    if status.reported is not None and status.reported < status.done:
        parts.append(f"{status.reported:,} reported")
    return f" ({', '.join(parts)})" if parts else ""


def _worker_progress(status: StatusSnapshot) -> str:
    named = [f"{worker_name(shard)} {done_of_planned(shard)}" for shard in status.shards]
    if len(named) > _MAX_NAMED:
        behind = sorted(status.shards, key=lambda shard: shard.done / (shard.planned or 1))
        named = [f"{worker_name(shard)} {done_of_planned(shard)}" for shard in (behind[0], behind[-1])]
        return f"{status.workers} workers, from {' to '.join(named)}"
    return ", ".join(named)
