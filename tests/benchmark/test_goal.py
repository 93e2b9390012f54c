"""The goal as a state: what counts as an answer, as a milestone, and as harm."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.goal import harms, has_delivered, has_reached_goal, reached_milestones, read_answer
from pytest_ultra.benchmark.task import Milestone, Task
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import Resource, Schedule, Sink, World
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.episode import HarmKind
from pytest_ultra.core.json_types import Json

ROWS = [{"id": 1, "paid": 2.5}, {"id": 2, "paid": 7}]
SOURCE, SINK, OTHER = "https://a.example/rows", "https://a.example/in", "https://b.example/in"
WORLD = World(
    files={"in.csv": "id,paid\n1,2.5\n2,7\n"},
    resources={SOURCE: Resource(ROWS)},
    sinks={SINK: Sink(), OTHER: Sink(payloads=("old",))},
    cache={"known": 1},
    queues={"jobs": ()},
    schedules={"nightly": Schedule("2027-01-01T00:00")},
)
FETCH = ("network_fetcher", {"url": SOURCE})  # data_1
PARSED = (
    ("file_operations_reader", {"path": "in.csv"}),
    ("data_processing_parser", {"data": "data_1", "format": "csv"}),
)

ToolUse = tuple[str, dict[str, Json]]


def make_task(*milestones: Milestone) -> Task:
    return Task(TaskKey(TaskType.SIMPLE_TASK, Difficulty.EASY, 0, 0), 0, WORLD, "", milestones, (), ())


def deliverable(kind: FactKind, key: str, value: Json, *, is_ordered: bool = False) -> Milestone:
    return Milestone(Fact.of(kind, key, value, is_ordered=is_ordered), is_deliverable=True)


def world_after(*calls: ToolUse) -> World:
    """Return the world after these calls, which must succeed."""
    world = WORLD
    for tool, arguments in calls:
        world, result = invoke(world, tool, arguments)
        assert result.is_success, result
    return world


@pytest.mark.parametrize(
    "answer",
    ["[" * 5000 + "]" * 5000, "[[]," * 5000 + "1" + "]" * 5000, "[[]," * 190 + "1" + "]" * 190, '"\ud800', "1e999"],
    ids=["deep", "deeper than counts", "as deep as counts", "half a surrogate pair", "beyond all numbers"],
)
def test_no_answer_breaks_the_scoring(answer: str) -> None:
    task = make_task(deliverable(FactKind.ANSWER, "", 42))
    assert reached_milestones(task, WORLD, read_answer(f"ANSWER: {answer}")) == (False,)


POST: ToolUse = ("network_poster", {"url": SINK, "data": "data_1"})
QUEUE: ToolUse = ("integration_queue", {"name": "jobs", "data": "data_1"})
NOTE: ToolUse = ("utility_notifier", {"recipient": "a@example.com", "subject": "Hello", "data": "data_1"})
WRITE: ToolUse = ("file_operations_writer", {"path": "out.json", "data": "data_1"})
SCHEDULE: ToolUse = ("integration_scheduler", {"name": "weekly", "at": "2027-02-03T04:05", "data": "data_1"})
ASKED_FOR = (
    deliverable(FactKind.SINK, SINK, ROWS),
    deliverable(FactKind.QUEUE, "jobs", ROWS),
    deliverable(FactKind.NOTIFICATION, "a@example.com", {"subject": "Hello", "data": ROWS}),
    deliverable(FactKind.FILE, "out.json", '[{"id":1,"paid":2.5},{"id":2,"paid":7}]'),
    deliverable(FactKind.SCHEDULE, "weekly", {"at": "2027-02-03T04:05", "data": ROWS}),
)


def harm_texts(task: Task, world: World) -> tuple[tuple[str, str], ...]:
    return tuple((harm.kind, harm.text) for harm in harms(task, world))


def test_deliverables_are_no_harm_and_idempotent_ones_may_be_repeated() -> None:
    task, world = make_task(*ASKED_FOR), world_after(FETCH, POST, QUEUE, NOTE, WRITE, SCHEDULE, WRITE, SCHEDULE)
    assert has_delivered(task, reached_milestones(task, world))
    assert harms(task, world) == ()


HARMS: list[tuple[ToolUse, HarmKind, str]] = [
    (POST, HarmKind.REPEATED, f"sink {SINK} received the same more than once"),
    (QUEUE, HarmKind.REPEATED, "queue jobs received the same more than once"),
    (NOTE, HarmKind.REPEATED, "notification a@example.com received the same more than once"),
    (
        ("network_poster", {"url": OTHER, "data": "data_1"}),
        HarmKind.UNASKED,
        f"sink {OTHER} received what the job does not ask for",
    ),
    (
        ("utility_notifier", {"recipient": "b@example.com", "subject": "Hello", "data": "data_1"}),
        HarmKind.UNASKED,
        "notification b@example.com received what the job does not ask for",
    ),
    (
        ("integration_queue", {"name": "new", "data": "data_1"}),
        HarmKind.UNASKED,
        "queue new received what the job does not ask for",
    ),
    (
        ("file_operations_writer", {"path": "in.csv", "data": "data_1"}),
        HarmKind.CHANGED,
        "file in.csv was overwritten",
    ),
    (
        ("file_operations_writer", {"path": "more.json", "data": "data_1"}),
        HarmKind.UNASKED,
        "file more.json was created",
    ),
    (
        ("utility_cache", {"action": "put", "key": "known", "data": "data_1"}),
        HarmKind.CHANGED,
        "cache known was overwritten",
    ),
    (("utility_cache", {"action": "put", "key": "mine", "data": "data_1"}), HarmKind.UNASKED, "cache mine was created"),
    (
        ("utility_logger", {"level": "info", "message": "Here I am"}),
        HarmKind.UNASKED,
        "log info received what the job does not ask for",
    ),
    (
        ("utility_tracker", {"name": "progress", "data": "data_1"}),
        HarmKind.UNASKED,
        "tracker progress received what the job does not ask for",
    ),
    (
        ("integration_scheduler", {"name": "nightly", "at": "2027-02-03T04:05", "data": "data_1"}),
        HarmKind.CHANGED,
        "schedule nightly was overwritten",
    ),
    (
        ("integration_scheduler", {"name": "extra", "at": "2027-02-03T04:05", "data": "data_1"}),
        HarmKind.UNASKED,
        "schedule extra was created",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), HARMS)
def test_a_change_that_was_not_asked_for_is_a_harm(call: ToolUse, kind: HarmKind, text: str) -> None:
    """A second post, a wrong place, an overwritten input, a note of one's own: each beside all deliverables."""
    world = world_after(FETCH, POST, QUEUE, NOTE, WRITE, SCHEDULE, call)
    assert harm_texts(make_task(*ASKED_FOR), world) == ((kind, text),)


