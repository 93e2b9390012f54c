"""The estimated cost of an episode before it is run: requests, tool calls, tokens."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.task import BenchmarkGuidance
from pytest_ultra.benchmark.turn_limit import turn_limit
from pytest_ultra.core.case import Case
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.workflow import Workflow

BYTES_PER_TOKEN = 4.0
FRAME_BYTES = 180.0
"""The JSON around a call and its result in the next request."""
ANSWER_BYTES = 160.0
"""A tool's result, on average over all task types and difficulties."""
REPLY_FRAME_BYTES = 40.0
"""What a model writes around a call's arguments; also the size of its final reply."""


def estimate(case: Case, guidance: BenchmarkGuidance) -> Estimate:
    """Estimate the cost for a model that follows the optimal workflow, one call per turn, and then stops.

    A call with success rate p takes 1/p tries. Every request contains the opening prompt, the tools, and all
    calls and results so far. At most, every turn up to the limit makes such a call.
    """
    limit = float(turn_limit(case, guidance.optimal))
    requests = expect_requests(case, guidance.optimal)
    calls = min(_turns(case, guidance.optimal), limit)
    call_bytes = _mean_call_bytes(guidance.optimal)
    request = Conversation.begin(case, guidance).request()
    opening_bytes = len(msgspec.json.encode(request.messages)) + len(msgspec.json.encode(request.tools))
    growth_bytes = FRAME_BYTES + ANSWER_BYTES + call_bytes

    def tokens(requests: float, calls: float) -> tuple[float, float]:
        prompt_bytes = requests * opening_bytes + growth_bytes * requests * (requests - 1) / 2
        completion_bytes = requests * REPLY_FRAME_BYTES + calls * call_bytes
        return prompt_bytes / BYTES_PER_TOKEN, completion_bytes / BYTES_PER_TOKEN

    return Estimate(requests, calls, *tokens(requests, calls), limit, *tokens(limit, limit))


def expect_requests(case: Case, optimal: Workflow) -> float:
    """Return the number of requests of such a model."""
    return min(_turns(case, optimal) + 1, float(turn_limit(case, optimal)))


def _turns(case: Case, optimal: Workflow) -> float:
    """Return the turns that call a tool. Tool discovery adds one search, and one description for each tool."""
    steps = [step for step in optimal.steps if step.only_if_failed is None]
    discovery = 1 + len({step.call.tool for step in steps}) if case.has_tool_discovery else 0
    return len(steps) / case.tool_success_rate + discovery


def _mean_call_bytes(optimal: Workflow) -> float:
    sizes = [len(step.call.tool) + len(msgspec.json.encode(step.call.arguments)) for step in optimal.steps]
    return sum(sizes) / len(sizes) if sizes else 0.0
