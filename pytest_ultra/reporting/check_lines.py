"""The findings of `pytest-ultra check` in words."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.endpoint_check import EndpointCheck, KeyState, ToolSupport
from pytest_ultra.core.prices import AS_OF

_KEYS = {
    KeyState.ACCEPTED: "accepted",
    KeyState.REJECTED: "rejected, or one is needed",
    KeyState.NONE: "none is set, and none was asked for",
    KeyState.UNKNOWN: "not known",
}
_TOOLS = {
    ToolSupport.NATIVE: "native: it called the tool as asked",
    ToolSupport.NO_CALL: "it did not call the tool when asked to; try --ultra-tool-protocol text",
    ToolSupport.REJECTED: "rejected by the endpoint; use --ultra-tool-protocol text",
    ToolSupport.UNKNOWN: "not known",
}


def check_lines(check: EndpointCheck) -> Iterator[str]:
    """Yield the lines of one model: its name and address, and a finding a line."""
    yield f"{check.model} at {check.address}" if check.address else check.model
    yield from (f"  {name:<12}{finding}" for name, finding in _findings(check))


def _findings(check: EndpointCheck) -> Iterator[tuple[str, str]]:
    yield "reachable", "yes" if check.is_reachable else "no"
    if check.problem is not None:
        yield "problem", check.problem
    if check.advice:
        yield "advice", check.advice
    yield "key", _KEYS[check.key]
    if check.latency_s is None:
        return
    yield "answered by", " ".join(filter(None, [check.answered_by, check.fingerprint])) or "it does not say"
    yield "tools", _TOOLS[check.tools]
    yield "dialect", "; ".join(f"asked again {change}" for change in check.changes) or "nothing had to be changed"
    yield "limits", _limits(check)
    speed = "" if check.tokens_per_s is None else f", {check.tokens_per_s:,.0f} tokens/s"
    yield "latency", f"{check.latency_s:.2f} s{speed}"
    yield "price", _price(check)


def _limits(check: EndpointCheck) -> str:
    if check.quota_left is None or check.quota_reset_s is None:
        return "not stated in the headers of its answers"
    return f"{check.quota_left:.1%} left of the scarcest, full again in {check.quota_reset_s:,.0f} s"


def _price(check: EndpointCheck) -> str:
    if check.prompt_price is None or check.completion_price is None:
        return f"not known; give it with --ultra-price '{check.model}=PROMPT,COMPLETION'"
    rates = f"${check.prompt_price:g} and ${check.completion_price:g} per million prompt and completion tokens"
    return f"{rates} (the table of {AS_OF}, or --ultra-price)"
