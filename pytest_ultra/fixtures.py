"""What tests are given: the episode of their case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:  # an unused plugin must not import what these need
    from pytest_ultra.benchmark.case import Case
    from pytest_ultra.lived import LivedEpisode

NO_MODEL = "no model is named: add --ultra-model NAME (demo needs no key)"


class Shard(Protocol):
    """The cases of this process, in the making."""

    def start(self, session: pytest.Session) -> None:
        """Make the workflows, waiting for this worker's turn, and begin to live episodes ahead."""

    def live(self, case: Case, nodeid: str) -> LivedEpisode:
        """Wait for the test's episode: each time it asks, another one."""

    def stop(self) -> None:
        """Cancel what is in flight."""


SHARD = pytest.StashKey[Shard]()


@pytest.fixture(scope="session")
def ultra_shard(request: pytest.FixtureRequest) -> Iterator[Shard]:
    """Episodes of this process's cases, being lived ahead."""
    shard = request.config.stash[SHARD]
    shard.start(request.session)
    yield shard
    shard.stop()


@pytest.fixture
def ultra_episode(request: pytest.FixtureRequest) -> LivedEpisode:
    """The episode of the test's case: an `Episode` with `passed`, `assert_passed()` and `explain()`."""
    if SHARD not in request.config.stash:
        pytest.skip(NO_MODEL)
    shard: Shard = request.getfixturevalue("ultra_shard")
    episode = shard.live(request.param, request.node.nodeid)
    request.node.user_properties += [("ultra_case_id", episode.case.case_id), ("ultra_outcome", str(episode.outcome))]
    if episode.outcome == "error":
        pytest.fail(episode.explain(), pytrace=False)
    if episode.outcome == "skipped":
        pytest.skip(episode.error or "not lived")
    return episode
