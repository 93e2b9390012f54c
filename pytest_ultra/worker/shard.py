"""The shard of one process: generates workflows under a lock, runs episodes ahead, and hands each to its test."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_ultra.collection.items import case_of
from pytest_ultra.collection.run_suite import (
    generate_guidance,
    open_earlier_guidance,
    open_guidance_cache,
    suite_of_run,
)
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.engine.activity_monitor import ActivityMonitor
from pytest_ultra.engine.episode_queue import Assignment, EngineFailedError, EngineStoppedError
from pytest_ultra.engine.meter import Meter
from pytest_ultra.engine.runner import Engine
from pytest_ultra.options.known_prices import known_prices
from pytest_ultra.options.requested_limits import budget_limits
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor
from pytest_ultra.storage.journal import JournalError
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption
from pytest_ultra.worker.budget_share import keep_pairs_whole
from pytest_ultra.worker.client_stack import import_for_engine
from pytest_ultra.worker.engine_factory import EngineFactory
from pytest_ultra.worker.engine_failure import EngineFailure
from pytest_ultra.worker.episode_result import EpisodeResult, make_result
from pytest_ultra.worker.interruptible_work import InterruptibleWork
from pytest_ultra.worker.kept_episodes import KeptEpisodes
from pytest_ultra.worker.progress_writer import ProgressWriter, open_meter
from pytest_ultra.worker.redis_guidance import open_shared_guidance
from pytest_ultra.worker.resume import FinishedEpisodes
from pytest_ultra.worker.shard_rounds import ShardRounds
from pytest_ultra.worker.stall_watchdog import StallWatchdog, stall_after_s
from pytest_ultra.worker.stop_watcher import RunDeadline, StopSignalWatcher
from pytest_ultra.worker.task_generation import TaskGeneration

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""The error numbers of a disk that cannot be written to any more."""

STOPPED = "not run: the run was stopped"
TIME_UP = "not run: the time of the run was up (--ultra-run-timeout)"


