"""The controller's side of xdist: telling workers their place, and choosing the scheduler."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest
from xdist.remote import Producer
from xdist.scheduler import Scheduling
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.partition import find_case_id
from pytest_ultra.distribution.placement import Placement, send
from pytest_ultra.distribution.scheduler import CRASHES, InFlight, ShardScheduling


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
        find_in_flight: InFlight,
        set_aside: Callable[[str, str], None],
    ) -> None:
        """Take the user's own `--dist`, and what the run is told and asked.

        `base`, called per worker, gives what holds for all of them; `plan` is told the tests that were
        selected; `stop` is to stop the workers at once. `find_in_flight`
        tells what a worker was living; `set_aside` is told a test that has crashed too many, and why it is over.
        """
        self._plan = plan
        self._stop = stop
        self._find_in_flight = find_in_flight
        self._set_aside = set_aside
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
            self._scheduler = ShardScheduling(config, log, self._case_ids, self._find_in_flight)
        return self._scheduler

    @pytest.hookimpl
    def pytest_configure_node(self, node: WorkerController) -> None:
        workers: int = node.workerinput["workercount"]
        number, remaining, careful = self._place(workers)
        place = replace(
            self._base(),
            worker=node.gateway.id,
            number=number,
            workers=workers,
            is_sharded=self._other_scheduler() is None,
            remaining=remaining,
            careful=careful,
        )
        send(place, node.workerinput)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._plan(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End the workers before whoever reads what they have left; xdist would do it in the midst of them."""
        session = self._config.pluginmanager.getplugin("dsession")
        if session is not None:
            session.pytest_sessionfinish()

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

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Make a case that has crashed two workers an error, of which a record is kept, and not a failure."""
        if self._scheduler is not None and find_case_id(crashitem, self._case_ids) is not None:
            reason = (
                f"set aside: {CRASHES} workers crashed while they were at it, the last of them {report.node.gateway.id}"
            )
            report.when = "setup"
            report.longrepr = reason
            report.user_properties.append(("ultra_outcome", "error"))
            self._set_aside(crashitem, reason)

    def _stop_in_time(self) -> None:
        """Stop as soon as the session is to stop: a worker would otherwise go on to the end of its shard."""
        session = self._config.pluginmanager.getplugin("dsession")
        if session is not None and session.shouldstop:
            self._stop()

    def _place(self, workers: int) -> tuple[int, list[str] | None, list[str]]:
        legacy = self._scheduler.inherit() if self._scheduler else None
        number, self._started = self._started, self._started + 1
        if legacy is not None:
            return legacy.number, legacy.remaining, legacy.careful
        return number, None if number < workers else [], []

    def _other_scheduler(self) -> str | None:
        """Name what shares out tests in our place: a `--dist`, or a plugin."""
        if self._chosen_dist is not None:
            return f"--dist {self._chosen_dist}"
        config = self._config
        ours = {"dsession", config.pluginmanager.get_name(self)}
        names = [impl.plugin_name for impl in config.hook.pytest_xdist_make_scheduler.get_hookimpls()]
        return next((f"the scheduler of {name}" for name in names if name not in ours), None)
