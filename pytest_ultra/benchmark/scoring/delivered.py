"""What an episode delivered where its goal wants something else."""

from __future__ import annotations

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.core.json_types import Json


def delivered_instead(fact: Fact, evidence: Evidence) -> tuple[Json, ...]:
    """Return what the episode put at the place of a fact that it missed, without what was there before."""
    if fact.kind is FactKind.ANSWER:
        return () if evidence.answer is None else (evidence.answer,)
    before = fact.values_in(evidence.task.world)
    delivered = []
    for value in fact.values_in(evidence.world):
        if value in before:
            before.remove(value)
        else:
            delivered.append(value)
    return tuple(delivered)
