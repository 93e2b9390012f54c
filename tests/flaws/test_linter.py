"""The linter: each finding has an example and a near miss, and the repair removes what a rule can remove."""

from __future__ import annotations

import pytest

from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tool_signatures import signatures
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.alternative import make_alternative
from pytest_ultra.flaws.linter import FindingKind, lint
from pytest_ultra.flaws.plan_repair import repair
from tests.benchmark.agent_runs import make_tasks

FIRST, SECOND, THIRD = reference(1), reference(2), reference(3)


def step(tool: str, *, only_if_failed: int | None = None, **arguments: Json) -> Step:
    return Step(Call(tool, arguments), only_if_failed=only_if_failed)


READ = step("file_operations_reader", path="data/a.csv")
PARSE = step("data_processing_parser", data=FIRST, format="csv")
KEEP = step("data_processing_filter", data=SECOND, field="net", operator="gt", value=3)
WRITE = step("file_operations_writer", path="out.json", data=THIRD)
POST = step("network_poster", url="https://a.example/intake/1", data=THIRD)
SOUND = (READ, PARSE, KEEP, WRITE)
FETCH = step("network_fetcher", url="https://a.example/orders")
TOTAL = step("data_processing_aggregator", data=SECOND, function="sum", field="net", group_by="region")
SORT_TOTALS = step("data_processing_transformer", data=THIRD, operation="sort", field="sum_net")
MAP = step("integration_mapper", data=SECOND, mapping={"net": "erp_net"})


def kinds(*steps: Step, answer: int | None = None) -> list[FindingKind]:
    return [finding.kind for finding in lint(Workflow(steps, answer), signatures())]


def using(each: Step, data: str, **arguments: Json) -> Step:
    return Step(Call(each.call.tool, {**each.call.arguments, "data": data, **arguments}))


EXAMPLES: dict[FindingKind, tuple[tuple[Step, ...], tuple[Step, ...]]] = {
    FindingKind.UNKNOWN_TOOL: ((step("file_reader", path="data/a.csv"), *SOUND[1:]), SOUND),
    FindingKind.SCHEMA: (
        (*SOUND[:2], using(KEEP, SECOND, operator="above"), WRITE),
        (*SOUND[:2], using(KEEP, SECOND, operator="gte"), WRITE),
    ),
    FindingKind.MISSING_REFERENCE: ((*SOUND[:3], using(WRITE, reference(7))), SOUND),
    FindingKind.FORWARD_REFERENCE: (
        (READ, PARSE, using(WRITE, reference(4)), KEEP),
        (READ, PARSE, using(WRITE, SECOND), KEEP, using(POST, reference(4))),
    ),
    FindingKind.NO_OUTPUT: (
        (*SOUND, using(POST, reference(4))),
        (*SOUND, using(POST, THIRD)),
    ),
    FindingKind.WRONG_KIND: (
        (READ, using(KEEP, FIRST), using(WRITE, SECOND)),
        (FETCH, using(KEEP, FIRST), using(WRITE, SECOND)),
    ),
    FindingKind.UNKNOWN_FIELD: (
        (READ, PARSE, MAP, using(KEEP, THIRD), using(WRITE, reference(4))),
        (READ, PARSE, MAP, using(KEEP, THIRD, field="erp_net"), using(WRITE, reference(4))),
    ),
    FindingKind.CONTRARY_FORMAT: (
        (READ, using(PARSE, FIRST, format="json"), KEEP, WRITE),
        (step("file_operations_reader", path="data/a.txt"), PARSE, KEEP, WRITE),
    ),
    FindingKind.REPEATED: ((*SOUND[:3], POST, POST), (*SOUND[:3], POST, using(POST, THIRD, url="https://b.example/x"))),
    FindingKind.OVERWRITTEN: (
        (*SOUND, using(WRITE, SECOND)),
        (*SOUND, using(WRITE, SECOND, path="other.json")),
    ),
    FindingKind.CONTRARY_CONDITION: (
        (READ, PARSE, Step(KEEP.call, only_if_failed=2), WRITE),
        (*SOUND, Step(WRITE.call, only_if_failed=4)),
    ),
    FindingKind.UNUSED_OUTPUT: ((READ, PARSE, KEEP, using(WRITE, SECOND)), (READ, PARSE, using(WRITE, SECOND), READ)),
    FindingKind.NO_RESULT: ((READ, PARSE), SOUND),
}


@pytest.mark.parametrize("kind", FindingKind)
def test_each_finding_has_an_example_and_a_near_miss(kind: FindingKind) -> None:
    example, near_miss = EXAMPLES[kind]
    assert kind in kinds(*example)
    assert kinds(*near_miss) == []


def test_a_look_up_for_the_reader_and_a_repeated_one_are_fine() -> None:
    check = step("network_validator", url="https://a.example/orders")
    assert kinds(READ, PARSE, KEEP, WRITE, check, READ) == []


def test_the_columns_of_a_total_are_known() -> None:
    assert kinds(READ, PARSE, TOTAL, SORT_TOTALS, using(WRITE, reference(4))) == []
    by_net = using(SORT_TOTALS, THIRD, field="net")
    assert kinds(READ, PARSE, TOTAL, by_net, using(WRITE, reference(4))) == [FindingKind.UNKNOWN_FIELD]


def test_an_answer_is_a_result_and_comes_from_a_step_with_an_output() -> None:
    assert kinds(READ, PARSE, answer=2) == []
    assert kinds(*SOUND, answer=4) == [FindingKind.NO_OUTPUT]
    assert kinds(*SOUND, answer=5) == [FindingKind.MISSING_REFERENCE]


@pytest.mark.parametrize(
    ("steps", "repaired"),
    [
        ((READ, PARSE, using(WRITE, reference(4)), KEEP), (READ, PARSE, using(KEEP, SECOND), using(WRITE, THIRD))),
        ((READ, PARSE, KEEP, using(WRITE, SECOND)), SOUND),
        ((*SOUND[:3], POST, POST), (*SOUND[:3], POST)),
        ((READ, PARSE, Step(KEEP.call, only_if_failed=2), WRITE), SOUND),
        ((READ, using(PARSE, FIRST, format="json"), KEEP, WRITE), SOUND),
        ((READ, PARSE, using(KEEP, FIRST), WRITE), SOUND),
        ((step("file_operations_reader", path=["data/a.csv"]), *SOUND[1:]), SOUND),
        (SOUND, SOUND),
    ],
)
def test_a_repair_by_rule_restores_the_plan(steps: tuple[Step, ...], repaired: tuple[Step, ...]) -> None:
    assert repair(Workflow(steps), signatures()).steps == repaired


def test_what_no_rule_knows_stays() -> None:
    plan = Workflow((step("file_reader", path="data/a.csv"), *SOUND[1:]))
    assert repair(plan, signatures()) == plan


def test_sound_plans_have_no_finding() -> None:
    for task in make_tasks(2, very_hard=1):
        context, optimal = TaskContext(task), perfect_plan(task)
        alternative = make_alternative(context, optimal)
        assert alternative is not None
        assert [lint(plan, context.tools) for plan in (optimal, alternative)] == [(), ()]
        assert repair(alternative, context.tools) == alternative