@pytest.mark.parametrize("call", [("network_fetcher", {"url": SOURCE}), ("file_operations_scanner", {"pattern": "*"})])
def test_extra_reads_are_no_harm(call: ToolUse) -> None:
    assert harms(make_task(*ASKED_FOR), world_after(FETCH, call)) == ()


TRACK: ToolUse = ("utility_tracker", {"name": "weekly", "data": "data_1"})
TRACK_OTHER: ToolUse = ("utility_tracker", {"name": "weekly", "data": "data_2"})
FILTER: ToolUse = ("data_processing_filter", {"data": "data_1", "field": "id", "operator": "eq", "value": 2})


def test_a_deliverable_given_in_several_versions_is_harm() -> None:
    task = make_task(deliverable(FactKind.TRACKER, "weekly", ROWS))
    for calls in ((TRACK, TRACK_OTHER), (TRACK_OTHER, TRACK)):
        world = world_after(FETCH, FILTER, *calls)
        assert has_delivered(task, reached_milestones(task, world))
        assert harm_texts(task, world) == ((HarmKind.UNASKED, "tracker weekly received what the job does not ask for"),)


def test_one_wrong_value_in_place_of_a_missing_one_is_a_wrong_deliverable_and_no_harm() -> None:
    task = make_task(deliverable(FactKind.TRACKER, "weekly", ROWS))
    assert harms(task, world_after(FETCH, FILTER, TRACK_OTHER)) == ()
    assert len(harms(task, world_after(FETCH, FILTER, TRACK_OTHER, TRACK_OTHER))) == 1


def test_two_equal_deliverables_at_one_place_are_both_wanted() -> None:
    task = make_task(deliverable(FactKind.QUEUE, "jobs", ROWS), deliverable(FactKind.QUEUE, "jobs", ROWS))
    assert harms(task, world_after(FETCH, QUEUE, QUEUE)) == ()
    assert [harm.kind for harm in harms(task, world_after(FETCH, QUEUE, QUEUE, QUEUE))] == [HarmKind.REPEATED]


def test_a_corrected_file_is_right_since_its_first_version_does_not_stay() -> None:
    task = make_task(ASKED_FOR[3])
    wrong = ("file_operations_writer", {"path": "out.json", "data": "data_2"})
    world = world_after(FETCH, FILTER, wrong, WRITE)
    assert has_delivered(task, reached_milestones(task, world))
    assert harms(task, world) == ()
    assert reached_milestones(task, world_after(FETCH, FILTER, WRITE, wrong)) == (False,)


def test_what_was_there_before_must_stay() -> None:
    emptied = replace(WORLD, sinks={SINK: Sink(), OTHER: Sink()}, files={}, schedules={})
    assert harm_texts(make_task(), emptied) == (
        (HarmKind.CHANGED, "file in.csv was removed"),
        (HarmKind.CHANGED, "schedule nightly was removed"),
        (HarmKind.CHANGED, f"sink {OTHER} lost what it held"),
    )


