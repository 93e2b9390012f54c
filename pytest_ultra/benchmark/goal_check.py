"""What an episode delivered beside what its task wanted."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.benchmark.scoring.delivered import delivered_instead
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.task import BenchmarkGuidance, Milestone
from pytest_ultra.benchmark.value_difference import describe_difference
from pytest_ultra.core.goal_report import GoalReport, MilestoneResult
from pytest_ultra.core.transcript import Event


def check_goal(guidance: BenchmarkGuidance, events: Sequence[Event]) -> GoalReport:
    evidence = Evidence.gather(guidance, events)
    milestones = zip(evidence.milestones, guidance.task.milestones, strict=True)
    return GoalReport(
        tuple(_result(milestone, evidence, is_reached=is_reached) for is_reached, milestone in milestones),
        tuple(harm.text for harm in evidence.harms),
    )


def _result(milestone: Milestone, evidence: Evidence, *, is_reached: bool) -> MilestoneResult:
    fact = milestone.fact
    delivered = () if is_reached or not milestone.is_deliverable else delivered_instead(fact, evidence)
    place = f"{fact.kind} {fact.key}" if fact.key else str(fact.kind)
    differences = tuple(describe_difference(fact.value, value) for value in delivered)
    return MilestoneResult(place, fact.value, is_reached, milestone.is_deliverable, delivered, differences)
