"""What an episode delivered beside what its task wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.benchmark.facts import Fact, FactKind, entries
from pytest_ultra.benchmark.goal import read_answer
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.task import BenchmarkGuidance, Milestone
from pytest_ultra.core.goal_report import GoalReport, MilestoneResult
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Event


def check_goal(guidance: BenchmarkGuidance, events: Sequence[Event]) -> GoalReport:
    evidence = Evidence.gather(guidance, events)
    milestones = zip(evidence.milestones, guidance.task.milestones, strict=True)
    return GoalReport(
        tuple(_result(milestone, evidence, is_reached=is_reached) for is_reached, milestone in milestones),
        evidence.harms,
    )


def _result(milestone: Milestone, evidence: Evidence, *, is_reached: bool) -> MilestoneResult:
    fact = milestone.fact
    delivered = () if is_reached or not milestone.is_deliverable else tuple(_delivered(fact, evidence))
    place = f"{fact.kind} {fact.key}" if fact.key else str(fact.kind)
    return MilestoneResult(place, fact.value, is_reached, milestone.is_deliverable, delivered)


def _delivered(fact: Fact, evidence: Evidence) -> Iterator[Json]:
    """Yield what stands at the place where the goal wants something else."""
    if fact.kind is not FactKind.ANSWER:
        yield from (value for key, value in entries(evidence.world, fact.kind) if key == fact.key)
    elif evidence.replies and (answer := read_answer(evidence.replies[-1].text)) is not None:
        yield answer
