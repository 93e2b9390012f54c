"""The fixtures: a test gets the episode of its case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.options.option_hooks import REQUIRE
from pytest_ultra.options.option_reading import read_option

if TYPE_CHECKING:  # an unused plugin must not import what these need
    from pytest_ultra.collection.tool_fault_tests import McpServers
    from pytest_ultra.real_tools.injected_faults import ToolFaults
    from pytest_ultra.worker.episode_result import EpisodeResult
    from pytest_ultra.worker.shard import Shard

NO_MODEL = "no model is named: add --ultra-model NAME (demo needs no key), or --ultra-agent MODULE:ATTR"

SHARD = pytest.StashKey[Callable[[Callable[[], Any]], "Shard"]]()
"""Makes the shard of this process, given what returns the fixture `ultra_agent`.

Missing if no model is named, and in xdist's controller.
"""


@pytest.fixture(scope="session")
def ultra_agent() -> Any:
    """Your own agents: override it to return a function, or a mapping of names given to `--ultra-agent`."""
    return None


@pytest.fixture(scope="session")
def ultra_shard(request: pytest.FixtureRequest) -> Iterator[Shard]:
    """The episodes of this process's cases, which run ahead of their tests."""
    shard = request.config.stash[SHARD](lambda: request.getfixturevalue("ultra_agent"))
    try:
        shard.start(request.session)
        yield shard
    finally:
        from pytest_ultra.collection.time_limits import TIME_LIMITS  # noqa: PLC0415 - heavy if unused

        with request.config.stash[TIME_LIMITS].lifted():
            shard.stop()


@pytest.fixture
def ultra_faults(request: pytest.FixtureRequest) -> Iterator[ToolFaults]:
    """Faults for the test's own tools: a `ToolFaults`, whose seed is the test's node id. It needs no model."""
    from pytest_ultra.collection.tool_fault_tests import open_faults  # noqa: PLC0415 - heavy if unused

    with open_faults(request) as faults:
        yield faults


@pytest.fixture
def ultra_mcp(request: pytest.FixtureRequest, ultra_faults: ToolFaults) -> McpServers:
    """The MCP servers of `--ultra-mcp` by name: an `McpProxy` each, with the faults of `ultra_faults`."""
    from pytest_ultra.collection.tool_fault_tests import open_servers  # noqa: PLC0415 - heavy if unused

    return open_servers(request, ultra_faults)


@pytest.fixture
def ultra_episode(request: pytest.FixtureRequest) -> EpisodeResult:
    """The episode of the test's case: an `Episode` with `passed`, `assert_passed()` and `explain()`."""
    __tracebackhide__ = True  # of an error in the user's hooks, pytest shows the user's code alone
    if SHARD not in request.config.stash:
        if read_option(request.config, REQUIRE):
            pytest.fail(f"--ultra-require: {NO_MODEL}", pytrace=False)
        pytest.skip(NO_MODEL)
    from pytest_ultra.collection.other_plugins import refuse_test  # noqa: PLC0415 - heavy if unused
    from pytest_ultra.collection.time_limits import TIME_LIMITS  # noqa: PLC0415 - heavy if unused

    refuse_test(request)
    with request.config.stash[TIME_LIMITS].lifted():
        episode = _wait_for_episode(request)
    _add_properties(request.node, episode)
    if episode.outcome == "error":
        raise episode.failure()
    if episode.outcome == "skipped":
        pytest.skip(episode.error or "not run")
    return episode


def _wait_for_episode(request: pytest.FixtureRequest) -> EpisodeResult:
    """Wait for the start of the shard and for the episode; note how long, for the durations in the test's reports."""
    __tracebackhide__ = True
    from pytest_ultra.engine.clock import SYSTEM_CLOCK  # noqa: PLC0415 - heavy if unused
    from pytest_ultra.worker.episode_durations import EPISODE_TIMES, EpisodeTimes  # noqa: PLC0415 - heavy if unused

    times = request.node.stash[EPISODE_TIMES] = EpisodeTimes()
    started_at = SYSTEM_CLOCK.now()
    try:
        episode = _find_shard(request).wait_for_episode(request.param, request.node.nodeid)
    finally:
        times.waited_s = SYSTEM_CLOCK.now() - started_at
    times.episode_s = 0.0 if episode.reused else episode.duration_s
    return episode


def _find_shard(request: pytest.FixtureRequest) -> Shard:
    """Return the shard; if it cannot start, note this in the test's report: the run is interrupted.

    What pytest-ultra itself refuses needs no traceback; an error in the user's own code keeps it.
    """
    from pytest_ultra.errors import UltraError  # noqa: PLC0415 - heavy if unused

    try:
        shard: Shard = request.getfixturevalue("ultra_shard")
    except (UltraError, pytest.UsageError) as error:
        _note_not_started(request, str(error))
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except Exception as error:
        system_error: str | None = getattr(error, "strerror", None)
        _note_not_started(request, system_error.lower() if system_error else f"{type(error).__name__}: {error}")
        raise
    return shard


def _note_not_started(request: pytest.FixtureRequest, reason: str) -> None:
    from pytest_ultra.collection.items import NOT_STARTED  # noqa: PLC0415 - heavy if unused

    request.node.user_properties.append((NOT_STARTED, reason))


def _add_properties(item: pytest.Item, episode: EpisodeResult) -> None:
    """Put the case and its outcome on the test's reports; those of a rerun replace the earlier ones."""
    from pytest_ultra.reporting.case_properties import PROPERTIES, properties_of  # noqa: PLC0415 - heavy if unused

    others = [entry for entry in item.user_properties if entry[0] not in PROPERTIES]
    item.user_properties[:] = [*others, *properties_of(episode).items()]
