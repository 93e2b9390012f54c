"""What tests are given: the episode of their case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # an unused plugin must not import what these need
    from pytest_ultra.worker.episode_result import LivedEpisode
    from pytest_ultra.worker.shard import Shard

NO_MODEL = "no model is named: add --ultra-model NAME (demo needs no key)"


SHARD = pytest.StashKey[Callable[[], "Shard"]]()
"""Makes the shard of this process; not there where no model is named, and in a controller."""


@pytest.fixture(scope="session")
def ultra_shard(request: pytest.FixtureRequest) -> Iterator[Shard]:
    """Episodes of this process's cases, being lived ahead."""
    shard = request.config.stash[SHARD]()
    try:
        shard.start(request.session)
        yield shard
    finally:
        shard.stop()


@pytest.fixture
def ultra_episode(request: pytest.FixtureRequest) -> LivedEpisode:
    """The episode of the test's case: an `Episode` with `passed`, `assert_passed()` and `explain()`."""
    if SHARD not in request.config.stash:
        pytest.skip(NO_MODEL)
    shard: Shard = request.getfixturevalue("ultra_shard")
    episode = shard.live(request.param, request.node.nodeid)
    _note(request.node, episode)
    if episode.outcome == "error":
        pytest.fail(episode.explain(), pytrace=False)
    if episode.outcome == "skipped":
        pytest.skip(episode.error or "not lived")
    return episode


def _note(item: pytest.Item, episode: LivedEpisode) -> None:
    """Put on the test's reports which case it took and what became of it; a rerun's replace those before."""
    from pytest_ultra.worker.report_properties import PROPERTIES, properties_of  # noqa: PLC0415 - an unused plugin needs none of it

    others = [entry for entry in item.user_properties if entry[0] not in PROPERTIES]
    item.user_properties[:] = [*others, *properties_of(episode).items()]
