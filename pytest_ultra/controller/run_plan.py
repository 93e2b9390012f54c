"""`--ultra-plan`: prints what a run would take, without a run, an endpoint or a worker."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from pytest_ultra.collection.items import case_of
from pytest_ultra.collection.job_shards import SHARDED
from pytest_ultra.collection.run_suite import generate_guidance, suite_of_run
from pytest_ultra.controller.duration_estimate import Load, estimate_duration
from pytest_ultra.controller.job_shard_hooks import shard_line
from pytest_ultra.controller.reused_episodes import ReusedEpisodes
from pytest_ultra.core.case import Case, TaskKey
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.prices import Price
from pytest_ultra.engine.budget import Spent, find_limit
from pytest_ultra.options.known_prices import known_prices, price_hint
from pytest_ultra.options.requested_limits import budget_limits
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.budget_lines import Forecast, ModelForecast, all_shards_lines, forecast_lines

SAMPLE = 200
"""The number of cases that are estimated, drawn by a fixed seed: generating all workflows would take too long."""


class PlanHooks:
    """Runs in place of the tests."""

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
            for line in self._lines(cases):
                reporter.write_line(f"ultra: {line}")
        return True

    def _lines(self, cases: Sequence[Case]) -> Iterator[str]:
        """Yield the forecast, and with `--ultra-shard` also what all shards take together."""
        forecast, sharded = self._forecast(cases), self._config.stash.get(SHARDED, None)
        if sharded is None:
            yield from forecast_lines(forecast)
            return
        yield shard_line(sharded)
        yield from forecast_lines(msgspec.structs.replace(forecast, tasks=0))  # what can be detected is for all shards
        whole = self._forecast([*sharded.all_cases.values()], is_whole=True)
        yield from all_shards_lines(whole, sharded.shard.of, is_narrowed=len(cases) != len(sharded.cases))

    def _forecast(self, cases: Sequence[Case], *, is_whole: bool = False) -> Forecast:
        """Return what the cases take. With `is_whole`, other jobs run most of them, and what they reuse is unknown."""
        reused = () if is_whole else self._find_reused(cases)
        left = [case for case in cases if case.case_id not in reused]
        sample = random.Random(0).sample(left, SAMPLE) if len(left) > SAMPLE else left
        estimates = [
            (case, suite_of_run(self._config).estimate(case, generate_guidance(self._config, case))) for case in sample
        ]
        factor = len(left) / (len(sample) or 1)
        prices = known_prices(self._settings)
        unknown = sorted({_payer(case) for case in left} - prices.keys())
        totals = _add_up_by_model(estimates, left)
        total = _add_up(list(totals.values()), 1.0)
        models = [_forecast_model(model, totals[model], left, prices) for model in self._tested(totals)]
        cost = sum(part.cost or 0.0 for part in models)
        seconds, pace = estimate_duration(_loads(estimates, factor), self._settings, self._workers)
        return Forecast(
            cases=len(cases),
            reused=len(cases) - len(left),
            sampled=len(sample),
            requests=total.requests,
            tool_calls=total.tool_calls,
            prompt_tokens=total.prompt_tokens,
            completion_tokens=total.completion_tokens,
            cost=None if unknown else cost,
            price_hints=[self._price_hint(name) for name in unknown],
            seconds=seconds,
            pace=pace,
            budget=self._budget(total, cost),
            models=models,
            **_detection(cases),
        )

    def _tested(self, totals: Collection[str]) -> list[str]:
        return [name for name in self._settings.tested if name in totals]

    def _price_hint(self, name: str) -> str:
        is_called = name in self._settings.called_models
        return price_hint(name) if is_called else f"what the agent {name} uses is only known afterwards"

    def _find_reused(self, cases: Sequence[Case]) -> Collection[str]:
        reused = ReusedEpisodes(self._settings, [case.case_id for case in cases])
        reused.find()
        return reused.case_ids

    def _budget(self, total: Estimate, cost: float) -> str | None:
        """Return whether the budget would last, in words; None without a budget."""
        limits = budget_limits(self._settings)
        if not limits.is_limited:
            return None
        limit = find_limit(Spent(round(total.requests), round(total.tokens), cost), limits)
        return "it would last" if limit is None else f"it would not last: {limit} before the end"


def _detection(cases: Sequence[Case]) -> dict[str, Any]:
    """Return what the flawed rows of a model could detect; nothing if there are none."""
    flawed = [case for case in cases if case.prompt_type.flaw_kind and case.model == cases[0].model]
    if not flawed:
        return {}
    from pytest_ultra.analysis.detection_plan import detectable_by  # noqa: PLC0415 - it needs SciPy, 0.2 s

    rows: dict[object, set[TaskKey]] = {}
    for case in flawed:
        row = (case.prompt_type, case.severity, case.tool_success_rate, case.prompt_variant)
        rows.setdefault(row, set()).add(case.task_key)
    tasks = min(map(len, rows.values()))
    return {"tasks": tasks, "detectable": detectable_by(tasks, len(rows))}


def _add_up_by_model(estimates: Sequence[tuple[Case, Estimate]], left: Sequence[Case]) -> dict[str, Estimate]:
    """Return what all cases of each model under test take; those in the sample stand for the others."""
    cases = Counter(case.model for case in left)
    sampled: dict[str, list[Estimate]] = {}
    for case, estimate in estimates:
        sampled.setdefault(case.model, []).append(estimate)
    return {model: _add_up(found, cases[model] / len(found)) for model, found in sampled.items()}


def _forecast_model(model: str, total: Estimate, left: Sequence[Case], prices: dict[str, Price]) -> ModelForecast:
    own = [case for case in left if case.model == model]
    price = prices.get(_payer(own[0]))
    return ModelForecast(
        model=model,
        cases=len(own),
        requests=total.requests,
        tokens=total.tokens,
        cost=None if price is None else price.cost(total.prompt_tokens, total.completion_tokens),
        most_requests=total.most_requests,
        most_tokens=total.most_tokens,
        most_cost=None if price is None else price.cost(total.most_prompt_tokens, total.most_completion_tokens),
    )


def _loads(estimates: Sequence[tuple[Case, Estimate]], factor: float) -> dict[str, Load]:
    by_model: dict[str, list[Estimate]] = {}
    for case, each in estimates:
        by_model.setdefault(_payer(case), []).append(each)
    return {
        model: Load(_add_up(found, factor), max(each.requests for each in found), math.ceil(len(found) * factor))
        for model, found in by_model.items()
    }


def _add_up(estimates: Sequence[Estimate], factor: float) -> Estimate:
    names = Estimate.__struct_fields__
    return Estimate(*(factor * sum(getattr(each, name) for each in estimates) for name in names))


def _payer(case: Case) -> str:
    """Return the model that answers a case's requests; of an agent without one, its own name."""
    return case.agent_model or case.model
