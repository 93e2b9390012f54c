"""Opening a run: which hooks take part in which process."""

from __future__ import annotations

import pytest

from pytest_ultra.collection.hooks import CASES, CollectionHooks
from pytest_ultra.collection.plan import plan_cases
from pytest_ultra.distribution.placement import Placement, is_distributed
from pytest_ultra.options.settings import Settings, check_outputs


def begin(config: pytest.Config, settings: Settings, *, chosen_dist: str | None) -> None:
    check_outputs(settings)
    cases = plan_cases(settings)
    config.stash[CASES] = cases
    config.pluginmanager.register(CollectionHooks(config, cases), "ultra-collection")
    if is_distributed(config):
        from pytest_ultra.distribution.controller import Distribution  # noqa: PLC0415 - xdist need not be there

        hooks = Distribution(cases.keys(), chosen_dist, base=Placement)
        config.pluginmanager.register(hooks, "ultra-distribution")
