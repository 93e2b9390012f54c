"""Hook implementations in an xdist controller: they send workers their placement and choose the scheduler."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

import pytest
from execnet import XSpec
from xdist.remote import Producer
from xdist.scheduler import Scheduling
from xdist.workermanage import WorkerController

from pytest_ultra.distribution.host_start import pass_environment, refuse_failed_start, refuse_unreachable_hosts
from pytest_ultra.distribution.lost_hosts import LostHosts, count_hosts
from pytest_ultra.distribution.partition import find_case_id
from pytest_ultra.distribution.placement import Placement, send
from pytest_ultra.distribution.remote_workers import RemoteWorkers, may_be_remote
from pytest_ultra.distribution.rerun_relay import offer_relay
from pytest_ultra.distribution.scheduler import MAX_CRASHES, InFlight, RemainingWork, ShardScheduling
from pytest_ultra.distribution.usage_errors import refuse_usage_error


class DistributionHooks:
    """Hook implementations for a run on xdist's workers."""

    def __init__(
        self,
        config: pytest.Config,
        rounds: Mapping[str, int],
        chosen_dist: str | None,
        *,
        base: Callable[[], Placement],
        plan: Callable[[Sequence[str]], Sequence[str]],
        stop: Callable[[], None],
        find_in_flight: InFlight,
        quarantine: Callable[[str, str], None],
    ) -> None:
        """Take the user's own `--dist`, if any, and the callbacks of the run.

        `base`, called for each worker, returns the fields that all placements share; `plan` receives the selected
        node ids, and returns lines for the terminal; `stop` stops the workers at once; `find_in_flight` returns the
        node ids that a worker was running; `quarantine` receives the node id of a test that crashed too many workers,
        and the reason.
        """
        self._plan = plan
        self._stop = stop
        self._find_in_flight = find_in_flight
        self._quarantine = quarantine
        self._config = config
        self._rounds = rounds
        self._chosen_dist = chosen_dist
        self._base = base
        self._lost_hosts = LostHosts()
        self._remote = RemoteWorkers(lambda: base().run_folder)
        self._started = 0
        self._scheduler: ShardScheduling | None = None

    @pytest.hookimpl
    def pytest_report_header(self) -> list[str]:
        other = self.other_scheduler()
        if other is None:
            return []
        cost = f"ultra: with {other}, a worker gets its tests one by one and runs one episode at a time; "
        return [f"{cost}without it, all episodes of a worker run concurrently"]

    @pytest.hookimpl(trylast=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Scheduling | None:
        """Run after a scheduler of the user's own, and before xdist's."""
        if self.other_scheduler() is None:
            self._scheduler = ShardScheduling(config, log, self._rounds, self._find_in_flight)
        return self._scheduler

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self) -> Generator[None, object, object]:
        with refuse_unreachable_hosts(self._config):
            return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: Sequence[XSpec]) -> None:
        pass_environment(specs)

    @pytest.hookimpl
    def pytest_configure_node(self, node: WorkerController) -> None:
        workers: int = node.workerinput["workercount"]
        token = ""
        if may_be_remote(node.gateway.spec):
            token = self._remote.connect(node)
            offer_relay(node)
        work = self._next_work(workers)
        placement = replace(
            self._base(),
            worker=node.gateway.id,
            number=work.number,
            workers=workers,
            hosts=count_hosts(node.nodemanager.specs),
            is_sharded=self.other_scheduler() is None,
            remaining=work.remaining,
            run_alone=work.run_alone,
            token=token,
        )
        send(placement, node.workerinput)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        lines, terminal = self._plan(ids), self._terminal
        if lines and terminal is not None:
            terminal.ensure_newline()
            for line in lines:
                terminal.write_line(line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End the workers before other hooks read their output; xdist would end them in between."""
        self._remote.close()
        session = self._config.pluginmanager.getplugin("dsession")
        if session is not None:
            session.pytest_sessionfinish()

    @pytest.hookimpl
    def pytest_runtest_logfinish(self) -> None:
        self._stop_if_requested()

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._scheduler is not None:
            self._scheduler.note_report(report)
        self._stop_if_requested()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController, error: object) -> None:
        """Stop the other workers when one has stopped without a crash, as by `--sw` or `pytest.exit`.

        A crashed one is replaced by xdist after this: on another host if its own is lost.
        """
        refuse_failed_start(node, error)
        refuse_usage_error(node)
        ended: Mapping[str, object] = getattr(node, "workeroutput", {})
        is_interrupted = ended.get("exitstatus") == pytest.ExitCode.INTERRUPTED
        if is_interrupted or ended.get("shouldstop") or ended.get("shouldfail"):
            self._stop()
        elif not ended:
            self._move_if_lost(node)

    def _move_if_lost(self, node: WorkerController) -> None:
        message = self._lost_hosts.move_replacement(node)
        if message is not None and self._terminal is not None:
            self._terminal.write_line(f"\nultra: {message}")

    @property
    def _terminal(self) -> pytest.TerminalReporter | None:
        found: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        return found

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Report a case that has crashed two workers as an error, not as a failure, and quarantine it."""
        if self._scheduler is not None and find_case_id(crashitem, self._rounds) is not None:
            reason = (
                f"quarantined: {MAX_CRASHES} workers crashed while running it, most recently {report.node.gateway.id}"
            )
            report.when = "setup"
            report.longrepr = reason
            report.user_properties.append(("ultra_outcome", "error"))
            self._quarantine(crashitem, reason)

    def _stop_if_requested(self) -> None:
        """Stop the workers as soon as the session is to stop; otherwise each would finish its shard."""
        session = self._config.pluginmanager.getplugin("dsession")
        if session is not None and session.shouldstop:
            self._stop()

    def _next_work(self, workers: int) -> RemainingWork:
        """Return the work of the worker that is about to start: its whole shard, or what a crashed worker left."""
        remaining = self._scheduler.take_remaining() if self._scheduler else None
        number, self._started = self._started, self._started + 1
        return remaining or RemainingWork(number, None if number < workers else [])

    def other_scheduler(self) -> str | None:
        """Return the name of the scheduler that replaces ours: a `--dist`, or that of a plugin."""
        if self._chosen_dist is not None:
            return f"--dist {self._chosen_dist}"
        config = self._config
        ours = {"dsession", config.pluginmanager.get_name(self)}
        names = [impl.plugin_name for impl in config.hook.pytest_xdist_make_scheduler.get_hookimpls()]
        return next((f"the scheduler of {name}" for name in names if name not in ours), None)
