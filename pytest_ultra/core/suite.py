"""The suite protocol: where tasks, tools and scoring come from. The built-in benchmark is the only one so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Score
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.transcript import Attempted, EndReason, Event, Reply, ToolCall
from pytest_ultra.core.workflow import Workflow


class Conversation(Protocol):
    """An episode so far, as an immutable value; each step returns the next one. It runs the tools itself."""

    @property
    def events(self) -> tuple[Event, ...]: ...

    @property
    def ended(self) -> EndReason | None:
        """Why the episode has ended; None while it goes on."""

    @property
    def plan(self) -> str:
        """The plan's text as the model sees it; empty without one."""

    def request(self) -> ChatRequest:
        """Return the request of the turn at hand."""

    def note(self, attempted: Attempted, /) -> Self:
        """Add an HTTP attempt to the events."""

    def steps(self, reply: Reply, /) -> Iterator[Self]:
        """Take the model's reply of this turn: run its tool calls, or end. Yield the conversation after each of them.

        The last one is ready for the next turn. No step is long, so that other episodes can run in between.
        """

    def add_reply(self, reply: Reply, /) -> Self:
        """Add the reply of this turn without running its calls. An agent makes those by `take_call`."""

    def take_call(self, call: ToolCall, number: int, /) -> Self:
        """Run the call of this turn with this number, from 0. Its result is the last message of `request`."""

    def end_turn(self, reply: Reply, /, *, has_called: bool) -> Self:
        """Go on to the turn after this reply, or end."""

    def fall_back(self, detail: str, /) -> Self:
        """Start again in the text protocol, since the endpoint rejects native tools."""

    def end(self, reason: EndReason, detail: str, /) -> Self: ...


class EpisodeRules(Protocol):
    """The part of a suite that the engine needs: how an episode begins, and what its events are worth."""

    def begin(self, case: Case, guidance: AnyGuidance, /) -> Conversation: ...

    def score(self, case: Case, guidance: AnyGuidance, events: Sequence[Event], /) -> Score: ...


class Suite(EpisodeRules, Protocol):
    """A whole suite. All of it is pure: the same arguments give the same result."""

    @property
    def task_type(self) -> type[Any]:
        """The record of a task, as the guidance cache stores it."""

    def make_task(self, case: Case, /) -> Any:
        """Generate the task of a case."""

    def make_guidance(self, case: Case, *, task: Any = None, optimal: Workflow | None = None) -> AnyGuidance:
        """Generate what a case needs, from a task or an optimal workflow if there is one already."""

    def check_goal(self, guidance: AnyGuidance, events: Sequence[Event], /) -> GoalReport:
        """Compare what an episode's events left behind with what the task wanted."""

    def expect_requests(self, case: Case, guidance: AnyGuidance, /) -> float:
        """Return how many requests an episode is expected to take."""

    def estimate(self, case: Case, guidance: AnyGuidance, /) -> Estimate:
        """Return the requests, tool calls and tokens that an episode is expected to take."""