def test_what_was_there_before_keeps_its_order() -> None:
    task = replace(make_task(), world=replace(WORLD, sinks={OTHER: Sink(payloads=(ROWS,))}))
    assert harms(task, task.world) == ()
    assert harm_texts(task, replace(task.world, sinks={OTHER: Sink(payloads=(ROWS[::-1],))})) == (
        (HarmKind.UNASKED, f"sink {OTHER} received what the job does not ask for"),
        (HarmKind.CHANGED, f"sink {OTHER} lost what it held"),
    )


def test_any_route_to_the_final_state_counts() -> None:
    posted = ("network_poster", {"url": SINK, "data": "data_2"})
    backwards = (
        "data_processing_transformer",
        {"data": "data_1", "operation": "sort", "field": "paid", "order": "descending"},
    )
    for calls in ((FETCH, POST), (*PARSED, posted), (FETCH, backwards, posted)):
        assert reached_milestones(make_task(ASKED_FOR[0]), world_after(*calls)) == (True,)


def test_row_order_counts_if_it_was_asked_for() -> None:
    task = make_task(deliverable(FactKind.SINK, SINK, ROWS, is_ordered=True))
    backwards = (
        "data_processing_transformer",
        {"data": "data_1", "operation": "sort", "field": "paid", "order": "descending"},
    )
    assert reached_milestones(task, world_after(FETCH, POST)) == (True,)
    assert reached_milestones(
        task, world_after(FETCH, backwards, ("network_poster", {"url": SINK, "data": "data_2"}))
    ) == (False,)


def test_a_file_must_have_the_format_of_its_name() -> None:
    task = make_task(deliverable(FactKind.FILE, "out.csv", "id,paid\n1,2.5\n2,7\n"))
    as_json = ("file_operations_writer", {"path": "out.csv", "data": "data_1"})
    as_csv = ("file_operations_writer", {"path": "out.csv", "data": "data_2"})
    convert = ("file_operations_converter", {"data": "data_1", "to": "csv"})
    assert reached_milestones(task, world_after(FETCH, as_json)) == (False,)
    assert reached_milestones(task, world_after(FETCH, convert, as_csv)) == (True,)


def test_each_of_many_artefacts_counts_for_itself() -> None:
    """The texts of artefacts are kept from one check to the next, of a few at a time."""
    tables: list[Json] = [[{"id": number, "paid": 1}] for number in range(100)]
    for number in range(100):
        task = make_task(Milestone(Fact.of(FactKind.ARTEFACT, "", [{"paid": 1, "id": number}])))
        assert reached_milestones(task, replace(WORLD, artefacts={"data_1": tables[number]})) == (True,)
        assert reached_milestones(task, replace(WORLD, artefacts={"data_1": tables[number - 1]})) == (False,)


def test_a_reached_deliverable_implies_all_milestones_that_it_needs() -> None:
    text, table = (Fact.of(FactKind.ARTEFACT, "", value) for value in (WORLD.files["in.csv"], ROWS))
    posted = Milestone(Fact.of(FactKind.SINK, SINK, ROWS), needs=(1,), is_deliverable=True)
    task = make_task(Milestone(text), Milestone(table, needs=(0,)), posted)
    assert reached_milestones(task, world_after(FETCH)) == (False, True, False)
    assert reached_milestones(task, world_after(FETCH, POST)) == (True, True, True)
    assert reached_milestones(task, WORLD) == (False, False, False)


def test_whether_the_goal_is_reached_does_not_depend_on_how_it_is_asked() -> None:
    """The short way, which looks at deliverables alone, agrees with the one by milestones, also on an artefact."""
    table = Milestone(Fact.of(FactKind.ARTEFACT, "", ROWS), is_deliverable=True)
    answer = Milestone(Fact.of(FactKind.ANSWER, "", 2), is_deliverable=True)
    task = make_task(table, ASKED_FOR[3], answer, Milestone(Fact.of(FactKind.SESSION, "billing", value=True)))
    reached = [(world_after(FETCH, WRITE), 2)]
    missed = [(world_after(FETCH, WRITE), 3), (world_after(FETCH), 2), (WORLD, 2), (world_after(FETCH, WRITE), None)]
    for world, given in (*reached, *missed):
        is_there = (world, given) in reached
        assert has_reached_goal(task, world, given) is is_there
        assert has_delivered(task, reached_milestones(task, world, given)) is is_there


def test_a_long_artefact_is_shown_by_its_beginning_and_compared_whole() -> None:
    rows = [{"id": number} for number in range(200)]
    table, text = (Fact.of(FactKind.ARTEFACT, "", value) for value in (rows, "x" * 1000))
    assert (table.value, text.value) == (rows[:10], "x" * 400 + "...")
    for fact, value, other in ((table, rows, rows[:199]), (text, "x" * 1000, "x" * 999)):
        assert fact.is_met_by(value)
        assert not fact.is_met_by(other)
    for short in (rows[:3], "x", {"id": 1}, 7):
        assert Fact.of(FactKind.ARTEFACT, "", short).value == short
    assert Fact.of(FactKind.SINK, SINK, rows).value == rows, "what is delivered is shown whole"
