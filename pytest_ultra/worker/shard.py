"""The shard of one process: its cases' workflows made in turn, its episodes lived ahead, each handed to its test."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Collection, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_ultra.benchmark.suite import BENCHMARK
from pytest_ultra.collection.items import case_of
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.engine.assignment import Assignment
from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.engine.endpoint import DiscreetEndpoint, Endpoint
from pytest_ultra.engine.episode_queue import EngineStoppedError
from pytest_ultra.engine.meter import Meter, MeteredEndpoint, MeteredLimiter
from pytest_ultra.engine.runner import Engine
from pytest_ultra.options.known_prices import known_prices
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor
from pytest_ultra.providers.http_endpoint import open_endpoint
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.journal import Journal, JournalError
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_cut_off
from pytest_ultra.storage.started_cases import Begun
from pytest_ultra.worker.budget_share import Funds, keep_pairs_whole, open_funds
from pytest_ultra.worker.client_stack import Asking, Way, by_way_of_cassettes, reachable_models
from pytest_ultra.worker.episode_result import LivedEpisode, present
from pytest_ultra.worker.limiter_setup import limiter_of
from pytest_ultra.worker.progress_writer import Teller, open_meter
from pytest_ultra.worker.resume import Finished
from pytest_ultra.worker.stall_watchdog import StallWatch, stall_after_s
from pytest_ultra.worker.stop_signal import Curfew, StopWatch

CONCURRENCY = 256
"""Episodes in flight per worker unless the user says otherwise: enough for the endpoint to be the only bound."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""How a disk says that it takes no more."""

STOPPED = "not lived: the run was stopped"
TIME_UP = "not lived: the time of the run was up (--ultra-run-timeout)"


