"""The built-in benchmark as a suite."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.benchmark.conversation import Conversation
from pytest_ultra.benchmark.cost_estimate import estimate, expect_requests
from pytest_ultra.benchmark.goal_check import check_goal
from pytest_ultra.benchmark.scoring.score import score
from pytest_ultra.benchmark.task import BenchmarkGuidance, Task
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Score
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.transcript import Event
from pytest_ultra.core.workflow import Workflow


class BenchmarkSuite:
    """See `core.suite.Suite`. The generator and the planner are imported by the first call that needs them."""

    task_type = Task

    def begin(self, case: Case, guidance: BenchmarkGuidance, /) -> Conversation:
        return Conversation.begin(case, guidance)

    def score(self, case: Case, guidance: BenchmarkGuidance, events: Sequence[Event], /) -> Score:
        return score(case, guidance, events)

    def make_task(self, case: Case) -> Task:
        from pytest_ultra.benchmark.generator.generate import generate_task  # noqa: PLC0415 - one worker needs it

        return generate_task(case.task_key)

    def make_guidance(
        self, case: Case, *, task: Task | None = None, optimal: Workflow | None = None
    ) -> BenchmarkGuidance:
        from pytest_ultra.benchmark.guide import make_guidance  # noqa: PLC0415 - one worker needs it

        return make_guidance(case, task=task, optimal=optimal)

    def check_goal(self, guidance: BenchmarkGuidance, events: Sequence[Event], /) -> GoalReport:
        return check_goal(guidance, events)

    def expect_requests(self, case: Case, guidance: BenchmarkGuidance, /) -> float:
        return expect_requests(case, guidance.optimal)

    def estimate(self, case: Case, guidance: BenchmarkGuidance, /) -> Estimate:
        return estimate(case, guidance)


BENCHMARK = BenchmarkSuite()
