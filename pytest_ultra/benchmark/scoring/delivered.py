"""What an episode delivered where its goal wants something else."""

from __future__ import annotations

from pytest_ultra.benchmark.facts import Fact, FactKind, entries
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.core.json_types import Json


def delivered_instead(fact: Fact, evidence: Evidence) -> tuple[Json, ...]:
    """Return what the episode put at the place of a fact that it missed, without what was there before."""
    if fact.kind is FactKind.ANSWER:
        return () if evidence.answer is None else (evidence.answer,)
    before = [value for key, value in entries(evidence.task.world, fact.kind) if key == fact.key]
    delivered = []
    for key, value in entries(evidence.world, fact.kind):
        if key != fact.key:
            continue
        if value in before:
            before.remove(value)
        else:
            delivered.append(value)
    return tuple(delivered)
