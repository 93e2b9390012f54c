"""The episode as a test gets it: with a verdict, and with the text that a failure shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_ultra.collection.episode_failures import EpisodeFailedError, EpisodeMissedError
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.options.settings import SETTINGS
from pytest_ultra.reporting.labels import headline
from pytest_ultra.storage.journal import JournalPlace


class EpisodeResult(Episode, frozen=True, kw_only=True):
    """An episode, the guidance that its agent got, and the least outcome that passes."""

    load_guidance: Callable[[], AnyGuidance]
    least_outcome: Outcome
    place: JournalPlace

    @property
    def guidance(self) -> AnyGuidance:
        return self.load_guidance()

    @property
    def passed(self) -> bool:
        return self.outcome in (Outcome.FULL, self.least_outcome)

    @property
    def world(self) -> Mapping[str, Any]:
        """The state of the world at the end, in a suite of the user's own. Raises TypeError in the built-in one."""
        from pytest_ultra.custom.custom_task import CustomTask  # noqa: PLC0415 - only own suites need it
        from pytest_ultra.custom.goal_state import final_state  # noqa: PLC0415 - only own suites need it

        task = self.guidance.task
        if not isinstance(task, CustomTask):
            raise TypeError("only an episode of a suite of your own has a world: name one by --ultra-suite")
        return final_state(task, self.transcript)

    @property
    def answer(self) -> Any:
        """The answer in the last words, as the score reads it; None without one."""
        from pytest_ultra.custom.goal_state import find_answer  # noqa: PLC0415 - few tests need it

        return find_answer(self.transcript)

    def explain(self) -> str:
        """Describe the episode: the plan, the transcript, and where they diverged."""
        from pytest_ultra.collection.run_suite import SUITE  # noqa: PLC0415 - only a failure needs it
        from pytest_ultra.reporting.failure_text import explain  # noqa: PLC0415 - only a failure needs it

        guidance = self.guidance
        return explain(self, guidance, SUITE.check_goal(guidance, self.transcript))

    def assert_passed(self) -> None:
        """Fail the test with the text of `explain`, unless the episode passed."""
        __tracebackhide__ = True  # a debugger stops in the test
        if not self.passed:
            raise self.failure()

    def failure(self) -> EpisodeFailedError:
        return EpisodeFailedError(headline(self), self.place, self.explain)


def make_result(
    episode: Episode, load_guidance: Callable[[], AnyGuidance], least_outcome: str, place: JournalPlace
) -> EpisodeResult:
    fields = {name: getattr(episode, name) for name in Episode.__struct_fields__}
    return EpisodeResult(**fields, load_guidance=load_guidance, least_outcome=Outcome(least_outcome), place=place)


def leave_to_gates(episode: EpisodeResult, config: pytest.Config) -> None:
    """Report a missed case as an expected failure if gates decide about the run; do nothing under `--runxfail`."""
    is_missed = config.stash[SETTINGS].gates.decide_run and episode.outcome.is_scored and not episode.passed
    if is_missed and not config.getoption("runxfail"):
        raise EpisodeMissedError(str(episode.outcome), headline(episode), episode.place)
