"""The durations of tests that take a case: each is that of its own episode, not of the wait for it."""

from __future__ import annotations

from collections.abc import Generator

import msgspec
import pytest


class EpisodeTimes(msgspec.Struct):
    """How long a test's set-up waited, for the start of the shard and for its episode, and how long the episode took.

    The episode of a test that reuses an earlier result took no time.
    """

    waited_s: float = 0.0
    episode_s: float = 0.0


EPISODE_TIMES = pytest.StashKey[EpisodeTimes]()


class EpisodeDurations:
    """Hook implementations of a process that runs episodes.

    All episodes of a process are run at once, so the first test would wait for most of them, and the others for none.
    Plugins that divide tests by their durations would take the first one for the longest by far.
    """

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        times = item.stash.get(EPISODE_TIMES, None)
        if times is not None and report.when == "setup":
            report.duration = max(report.duration - times.waited_s, 0.0)
        if times is not None and (report.when == "call" or (report.when == "setup" and not report.passed)):
            report.duration += times.episode_s
        return report
