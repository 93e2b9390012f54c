"""The engine of a shard, and what its calls go through: endpoints, limits, budget, the user's own agents."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.collection.run_agents import find_agents
from pytest_ultra.collection.run_commands import has_commands, open_commands
from pytest_ultra.collection.run_suite import episodes_at_once, suite_of_run
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.distribution.placement import Placement, is_debugged
from pytest_ultra.engine.activity_monitor import ActivityMonitor
from pytest_ultra.engine.backoff import RetryPolicy
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.engine.limiter import Limiter
from pytest_ultra.engine.meter import Meter, MeteredEndpoint, MeteredLimiter
from pytest_ultra.engine.retry import Caller
from pytest_ultra.engine.runner import Engine
from pytest_ultra.options.known_prices import known_prices
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.worker.budget_share import BudgetShare, open_budget_share, open_store
from pytest_ultra.worker.client_stack import ClientStack, ModelAccess, open_models, open_run_limiter, with_cassettes
from pytest_ultra.worker.concurrency import fit_concurrency
from pytest_ultra.worker.resume import FinishedEpisodes

if TYPE_CHECKING:  # only own agents need it
    from pytest_ultra.worker.agent_support import AgentSupport

CONCURRENCY = 256
"""Episodes in flight per worker unless the user says otherwise: enough for the endpoint to be the only limit."""

COMMANDS = 4
"""The same where agents are programs, which can take hundreds of megabytes each."""


class EngineFactory:
    """Opens the engine of one process."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        placement: Placement,
        finished: FinishedEpisodes,
        find_agent: Callable[[], Any],
    ) -> None:
        self._config = config
        self._settings = settings
        self._placement = placement
        self._finished = finished
        self._find_agent = find_agent
        self._run = RunDirectory.open(Path(placement.run_folder))
        self._suite = suite_of_run(config)
        self._redact = find_redactor(settings)
        self._store = open_store(settings, self._run, placement)
        self._agents: AgentSupport | None = None

    def open(
        self,
        meter: Meter,
        activity: ActivityMonitor,
        *,
        keep: Callable[[Episode], None],
        on_start: Callable[[Assignment], None],
        reread: Callable[[Case], Episode],
    ) -> Engine:
        """Return an engine that hands each episode to `keep`; `reread` returns one that is no longer in memory."""
        if self._settings.agent:
            self._agents = self._open_agents()
        stack = self._client_stack()
        demo_url = self._placement.demo_url or ""
        limiter = open_run_limiter(self._config, self._settings, demo_url, store=self._store)
        return Engine(
            lambda: self._open_caller(stack, limiter, meter, activity),
            keep,
            worker=self._placement.worker,
            rules=self._suite,
            concurrency=self.concurrency,
            clock=stack.clock,
            on_start=on_start,
            admission=self._budget_share.admission,
            agents=self._agents,
            reread=reread,
        )

    def close(self) -> None:
        """End the user's own agents, once the engine has stopped."""
        if self._agents is not None:
            self._agents.close()

    @cached_property
    def concurrency(self) -> int:
        if is_debugged(self._config):
            return 1
        connecting = self._placement.workers if self._placement.demo_url else 0
        usual = COMMANDS if has_commands(self._settings.agent) else CONCURRENCY
        wanted = self._settings.concurrency or episodes_at_once(self._config) or usual
        return fit_concurrency(wanted, demo_clients=connecting)

    def _open_agents(self) -> AgentSupport:
        from pytest_ultra.worker.agent_support import AgentSupport  # noqa: PLC0415 - only own agents need it

        functions = find_agents(self._config, self._settings.agent, self._find_agent)
        return AgentSupport(functions, open_commands(self._settings.agent, self._config.invocation_params.dir))

    def _open_caller(self, stack: ClientStack, limiter: Limiter, meter: Meter, activity: ActivityMonitor) -> Caller:
        if self._agents is not None:
            self._agents.attach()
        return Caller(
            MeteredEndpoint(stack.open(), meter),
            stack.clock,
            policy=RetryPolicy(attempt_timeout_s=self._settings.request_timeout),
            limiter=MeteredLimiter(stack.limit(limiter), meter),
            prices=known_prices(self._settings),
            activity=activity,
            redact=self._redact,
            reaches_model=stack.reaches_model,
            reported_budget=self._budget_share.reported,
        )

    @cached_property
    def _budget_share(self) -> BudgetShare:
        def estimate(each: Assignment) -> Estimate:
            return self._suite.estimate(each.case, each.guidance)

        return open_budget_share(self._settings, self._run, estimate, self._store)

    def _client_stack(self) -> ClientStack:
        """Return the client stack. Answers are kept, except those of a user's own endpoint, which may have a memory."""
        has_own = bool(self._config.hook.pytest_ultra_endpoint.get_hookimpls())
        access = ModelAccess(self._settings, self._open_models, has_own_endpoint=has_own)
        keep = None if has_own else partial(self._finished.keep_answers, self._placement.worker)
        if self._settings.cassette is not None:
            return with_cassettes(self._settings, access, keep)
        return ClientStack(access.open) if keep is None else keep(access.open)

    def _open_models(self) -> Endpoint:
        demo_url = self._placement.demo_url or ""
        opened = open_models(self._config, self._settings, redact=self._redact, demo_url=demo_url)
        return self._budget_share.limit(opened)
