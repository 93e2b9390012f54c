"""The episode as a test is given it: with a verdict, and with what a failure shows."""

from __future__ import annotations

import pytest

from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.guidance import AnyGuidance


class LivedEpisode(Episode, frozen=True, kw_only=True):
    """An episode, the guidance that it was lived under, and the least outcome that passes."""

    guidance: AnyGuidance
    least_outcome: Outcome

    @property
    def passed(self) -> bool:
        return self.outcome in (Outcome.FULL, self.least_outcome)

    def explain(self) -> str:
        """Tell the episode: the plan, the transcript, and where they parted."""
        from pytest_ultra.benchmark.suite import BENCHMARK  # noqa: PLC0415 - only a failure needs it
        from pytest_ultra.reporting.failure_text import explain  # noqa: PLC0415 - likewise

        return explain(self, self.guidance, BENCHMARK.check_goal(self.guidance, self.transcript))

    def assert_passed(self) -> None:
        """Fail the test, telling the episode, unless it passed."""
        __tracebackhide__ = True
        if not self.passed:
            pytest.fail(self.explain(), pytrace=False)


def present(episode: Episode, guidance: AnyGuidance, least_outcome: str) -> LivedEpisode:
    fields = {name: getattr(episode, name) for name in Episode.__struct_fields__}
    return LivedEpisode(**fields, guidance=guidance, least_outcome=Outcome(least_outcome))
