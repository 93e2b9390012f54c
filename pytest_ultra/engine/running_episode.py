"""What the episodes of models and of users' own agents have in common: their times, their score and their record."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod

import msgspec

from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.json_types import MAX_COUNT
from pytest_ultra.core.suite import EpisodeRules
from pytest_ultra.core.transcript import TOKEN_COUNTS, Attempted, Ended, EndReason, Event, Reply
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.retry import Caller

_TRACEBACK_LINES = 12


class RunningEpisode(ABC):
    """An episode in progress."""

    def __init__(self, assignment: Assignment, caller: Caller, rules: EpisodeRules) -> None:
        self._assignment = assignment
        self._guidance: AnyGuidance | None = None
        self._caller = caller
        self._rules = rules
        self._clock = caller.clock
        self._started_at = self._clock.time()
        self._started = self._clock.now()
        self._events: tuple[Event, ...] = ()
        self._plan = ""
        self._replies: list[Reply] = []
        self._score = Score(Outcome.ERROR, FailureClass.HARNESS)
        self._error: str | None = None
        self._model_time_s = 0.0
        self._tool_time_s = 0.0
        self._waiting_time_s = 0.0
        self._standstill_s = 0.0

    @abstractmethod
    async def run(self) -> None:
        """Run the episode to its end, which `_events` then hold."""

    def score(self) -> None:
        guidance = self._guidance or self._assignment.guidance
        self._score = self._rules.score(self._assignment.case, guidance, self._events)
        last = self._events[-1]
        if isinstance(last, Ended) and (last.reason.is_infrastructure or last.reason is EndReason.SKIPPED):
            self._error = last.detail

    def fail(self, error: BaseException) -> None:
        """End the episode as a failure of the harness, without scoring it."""
        lines = self._caller.redact("".join(traceback.format_exception(error))).splitlines()
        self._error = "\n".join(lines[-_TRACEBACK_LINES:])
        if not (self._events and isinstance(self._events[-1], Ended)):
            self._events = (*self._events, Ended(EndReason.HARNESS, lines[-1]))

    def episode(self, worker: str) -> Episode:
        flawed = self._guidance.flawed if self._guidance else None
        return Episode(
            case=self._assignment.case,
            nodeid=self._assignment.nodeid,
            score=self._score,
            usage=self._usage(),
            worker=worker,
            started_at=self._started_at,
            duration_s=self._clock.now() - self._started,
            error=self._error,
            plan=self._plan,
            transcript=self._events,
            proved_visibility=flawed.visibility if flawed else None,
        )

    def _count_time(self, call_s: float, result: Reply | CallFailed, attempts: list[Attempted]) -> None:
        """Count the last attempt as model time if it got a reply or the model failed in it; the rest is waiting."""
        is_models = isinstance(result, Reply) or result.reason.is_models
        model_s = attempts[-1].duration_s if is_models else 0.0
        self._model_time_s += model_s
        self._waiting_time_s += max(0.0, call_s - model_s)

    def _without_standstill(self, started: float, standstill_s: float) -> float:
        """Return the seconds since `started` that count, and add up those that do not."""
        self._standstill_s += standstill_s
        return max(0.0, self._clock.now() - started - standstill_s)

    def _usage(self) -> Usage:
        return Usage(
            requests=sum(isinstance(event, Attempted) for event in self._events),
            model_time_s=self._model_time_s,
            tool_time_s=self._tool_time_s,
            waiting_time_s=self._waiting_time_s,
            standstill_s=self._standstill_s,
            first_token_s=self._first_token_s(),
            estimated_requests=sum(reply.is_estimated for reply in self._replies),
            cost=self._cost(self._assignment.case.model),
            **self._counted_tokens(),
        )

    def _cost(self, model: str) -> float | None:
        """Return the cost of all replies at the price of a model."""
        price = self._caller.prices.get(model)
        return None if price is None else price.cost_of(msgspec.structs.replace(Reply(), **self._counted_tokens()))

    def _counted_tokens(self) -> dict[str, int]:
        return {name: min(sum(getattr(reply, name) for reply in self._replies), MAX_COUNT) for name in TOKEN_COUNTS}

    def _first_token_s(self) -> float | None:
        """Return the mean time to the first token of the streamed replies, None without one."""
        attempts = (event for event in self._events if isinstance(event, Attempted))
        times = [attempt.first_token_s for attempt in attempts if attempt.first_token_s is not None]
        return sum(times) / len(times) if times else None