class Shard:
    """The cases of this process."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        placement: Placement,
        rounds: ShardRounds,
        find_agent: Callable[[], Any],
    ) -> None:
        self._config = config
        self._settings = settings
        self._placement = placement
        self._rounds = rounds
        self._run = RunDirectory.open(Path(placement.run_folder))
        self._guidance = open_guidance_cache(self._run, open_shared_guidance(config, settings, self._run, placement))
        self._suite = suite_of_run(config)
        self._finished = FinishedEpisodes(self._run, is_replacement=placement.is_replacement)
        self._factory = EngineFactory(config, settings, placement, self._finished, find_agent)
        self._failure = EngineFailure(self._run, placement.worker, find_redactor(settings))
        self._kept: KeptEpisodes | None = None
        self._engine: Engine | None = None
        self._meter: Meter | None = None
        self._progress: ProgressWriter | None = None
        self._watches = ExitStack()  # of threads that stop the engine, or watch it
        self._work = InterruptibleWork()
        self._stop_reason: str | None = None

    def start(self, session: pytest.Session) -> None:
        """Wait this worker's stagger, generate the missing workflows, and start to run episodes ahead."""
        self._config.pluginmanager.register(self, "ultra-shard")
        if self._placement.is_worker:
            parent, stop = self._placement.parent_pid, partial(self._stop_session, session)
            self._watches.callback(StopSignalWatcher(self._run, parent, stop).stop)
        try:
            if self._placement.ends_at is not None:
                self._watches.callback(RunDeadline(self._placement.ends_at, partial(self._halt, TIME_UP)).cancel)
            with self._work:
                self._start(session.items)
        except KeyboardInterrupt:
            if self._stop_reason is None:
                raise KeyboardInterrupt from None  # pytest fails on a traceback that ends in a line without a number
            self._skip()
        except OSError as error:
            if error.errno in DISK_FULL:
                self._fail(JournalError(self._run.path, error))
            raise

    def wait_for_episode(self, case: Case, nodeid: str) -> EpisodeResult:
        """Wait for the test's episode. A test that asks again gets a new one."""
        __tracebackhide__ = True
        if self._engine is None or self._meter is None or self._kept is None:
            raise RuntimeError("start the shard before you wait for an episode")
        engine, meter, kept = self._engine, self._meter, self._kept
        try:
            reason = self._rounds.reach(
                nodeid, lambda: self._begin_round(engine, meter), lambda: bool(self._stop_reason)
            )
            if self._stop_reason is not None:
                self._skip()
            if reason is not None:
                pytest.skip(reason)
            return self._wait(engine, meter, kept, case, nodeid)
        except KeyboardInterrupt:
            if self._stop_reason is None:
                raise
            self._skip()
        except JournalError as error:
            self._fail(error)
        finally:
            self._rounds.end_case(case.case_id, nodeid)

    def _wait(self, engine: Engine, meter: Meter, kept: KeptEpisodes, case: Case, nodeid: str) -> EpisodeResult:
        __tracebackhide__ = True
        self._generate_for(case)
        assignment = self._assign(case, nodeid)
        found = self._finished.take(case.case_id)
        if found is not None:
            finished, kept.places[case] = found
            meter.add_finished(case, is_reused=finished.reused, outcome=finished.outcome)
            engine.add_finished(assignment, finished)
        meter.plan(case, partial(self._expect, assignment))
        episode = self._await(engine, assignment)
        if isinstance(episode, BaseException):
            cause, episode = episode, self._failure.make_episode(assignment, episode)
            kept.append(episode)
            self._failure.raise_once(cause)
        return make_result(episode, assignment.load_guidance, self._settings.least_outcome, kept.places[case])

    def _await(self, engine: Engine, assignment: Assignment) -> Episode | BaseException:
        """Return the episode, or the error that has ended the engine before it was finished."""
        try:
            return engine.wait(assignment, self._generation.advance)
        except EngineStoppedError:
            self._skip()
        except EngineFailedError as failed:
            return failed.cause

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Stop paid work before pytest renders the traceback, which can take seconds."""
        if self._engine is not None:
            self._engine.stop()

    def stop(self) -> None:
        """Cancel the episodes in flight; finished ones are on disk."""
        self._config.pluginmanager.unregister(self)
        self._watches.close()
        if self._engine is not None:
            self._engine.stop()
        self._rounds.close()
        self._factory.close()
        if self._progress is not None:
            self._progress.stop()
        if self._kept is not None:
            self._kept.close()

    def _start(self, items: Sequence[pytest.Item]) -> None:
        """Generate the workflows while the engine opens the endpoint."""
        self._meter = meter = self._open_meter(items)
        self._progress = ProgressWriter(self._run, meter.read)
        self._wait_stagger()
        self._kept = kept = KeptEpisodes(self._run, self._placement.worker, meter)
        activity = ActivityMonitor()
        self._engine = engine = self._factory.open(
            meter, activity, keep=kept.append, on_start=kept.note_start, reread=kept.reread
        )
        import_for_engine(self._config, self._settings)
        engine.start(())
        after_s = stall_after_s(self._settings.request_timeout)
        watchdog = StallWatchdog(self._run, self._placement.worker, activity.find_stall, after_s)
        self._watches.callback(watchdog.stop)
        self._rounds.open(items, self._placement)
        self._begin_round(engine, meter)

    def _begin_round(self, engine: Engine, meter: Meter) -> None:
        """Generate the first task of the next round, and start its episodes; the others follow while tests wait.

        A budget is given to the cases in an order of its own, for which all must be known.
        """
        self._generation = TaskGeneration(
            self._guidance,
            partial(generate_guidance, self._config),
            open_earlier_guidance(self._config, self._settings, self._run),
            partial(self._start_episodes, engine, meter),
            self._work,
        )
        items = self._rounds.begin_next()
        own = self._own_cases(items)
        keys = {case.task_key for case, _ in own}
        cases = filter(None, map(case_of, items))
        self._generation.begin(
            self._own_assignments(items, own),
            [case for case in cases if case.task_key in keys] if self._placement.is_sharded else cases,
        )
        self._generation.advance()
        while budget_limits(self._settings).is_limited and self._generation.advance():
            pass

    def _start_episodes(self, engine: Engine, meter: Meter, assignments: Sequence[Assignment]) -> None:
        for assignment in assignments:
            meter.plan(assignment.case, partial(self._expect, assignment))
        engine.start(assignments)

    def _generate_for(self, case: Case) -> None:
        """Generate the task of a test that is about to wait, and one more, so that there always are episodes to run."""
        try:
            self._generation.ensure(case)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in DISK_FULL:
                self._fail(JournalError(self._run.guidance, error))
            reason = f"could not generate a task: {self._failure.clear(str(error))}"
            note_interruption(self._run, f"{self._placement.worker} {reason}")
            raise
        self._generation.advance()

    def _open_meter(self, items: Sequence[pytest.Item]) -> Meter:
        """Count the cases of the whole shard, including those that are already finished."""
        whole = self._placement.shard_indices([item.nodeid for item in items], self._rounds.by_case)
        cases = {case.case_id: case for index in whole if (case := case_of(items[index]))}
        meter = open_meter(
            self._run,
            self._placement,
            known_prices(self._settings),
            planned=len(cases),
            slots=self._factory.concurrency,
            most_answers=self._settings.max_turns,
            passing=(Outcome.FULL, Outcome(self._settings.least_outcome)),
        )
        for case_id, case in cases.items():
            if self._placement.is_sharded and case_id in self._finished:
                outcome = self._finished.outcome_of(case_id)
                meter.add_finished(case, is_reused=not self._placement.is_replacement, outcome=outcome)
        return meter

    def _fail(self, error: JournalError) -> NoReturn:
        note_interruption(self._run, f"{self._placement.worker} {error}")
        raise pytest.fail.Exception(f"the run cannot continue: {error}", pytrace=False) from None

    def _wait_stagger(self) -> None:
        """Do not wait in a replacement, whose endpoint is warm already, or where xdist's own ramp is used."""
        if not self._placement.is_replacement and self._config.getoption("ramp", default=None) is None:
            time.sleep(self._settings.stagger.delay_s(self._placement.number))

    def _own_cases(self, items: Sequence[pytest.Item]) -> list[tuple[Case, str]]:
        own = self._placement.assigned_indices([item.nodeid for item in items], self._rounds.by_case)
        return [(case, items[index].nodeid) for index in own if (case := case_of(items[index]))]

    def _own_assignments(self, items: Sequence[pytest.Item], taken: Sequence[tuple[Case, str]]) -> list[Assignment]:
        run_alone = frozenset(self._placement.run_alone)
        ahead = [entry for entry in taken if entry[0].case_id not in self._finished and entry[1] not in run_alone]
        own_cases = {case for case, _ in taken}
        return keep_pairs_whole(
            [self._assign(case, nodeid) for case, nodeid in ahead],
            self._settings,
            others=(case for item in items if (case := case_of(item)) and case not in own_cases),
            has_control=lambda case: case in own_cases or case.case_id in self._finished,
        )

    def _assign(self, case: Case, nodeid: str) -> Assignment:
        return Assignment(case, partial(self._guidance.get, case), nodeid)

    def _stop_session(self, session: pytest.Session) -> None:
        """Stop at once, from the watcher's thread."""
        session.shouldstop = STOPPED
        self._halt(STOPPED)

    def _skip(self) -> NoReturn:
        """Skip a test whose episode is not run; a run whose time is up counts as interrupted."""
        if self._stop_reason == TIME_UP:
            note_interruption(self._run, f"its time was up (--ultra-run-timeout {self._settings.run_timeout:g})")
        pytest.skip(self._stop_reason or STOPPED)

    def _halt(self, reason: str) -> None:
        """Cancel the episodes in flight; the remaining tests are skipped for this reason."""
        self._stop_reason = self._stop_reason or reason
        self._work.interrupt()
        if self._engine is not None:
            self._engine.stop()

    def _expect(self, assignment: Assignment) -> int:
        return round(self._suite.expect_requests(assignment.case, assignment.guidance))
