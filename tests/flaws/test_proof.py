"""The proofs of a flaw, on plans of one hand-made job: another text, a cost, and the visibility that is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.candidate import Candidate, with_arguments
from pytest_ultra.flaws.proof import contradicts_words, has_cost, has_visibility, is_proved
from tests.benchmark.test_recovery import JOB, SINK

WORDS = f"Read in.csv, keep the rows whose status (eq) is paid, post them to {SINK} and write them to out.json."
TASK = replace(JOB, words=WORDS, milestones=JOB.milestones[:5], actions=JOB.actions[:6])
OPTIMAL = perfect_plan(TASK)
CONTEXT = TaskContext(TASK)
READ, PARSE, FILTER, POST, WRITE = OPTIMAL.steps
SCAN = Step(Call("file_operations_scanner", {"pattern": "*"}))


def candidate(*steps: Step, origin: tuple[int | None, ...] = (1, 2, 3, 4, 5)) -> Candidate:
    return Candidate(Workflow(steps), (), origin)


def with_filter(value: str) -> Candidate:
    return candidate(READ, PARSE, with_arguments(FILTER, value=value), POST, WRITE)


SOUND = candidate(*OPTIMAL.steps)
OTHER_ORDER = candidate(READ, PARSE, FILTER, WRITE, POST)
NAMED, STRANGE = with_filter("status"), with_filter("open")
FLAGGED = candidate(READ, PARSE, with_arguments(FILTER, data=reference(5)), POST, WRITE)
LONGER = candidate(*OPTIMAL.steps, SCAN, origin=(1, 2, 3, 4, 5, None))


def test_the_plans_are_what_they_are_called() -> None:
    assert [has_visibility(CONTEXT, OPTIMAL, plan, Visibility.PLAN) for plan in (SOUND, NAMED, STRANGE, FLAGGED)] == [
        False,
        False,
        False,
        True,
    ]
    assert not CONTEXT.rehearse(NAMED.workflow).has_delivered
    assert CONTEXT.rehearse(OTHER_ORDER.workflow).has_delivered


@pytest.mark.parametrize(
    ("plan", "proved"),
    [
        (SOUND, []),
        (OTHER_ORDER, []),
        (NAMED, [Visibility.JOB, Visibility.WORLD]),
        (STRANGE, [Visibility.JOB]),
        (FLAGGED, [Visibility.PLAN]),
    ],
    ids=["the sound plan", "another order", "a named value", "a value that is not named", "flagged by the linter"],
)
def test_a_plan_is_proved_for_the_visibilities_that_it_has_and_only_with_a_cost(
    plan: Candidate, proved: list[Visibility]
) -> None:
    kind = FlawKind.PARAMETER_ERROR
    assert [seen for seen in Visibility if is_proved(CONTEXT, OPTIMAL, kind, plan, seen)] == proved


def test_a_plan_with_the_same_text_is_no_flaw_whatever_its_kind() -> None:
    shorter = Workflow(OPTIMAL.steps[1:])  # beside it, the whole plan costs more calls
    assert not is_proved(CONTEXT, OPTIMAL, FlawKind.REDUNDANT_OPERATIONS, SOUND, Visibility.JOB)
    assert has_cost(CONTEXT, shorter, FlawKind.REDUNDANT_OPERATIONS, OPTIMAL)


@pytest.mark.parametrize(
    ("plan", "flaws", "costs"),
    [
        (LONGER, 1, [FlawKind.REDUNDANT_OPERATIONS]),
        (LONGER, 2, []),
        (OTHER_ORDER, 1, []),
        (NAMED, 1, [kind for kind in FlawKind if kind is not FlawKind.REDUNDANT_OPERATIONS]),
        (NAMED, 2, [*FlawKind]),
    ],
    ids=["more calls", "more calls and another flaw", "as many calls", "missed", "missed, with another flaw"],
)
def test_only_redundancy_alone_may_cost_no_more_than_calls(plan: Candidate, flaws: int, costs: list[FlawKind]) -> None:
    assert [kind for kind in FlawKind if has_cost(CONTEXT, OPTIMAL, kind, plan.workflow, flaws=flaws)] == costs


def extra(**arguments: str) -> Candidate:
    step = Step(Call("file_operations_writer", {"data": reference(3), **arguments}))
    return candidate(*OPTIMAL.steps, step, origin=(1, 2, 3, 4, 5, None))


OTHER_TOOL = Step(Call("integration_queue", {"data": reference(3), "name": "jobs"}))
CONTRADICTIONS: dict[str, tuple[Candidate, bool]] = {
    "nothing changed": (SOUND, False),
    "a wrong value that is named": (NAMED, False),
    "a wrong value that is not named": (STRANGE, True),
    "an added value that is named": (extra(path="in.csv"), False),
    "an added value that is not named": (extra(path="more.json"), True),
    "an added value that the sound plan has": (extra(path="csv"), False),
    "a step of another tool": (candidate(READ, PARSE, FILTER, POST, OTHER_TOOL), True),
    "a wrong reference": (candidate(READ, PARSE, with_arguments(FILTER, data=reference(1)), POST, WRITE), False),
    "one of few values": (candidate(READ, PARSE, with_arguments(FILTER, operator="ne"), POST, WRITE), False),
    "a wrong value after a good one": (candidate(READ, PARSE, FILTER, POST, with_arguments(WRITE, path="x")), True),
    "an unknown tool": (candidate(READ, PARSE, FILTER, POST, Step(Call("writer", {"path": "x"}))), True),
    "an unknown argument": (candidate(READ, PARSE, with_arguments(FILTER, more="x"), POST, WRITE), True),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_check_of_literals_finds_what_the_words_contradict(name: str) -> None:
    plan, is_found = CONTRADICTIONS[name]
    assert contradicts_words(CONTEXT, OPTIMAL, plan) is is_found


def test_a_wrong_value_is_left_to_the_world_where_the_words_do_not_name_the_right_one() -> None:
    silent = TaskContext(replace(TASK, words="Post the paid ones."))
    moved = candidate(with_arguments(READ, path="other.csv"), PARSE, FILTER, POST, WRITE)
    assert contradicts_words(CONTEXT, OPTIMAL, moved)
    assert not contradicts_words(silent, OPTIMAL, moved)
    assert is_proved(silent, OPTIMAL, FlawKind.PARAMETER_ERROR, moved, Visibility.WORLD)


def test_a_step_is_compared_with_the_one_that_it_comes_from() -> None:
    """The words name where to write, and not what to read."""
    half = TaskContext(replace(TASK, words="Write the paid ones to out.json."))
    assert not contradicts_words(half, OPTIMAL, SOUND)
