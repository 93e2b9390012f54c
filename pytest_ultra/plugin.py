"""The pytest plugin: nothing but options, a marker and fixtures until a model is named."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra import hookspecs
from pytest_ultra.fixtures import SHARD, ultra_agent, ultra_episode, ultra_faults, ultra_mcp, ultra_shard
from pytest_ultra.options.option_hooks import add_options, read_settings

if TYPE_CHECKING:  # an unused plugin must not import what these need
    from pytest_ultra.core.case import Case
    from pytest_ultra.distribution.placement import Placement
    from pytest_ultra.options.settings import Settings
    from pytest_ultra.worker.shard import Shard

__all__ = ["ultra_agent", "ultra_episode", "ultra_faults", "ultra_mcp", "ultra_shard"]

MARKER = (
    "ultra(model, prompt_type, task_type, difficulty, severity, prompt_variant, tool_protocol, tool_discovery, flaws, "
    "flaw_visibility, tool_success_rate, fault_kind, instance, repeat): "
    "the case that a test takes, set by pytest-ultra; select by -m, as in -m \"ultra(prompt_type='optimal')\". On a "
    "test of your own, it restricts the cases that the test takes."
)

FAULTS_MARKER = (
    "ultra_faults(kinds, seed, success_rate, weights, codes, targets, effect_rate, mutators, error): "
    "the faults of a test that uses the fixture ultra_faults; what is left out is taken from the options."
)

CHOSEN_DIST = pytest.StashKey[str | None]()
"""The user's own `--dist`, None if there is none."""


@pytest.hookimpl
def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl
def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Note the user's `--dist` before xdist sets its own because of `-n`."""
    config.stash[CHOSEN_DIST] = _find_chosen_dist(config)
    workerinput = getattr(config, "workerinput", {})
    if "ultra" in workerinput:
        from pytest_ultra.distribution.rerun_relay import use_relay  # noqa: PLC0415 - only workers have a controller

        use_relay(workerinput)
    if config.getoption("looponfail", default=False):
        from pytest_ultra.collection.other_plugins import refuse_loop  # noqa: PLC0415 - few use it

        refuse_loop(config)
    if config.getoption("ultra_plan") or config.getini("ultra_plan"):
        from pytest_ultra.distribution.single_process import use_single_process  # noqa: PLC0415 - only a plan needs it

        use_single_process(config)
    return (yield)


def _find_chosen_dist(config: pytest.Config) -> str | None:
    """Return the user's own `--dist`, None if there is none; with `--tx`, `-d` only says that workers are used."""
    if config.getoption("distload", default=False):
        return None if config.getoption("tx") else "load"
    chosen: str = config.getoption("dist", "no")
    return None if chosen == "no" else chosen


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.addinivalue_line("markers", FAULTS_MARKER)
    settings = read_settings(config)
    if settings is not None:
        from pytest_ultra.options.settings import SETTINGS  # noqa: PLC0415 - heavy if unused

        config.stash[SETTINGS] = settings
        _join_run(config, settings)


def _join_run(config: pytest.Config, settings: Settings) -> None:
    """Take part in a run: as one of its workers, as the controller of workers, or as its only process."""
    import pytest_ultra.engine.clock  # noqa: F401, PLC0415 - takes the real clock before a test freezes it
    from pytest_ultra.collection.collection_hooks import register_collection  # noqa: PLC0415 - heavy if unused
    from pytest_ultra.distribution.placement import receive  # noqa: PLC0415 - heavy if unused

    cases = register_collection(config, settings)
    placement = receive(config)
    place: Callable[[], Placement] | None
    if placement is not None:
        from pytest_ultra.distribution.report_memory import SentReports  # noqa: PLC0415 - only a worker needs it
        from pytest_ultra.distribution.usage_errors import WorkerUsageErrors  # noqa: PLC0415 - as above

        config.pluginmanager.register(SentReports(config), "ultra-sent-reports")
        config.pluginmanager.register(WorkerUsageErrors(), "ultra-usage-errors")
        place = lambda: placement  # noqa: E731 - the only process computes it, a worker has it
    else:
        from pytest_ultra.controller.session import open_run  # noqa: PLC0415 - workers open no run

        place = open_run(config, settings, cases, chosen_dist=config.stash.get(CHOSEN_DIST, None))
    if place is not None:
        from pytest_ultra.worker.early_import import EarlyImport  # noqa: PLC0415 - a controller runs no episodes
        from pytest_ultra.worker.episode_durations import EpisodeDurations  # noqa: PLC0415 - as above

        config.pluginmanager.register(EarlyImport(config, settings), "ultra-early-import")
        config.pluginmanager.register(EpisodeDurations(), "ultra-episode-durations")
        config.stash[SHARD] = lambda find_agent: _open_shard(config, settings, place(), cases, find_agent)
    gc.freeze()  # these objects stay to the end; pytest's collection at exit would cost 0.1 s for them


def _open_shard(
    config: pytest.Config,
    settings: Settings,
    placement: Placement,
    cases: Mapping[str, Case],
    find_agent: Callable[[], Any],
) -> Shard:
    from pytest_ultra.core.rounds import number_rounds  # noqa: PLC0415 - a controller of workers runs no episodes
    from pytest_ultra.worker.round_gate import RoundGate  # noqa: PLC0415
    from pytest_ultra.worker.shard import Shard  # noqa: PLC0415
    from pytest_ultra.worker.shard_rounds import ShardRounds  # noqa: PLC0415

    rounds = number_rounds(cases, settings.until, settings.instances)
    placement = _join_controller(config, settings, placement, rounds)
    gate = None
    if settings.until is not None:
        from pytest_ultra.controller.stop_rule import make_judge  # noqa: PLC0415 - few runs have rounds

        judge = make_judge(settings, settings.until, cases.values())
        gate = RoundGate(Path(placement.run_folder), judge, number=placement.number, workers=placement.workers)
    return Shard(config, settings, placement, ShardRounds(rounds, gate), find_agent)


def _join_controller(
    config: pytest.Config, settings: Settings, placement: Placement, rounds: Mapping[str, int]
) -> Placement:
    """Return the placement of a worker on its own host, which is another one only if the controller is elsewhere."""
    if placement.shares_disk():
        return placement
    from pytest_ultra.controller.demo.process import start_demo  # noqa: PLC0415 - few workers are on another host
    from pytest_ultra.distribution.controller_connection import find_connection  # noqa: PLC0415
    from pytest_ultra.worker.remote_run import open_remote_run  # noqa: PLC0415

    connection = find_connection(config)
    return open_remote_run(config, settings, placement, rounds=rounds, connection=connection, start_demo=start_demo)
