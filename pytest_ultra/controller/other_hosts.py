"""What a run on several hosts can do and cannot: checked before it starts, or said in its header."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_ultra.distribution.placement import find_other_hosts, is_distributed
from pytest_ultra.engine.redis_connection import check_redis
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.requested_limits import budget_limits, endpoint_limits
from pytest_ultra.options.settings import Settings


def check_sharing(config: pytest.Config, settings: Settings) -> None:
    """Raise `pytest.UsageError` if Redis cannot be used, or for what workers on other hosts could not keep to."""
    if settings.redis is not None and not config.getoption("collectonly"):
        try:
            check_redis(settings.redis)
        except ConfigurationError as error:
            raise pytest.UsageError(f"--ultra-redis: {error}") from None
    if not is_distributed(config) or not find_other_hosts(config):
        return
    for problem in _find_problems(settings):
        raise pytest.UsageError(problem)
    if endpoint_limits(settings).is_set and settings.redis is None:
        config.pluginmanager.register(_SeparateLimits(), "ultra-other-hosts")


def _find_problems(settings: Settings) -> Iterator[str]:
    if budget_limits(settings).is_limited and settings.redis is None:
        yield (
            "--ultra-max-cost, --ultra-max-tokens and --ultra-max-requests: workers on other hosts (--tx) share no "
            "file with this one, so nothing would hold the budget; add --ultra-redis URL, or use the workers of one "
            "host"
        )
    if settings.until is not None:
        yield (
            "--ultra-until needs workers that share the run's directory; leave out the workers on other hosts (--tx), "
            "or give a number of instances"
        )
    if settings.cassette in ("record", "auto"):
        yield (
            f"--ultra-cassette={settings.cassette}: workers on other hosts (--tx) would record answers there; record "
            "them on one host, or use replay"
        )


class _SeparateLimits:
    """Says in the header that nothing joins the limits of the hosts."""

    @pytest.hookimpl
    def pytest_report_header(self) -> str:
        return "ultra: limits hold on each host by itself; --ultra-redis URL makes all hosts hold them together"
