"""The episode as a test gets it: with a verdict, and with the text that a failure shows."""

from __future__ import annotations

import pytest

from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.options.settings import SETTINGS


class EpisodeResult(Episode, frozen=True, kw_only=True):
    """An episode, the guidance that its agent got, and the least outcome that passes."""

    guidance: AnyGuidance
    least_outcome: Outcome

    @property
    def passed(self) -> bool:
        return self.outcome in (Outcome.FULL, self.least_outcome)

    def explain(self) -> str:
        """Describe the episode: the plan, the transcript, and where they diverged."""
        from pytest_ultra.collection.run_suite import SUITE  # noqa: PLC0415 - only a failure needs it
        from pytest_ultra.reporting.failure_text import explain  # noqa: PLC0415 - only a failure needs it

        return explain(self, self.guidance, SUITE.check_goal(self.guidance, self.transcript))

    def assert_passed(self) -> None:
        """Fail the test with the text of `explain`, unless the episode passed."""
        __tracebackhide__ = True
        if not self.passed:
            pytest.fail(self.explain(), pytrace=False)


def make_result(episode: Episode, guidance: AnyGuidance, least_outcome: str) -> EpisodeResult:
    fields = {name: getattr(episode, name) for name in Episode.__struct_fields__}
    return EpisodeResult(**fields, guidance=guidance, least_outcome=Outcome(least_outcome))


def leave_to_gates(episode: EpisodeResult, config: pytest.Config) -> None:
    """Report a missed case as an expected failure if gates decide about the run; do nothing under `--runxfail`."""
    if config.stash[SETTINGS].gates.decide_run and episode.outcome.is_scored and not episode.passed:
        pytest.xfail(str(episode.outcome))
