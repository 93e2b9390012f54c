"""What a run would come to (`--ultra-plan`): told without a run, an endpoint or a worker."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_ultra.benchmark.case import Case
from pytest_ultra.benchmark.estimate import Estimate, estimate
from pytest_ultra.benchmark.guidance import make_guidance
from pytest_ultra.benchmark.prices import Price
from pytest_ultra.benchmark.task import Guidance, Task
from pytest_ultra.benchmark.workflow import Workflow
from pytest_ultra.budgeting import amounts_of
from pytest_ultra.collection.items import case_of
from pytest_ultra.engine.budget import Spent, find_limit
from pytest_ultra.engine.limits import START_IN_FLIGHT
from pytest_ultra.limiting import limits_of
from pytest_ultra.options.settings import Settings
from pytest_ultra.pricing import known_prices, price_hint
from pytest_ultra.reporting.budget import Forecast, forecast_lines

SAMPLE = 500
"""So many cases are looked at, evenly spread: generating the workflows of more would take longer than is useful."""
SECONDS_PER_REQUEST = 2.0
"""What an answer is taken to need."""


class PlanHooks:
    """Takes the place of the tests."""

    def __init__(self, config: pytest.Config, settings: Settings, workers: int) -> None:
        self._config = config
        self._settings = settings
        self._workers = workers

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        cases = list({case.case_id: case for item in session.items if (case := case_of(item))}.values())
        reporter: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            for line in forecast_lines(self._forecast(cases)):
                reporter.write_line(f"ultra: {line}")
        return True

    def _forecast(self, cases: Sequence[Case]) -> Forecast:
        sample = cases[:: -(-len(cases) // SAMPLE) or 1]
        estimates = [(case, estimate(case, self._guidance(case))) for case in sample]
        prices = known_prices(self._settings)
        unknown = sorted({case.model for case in cases} - prices.keys())
        total = _add_up([each for _, each in estimates], len(cases) / (len(sample) or 1))
        cost = _cost(estimates, prices) * len(cases) / (len(sample) or 1)
        longest = max((each.requests for _, each in estimates), default=0.0)
        seconds, pace = self._pace(total, longest, len(cases))
        return Forecast(
            cases=len(cases),
            sampled=len(sample),
            requests=total.requests,
            tool_calls=total.tool_calls,
            prompt_tokens=total.prompt_tokens,
            completion_tokens=total.completion_tokens,
            cost=None if unknown else cost,
            price_hints=[price_hint(model) for model in unknown],
            seconds=seconds,
            pace=pace,
            budget=self._budget(total, cost),
        )

    def _guidance(self, case: Case) -> Guidance:
        from pytest_ultra.benchmark.generator.generate import generate_task  # noqa: PLC0415 - only a plan needs it here

        task: Task = generate_task(case.task_key)
        optimal: Workflow | None = self._config.hook.pytest_ultra_workflow(
            task=task, tool_success_rate=case.tool_success_rate, max_turns=case.max_turns
        )
        return make_guidance(case, task=task, optimal=optimal)

    def _pace(self, total: Estimate, longest: float, cases: int) -> tuple[float, str]:
        """Return the seconds that a run takes at least, and what bounds them; the limits' own first."""
        limits = limits_of(self._settings)
        in_flight = min(
            cases or 1,
            (self._settings.concurrency or START_IN_FLIGHT) * (self._workers or 1),
            limits.max_in_flight or START_IN_FLIGHT,
        )
        answers = f"if an answer takes {SECONDS_PER_REQUEST:g} s"
        bounds = [
            (longest * SECONDS_PER_REQUEST, f"the longest episode's {answers}"),
            (total.requests * SECONDS_PER_REQUEST / in_flight, f"{answers} and {in_flight:,} are in flight"),
        ]
        if limits.rpm:
            bounds.append((total.requests * 60 / limits.rpm, f"bounded by {limits.rpm:g} requests a minute"))
        if limits.tpm:
            bounds.append((total.tokens * 60 / limits.tpm, f"bounded by {limits.tpm:g} tokens a minute"))
        return max(bounds)

    def _budget(self, total: Estimate, cost: float) -> str | None:
        """Say whether the budget would last; None if there is none."""
        most = amounts_of(self._settings)
        if not most.is_limited:
            return None
        limit = find_limit(Spent(round(total.requests), round(total.tokens), cost), most)
        return "it would last" if limit is None else f"it would not last: {limit} before the end"


def _add_up(estimates: Sequence[Estimate], factor: float) -> Estimate:
    names = Estimate.__struct_fields__
    return Estimate(*(factor * sum(getattr(each, name) for each in estimates) for name in names))


def _cost(estimates: Sequence[tuple[Case, Estimate]], prices: dict[str, Price]) -> float:
    return sum(
        prices[case.model].cost(each.prompt_tokens, each.completion_tokens)
        for case, each in estimates
        if case.model in prices
    )
