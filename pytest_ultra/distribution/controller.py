"""The controller's side of xdist: telling workers their place, and choosing the scheduler."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest
from xdist.remote import Producer
from xdist.scheduler import Scheduling
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.placement import Placement, send
from pytest_ultra.distribution.scheduler import ShardScheduling


class Distribution:
    """Hook implementations for a run on xdist's workers."""

    def __init__(
        self,
        config: pytest.Config,
        case_ids: Collection[str],
        chosen_dist: str | None,
        *,
        base: Callable[[], Placement],
        plan: Callable[[Sequence[str]], None],
        stop: Callable[[], None],
    ) -> None:
        """Take the user's own `--dist`, and what the run is told and asked.

        `base`, called per worker, gives what holds for all of them; `plan` is told the tests that were
        selected; `stop` is to stop the workers at once.
        """
        self._plan = plan
        self._stop = stop
        self._config = config
        self._case_ids = case_ids
        self._chosen_dist = chosen_dist
        self._base = base
        self._started = 0
        self._scheduler: ShardScheduling | None = None

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        other = self._other_scheduler()
        if other is None:
            return []
        cost = f"ultra: with {other} a worker learns of its tests one by one and lives one episode at a time; "
        return [f"{cost}leave it out, and all of a worker's episodes are lived together"]

    @pytest.hookimpl(trylast=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Scheduling | None:
        """Go after a scheduler of the user's own, and before xdist's."""
        if self._other_scheduler() is None:
            self._scheduler = ShardScheduling(config, log, self._case_ids)
        return self._scheduler

    @pytest.hookimpl
    def pytest_configure_node(self, node: WorkerController) -> None:
        workers: int = node.workerinput["workercount"]
        number, remaining = self._place(workers)
        place = replace(
            self._base(),
            worker=node.gateway.id,
            number=number,
            workers=workers,
            is_sharded=self._other_scheduler() is None,
            remaining=remaining,
        )
        send(place, node.workerinput)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._plan(ids)

    @pytest.hookimpl
    def pytest_runtest_logfinish(self) -> None:
        self._stop_in_time()

    @pytest.hookimpl
    def pytest_runtest_logreport(self) -> None:
        self._stop_in_time()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController) -> None:
        """Have the others stop when a worker has stopped by itself, as by `--sw` or `pytest.exit`; it is no crash."""
        ended: Mapping[str, object] = getattr(node, "workeroutput", {})
        is_interrupted = ended.get("exitstatus") == pytest.ExitCode.INTERRUPTED
        if is_interrupted or ended.get("shouldstop") or ended.get("shouldfail"):
            self._stop()

    def _stop_in_time(self) -> None:
        """Stop as soon as the session is to stop: a worker would otherwise go on to the end of its shard."""
        session = self._config.pluginmanager.getplugin("dsession")
        if session is not None and session.shouldstop:
            self._stop()

    def _place(self, workers: int) -> tuple[int, list[str] | None]:
        legacy = self._scheduler.inherit() if self._scheduler else None
        number, self._started = self._started, self._started + 1
        if legacy is not None:
            return legacy.number, legacy.remaining
        return number, None if number < workers else []

    def _other_scheduler(self) -> str | None:
        """Name what shares out tests in our place: a `--dist`, or a plugin."""
        if self._chosen_dist is not None:
            return f"--dist {self._chosen_dist}"
        config = self._config
        ours = {"dsession", config.pluginmanager.get_name(self)}
        names = [impl.plugin_name for impl in config.hook.pytest_xdist_make_scheduler.get_hookimpls()]
        return next((f"the scheduler of {name}" for name in names if name not in ours), None)
