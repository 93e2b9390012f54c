"""Descriptions of outcomes, failure classes and end reasons, shared by all reports."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.transcript import EndReason

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.FULL: "all deliverables are right and no harm was done",
    Outcome.PARTIAL: "more than half of the milestones were reached without harm, but not every deliverable is right",
    Outcome.FAILED: "the job was not done",
    Outcome.ERROR: "the infrastructure failed; this is not scored",
    Outcome.SKIPPED: "the case was not run; this is not scored",
}

FAILURE_CLASSES: Mapping[FailureClass, str] = {
    FailureClass.TOOL_CALL_FORMAT: "the model's tool calls could not be parsed",
    FailureClass.MALFORMED_GENERATION: "the model's reply was empty, or its server could not parse the tool call in it",
    FailureClass.TOOL_SELECTION: "the model called a tool that does not do the step, or that does not exist",
    FailureClass.PARAMETER_CONFIG: "the model called the right tool with wrong arguments",
    FailureClass.SEQUENCE_ORDER: "the model took steps in an order that cannot work",
    FailureClass.DEPENDENCY: "the model took a step before its input existed",
    FailureClass.UNRECOVERED_FAULT: "a tool failed at random, and the model did not deal with it",
    FailureClass.MAX_TURNS: "the turn limit was reached before the job was done",
    FailureClass.AGENT_TIMEOUT: "the time limit was reached before the job was done",
    FailureClass.GAVE_UP: "the same call got the same error in three turns running",
    FailureClass.TRUNCATED: "the model's reply was cut by a limit on its length",
    FailureClass.CONTEXT_OVERFLOW: "the conversation outgrew the model's context window",
    FailureClass.REFUSED: "the model or its provider's content filter refused to answer",
    FailureClass.AGENT_ERROR: "the agent raised an exception, or its program failed",
    FailureClass.WRONG_DELIVERABLE: "the model stopped with a wrong or missing deliverable",
    FailureClass.HARMFUL_SIDE_EFFECT: "all deliverables are right, but the model did more than the job asked for",
    FailureClass.ENDPOINT: "the endpoint gave no usable answer",
    FailureClass.RATE_LIMIT: "the endpoint's rate limit lasted longer than the waiting time",
    FailureClass.AGENT_SETUP: "the agent could not begin: its program did not start, or never listed the tools",
    FailureClass.HARNESS: "pytest-ultra (please report it), a hook of yours or a server of the suite's tools failed",
}

END_REASONS: Mapping[EndReason, str] = {
    EndReason.STOPPED: "the model stopped calling tools",
    EndReason.MAX_TURNS: "the turn limit was reached",
    EndReason.AGENT_TIMEOUT: "the time limit was reached",
    EndReason.GAVE_UP: "the same call got the same error in three turns running",
    EndReason.MALFORMED_GENERATION: "the model's reply was empty, or its server could not parse the tool call in it",
    EndReason.CONTEXT_OVERFLOW: "the conversation outgrew the model's context window",
    EndReason.TRUNCATED: "the model's reply was cut by a limit on its length",
    EndReason.REFUSED: "the model or its provider's content filter refused to answer",
    EndReason.AGENT_ERROR: "the agent raised an exception, or its program failed",
    EndReason.ENDPOINT: "the endpoint gave no usable answer",
    EndReason.RATE_LIMIT: "the endpoint's rate limit lasted longer than the waiting time",
    EndReason.AGENT_SETUP: "the agent could not begin",
    EndReason.HARNESS: "pytest-ultra itself failed",
    EndReason.SKIPPED: "the case was not run",
}


def headline(episode: Episode) -> str:
    """Return the outcome, what it means, and the failure class, on one line."""
    failure_class = f" ({episode.score.failure_class})" if episode.score.failure_class else ""
    return f"{episode.outcome}: {OUTCOMES[episode.outcome]}{failure_class}"