class Shard:
    """The cases of this process."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        placement: Placement,
        case_ids: Collection[str],
    ) -> None:
        self._config = config
        self._settings = settings
        self._placement = placement
        self._case_ids = case_ids
        self._run = RunDirectory.open(Path(placement.run_folder))
        self._guidance = GuidanceCache(self._run.guidance, BENCHMARK.task_type)
        self._finished = Finished(self._run, is_heir=placement.is_heir)
        self._journal: Journal | None = None
        self._begun: Begun | None = None
        self._engine: Engine | None = None
        self._meter: Meter | None = None
        self._teller: Teller | None = None
        self._watch: StopWatch | None = None
        self._is_ready = False
        self._stall_watch: StallWatch | None = None
        self._curfew: Curfew | None = None
        self._stopped: str | None = None
        self._redact = find_redactor(settings)

    def start(self, session: pytest.Session) -> None:
        """Wait for this worker's turn, make what workflows are missing, and begin to live episodes ahead."""
        if self._placement.is_worker:
            self._watch = StopWatch(self._run.path, lambda: self._break_off(session))
        try:
            if self._placement.ends_at is not None:
                self._curfew = Curfew(self._placement.ends_at, lambda: self._halt(TIME_UP))
            self._start(session.items)
        except KeyboardInterrupt:
            if self._stopped is None:
                raise
            self._skip()
        except OSError as error:
            if error.errno not in FULL:
                raise
            self._give_up(JournalError(self._run.path, error))

    def live(self, case: Case, nodeid: str) -> LivedEpisode:
        """Wait for the test's episode: each time it asks, another one."""
        if self._engine is None or self._meter is None:
            raise RuntimeError("a shard lives no episode before it is started")
        assignment = self._assign(case, nodeid)
        finished = self._finished.take(case.case_id)
        if finished is not None:
            self._meter.keep(case, is_reused=finished.reused)
            self._engine.keep(assignment, finished)
        self._meter.plan(case, _expect(assignment))
        try:
            episode = self._engine.wait(assignment)
        except EngineStoppedError:
            self._skip()
        except JournalError as error:
            self._give_up(error)
        return present(episode, assignment.guidance, self._settings.least_outcome)

    def stop(self) -> None:
        """Cancel what is in flight; what is finished is on disk."""
        if self._watch is not None:
            self._watch.stop()
        if self._curfew is not None:
            self._curfew.lift()
        if self._stall_watch is not None:
            self._stall_watch.stop()
        if self._engine is not None:
            self._engine.stop()
        if self._teller is not None:
            self._teller.stop()
        for file in (self._journal, self._begun):
            if file is not None:
                file.close()

    def _start(self, items: Sequence[pytest.Item]) -> None:
        """Make the workflows; meanwhile the engine opens the endpoint, which takes its time as well."""
        self._meter = meter = self._open_meter(items)
        self._teller = Teller(self._run, meter.read)
        self._wait_for_turn()
        self._journal = Journal(self._run, self._placement.worker)
        self._engine = engine = self._make_engine(self._journal, meter)
        engine.start(())
        after_s = stall_after_s(self._settings.request_timeout)
        self._stall_watch = StallWatch(self._run.path, self._placement.worker, engine.pulse.stall, after_s)
        self._guidance.fill(filter(None, map(case_of, items)), self._generate)
        assignments = self._own_assignments(items)
        for assignment in assignments:
            meter.plan(assignment.case, _expect(assignment))
        engine.start(assignments)
        self._is_ready = True

    def _open_meter(self, items: Sequence[pytest.Item]) -> Meter:
        """Count the cases of the whole shard, with those that need not be lived."""
        whole = self._placement.whole([item.nodeid for item in items], self._case_ids)
        cases = {case.case_id: case for index in whole if (case := case_of(items[index]))}
        meter = open_meter(
            self._run,
            self._placement,
            known_prices(self._settings),
            planned=len(cases),
            slots=self._concurrency,
            most_answers=self._settings.max_turns,
        )
        for case_id, case in cases.items():
            if self._placement.is_sharded and case_id in self._finished:
                meter.keep(case, is_reused=not self._placement.is_heir)
        return meter

    def _give_up(self, error: JournalError) -> NoReturn:
        note_cut_off(self._run, f"{self._placement.worker} {error}")
        raise pytest.fail.Exception(f"the run cannot go on: {error}", pytrace=False) from None

    def _wait_for_turn(self) -> None:
        """Wait this worker's stagger; a replacement comes to a warm endpoint, and xdist's own ramp has its way."""
        if not self._placement.is_heir and self._config.getoption("ramp", default=None) is None:
            time.sleep(self._settings.stagger.delay_s(self._placement.number))

    def _generate(self, case: Case, *, task: Any = None, optimal: Workflow | None = None) -> AnyGuidance:
        task = task or BENCHMARK.make_task(case)
        optimal = optimal or self._config.hook.pytest_ultra_workflow(
            task=task, tool_success_rate=case.tool_success_rate, max_turns=case.max_turns
        )
        return BENCHMARK.make_guidance(case, task=task, optimal=optimal)

    @property
    def _concurrency(self) -> int:
        is_debugged = any(self._config.getoption(name, default=False) for name in ("usepdb", "trace"))
        return 1 if is_debugged else self._settings.concurrency or CONCURRENCY

    def _make_engine(self, journal: Journal, meter: Meter) -> Engine:
        def keep(episode: Episode) -> None:
            journal.append(episode)
            meter.finish(episode.case)

        way = self._way()
        self._begun = begun = Begun(self._run, self._placement.worker)
        limiter = limiter_of(self._config, self._settings, self._placement.demo_url or "")
        return Engine(
            lambda: MeteredEndpoint(way.open(), meter),
            keep,
            worker=self._placement.worker,
            rules=BENCHMARK,
            concurrency=self._concurrency,
            clock=way.clock,
            policy=RetryPolicy(attempt_timeout_s=self._settings.request_timeout),
            limiter=MeteredLimiter(way.limit(limiter), meter),
            on_begin=lambda assignment: begun.note(assignment.case.case_id),
            prices=known_prices(self._settings),
            redact=self._redact,
            admission=self._funds.admission,
            concerns=way.is_asked,
        )

    @cached_property
    def _funds(self) -> Funds:
        return open_funds(self._settings, self._run, lambda each: BENCHMARK.estimate(each.case, each.guidance))

    def _way(self) -> Way:
        """Return the way to the models, with answers kept; an agent of the user's own may have a memory of its own."""
        has_own = bool(self._config.hook.pytest_ultra_endpoint.get_hookimpls())
        asking = Asking(self._settings, self._open_models, has_own_endpoint=has_own)
        keep = None if has_own else partial(self._finished.keep_turns, self._placement.worker)
        if self._settings.cassette is not None:
            return by_way_of_cassettes(self._settings, asking, keep)
        return Way(asking.open) if keep is None else keep(asking.open)

    def _open_models(self) -> Endpoint:
        return self._funds.limit(self._open_unlimited())

    def _open_unlimited(self) -> Endpoint:
        own: Endpoint | None = self._config.hook.pytest_ultra_endpoint(config=self._config, settings=self._settings)
        if own is not None:
            return DiscreetEndpoint(own, self._redact)
        specs = reachable_models(self._settings)
        return open_endpoint(
            specs,
            environ=os.environ,
            demo_url=self._placement.demo_url or "",
            request_timeout_s=self._settings.request_timeout,
            redact=self._redact,
        )

    def _own_assignments(self, items: Sequence[pytest.Item]) -> list[Assignment]:
        own = self._placement.take([item.nodeid for item in items], self._case_ids)
        taken = [(case, items[index].nodeid) for index in own if (case := case_of(items[index]))]
        careful = frozenset(self._placement.careful)
        ahead = [entry for entry in taken if entry[0].case_id not in self._finished and entry[1] not in careful]
        own_cases = {case for case, _ in taken}
        return keep_pairs_whole(
            [self._assign(case, nodeid) for case, nodeid in ahead],
            self._settings,
            others=(case for item in items if (case := case_of(item)) and case not in own_cases),
            is_at_hand=lambda case: case in own_cases or case.case_id in self._finished,
        )

    def _assign(self, case: Case, nodeid: str) -> Assignment:
        return Assignment(case, self._guidance.get(case), nodeid)

    def _break_off(self, session: pytest.Session) -> None:
        """Stop at once, from the watch's thread; nothing less than a signal ends a planner, or a wait for its lock."""
        session.shouldstop = STOPPED
        self._halt(STOPPED)

    def _skip(self) -> NoReturn:
        """Skip a test whose episode is not lived; a run whose time is up does not come to its end."""
        if self._stopped == TIME_UP:
            note_cut_off(self._run, f"its time was up (--ultra-run-timeout {self._settings.run_timeout:g})")
        pytest.skip(self._stopped or STOPPED)

    def _halt(self, reason: str) -> None:
        """Cancel what is in flight; tests go on, and are skipped for this reason."""
        self._stopped = self._stopped or reason
        if not self._is_ready:
            os.kill(os.getpid(), signal.SIGINT)
        if self._engine is not None:
            self._engine.stop()


def _expect(assignment: Assignment) -> int:
    return round(BENCHMARK.expect_requests(assignment.case, assignment.guidance))
