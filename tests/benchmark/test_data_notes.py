"""Notes on data, revisions, and rules whose values are worked out: what they say is what the goal needs."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.benchmark.decisions import Decision
from pytest_ultra.benchmark.generator import rows
from pytest_ultra.benchmark.generator.business import BUSINESSES
from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.benchmark.generator.periods import draw_period
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.rehearsal import Rehearsal, rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.axes import Difficulty, TaskType
from pytest_ultra.core.case import TaskKey
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call, referenced_step
from tests.benchmark.agent_runs import make_task, make_tasks

INSTANCES = {Difficulty.HARD: 8, Difficulty.VERY_HARD: 3}
"""Those whose data have notes; the tables of the second are long."""


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    cells = product(TaskType, INSTANCES)
    keys = [TaskKey(task_type, level, number, 0) for task_type, level in cells for number in range(INSTANCES[level])]
    return [make_task(key) for key in keys]


def documents(task: Task) -> list[Row]:
    found: list[Row] = [row for name in ("data catalogue", "data dictionary") for row in task.world.topics[name]]
    return found


def decided(tasks: list[Task], question: str) -> Iterator[tuple[Task, Decision, Call, Rehearsal]]:
    """Yield the decisions with a question that begins so, the call that is right, and a rehearsal of the task."""
    for task in tasks:
        calls = {action.reaches: action.call for action in reversed(task.actions)}
        for decision in task.decisions:
            if decision.question.startswith(question):
                index = next(index for misreading in decision.misreadings for index in misreading.dropped)
                yield task, decision, calls[index], rehearse(task, perfect_plan(task))


def table_before(call: Call, rehearsal: Rehearsal) -> list[Row]:
    """Return the table that a call of the reference workflow works on; its steps are the milestones in order."""
    step = referenced_step(call.arguments["data"])
    assert step is not None
    table: list[Row] = rehearsal.world.artefacts[str(rehearsal.done[step].output)]
    return table


def test_notes_stand_in_the_documents_from_hard_on_and_the_words_point_to_them(tasks: list[Task]) -> None:
    for task in tasks:
        assert all("note" in row for row in documents(task))
        assert all(row["note"] for row in task.world.topics["data catalogue"])
        assert points_to_notes(task.words)
    medium = [task for task in make_tasks(2, very_hard=0) if LEVELS[task.key.difficulty].notes == (0, 0)]
    assert medium
    for task in medium:
        assert not any("note" in row for rows_ in task.world.topics.values() for row in rows_)


def points_to_notes(words: str) -> bool:
    return "data catalogue and the data dictionary" in words and "note" in words


def test_a_mark_for_a_missing_value_is_noted_at_its_field(tasks: list[Task]) -> None:
    found = list(decided(tasks, "what stands for a missing value"))
    assert found
    for task, _, call, _ in found:
        notes = {row["field"]: row["note"] for row in task.world.topics["data dictionary"] if row["note"]}
        assert notes[str(call.arguments["field"])] == f"{call.arguments['value']} stands for no value"


def test_a_state_that_does_not_count_is_noted_at_the_set(tasks: list[Task]) -> None:
    found = list(decided(tasks, "in which state"))
    assert found
    for task, _, call, rehearsal in found:
        note = f"Entries whose entry_state is {call.arguments['value']} do not count"
        assert any(note in str(row["note"]) for row in task.world.topics["data catalogue"])
        states = {row["entry_state"] for row in table_before(call, rehearsal)}
        assert len(states) == 3


def test_the_latest_revision_of_each_key_is_kept(tasks: list[Task]) -> None:
    found = [item for item in decided(tasks, "are some") if "revision" in item[0].words]
    assert found
    for task, _, call, rehearsal in found:
        before = table_before(call, rehearsal)
        if "revision" not in before[0]:
            continue
        key = str(call.arguments["field"])
        latest = {row[key]: row["revision"] for row in sorted(before, key=lambda row: int(row["revision"]))}
        kept: dict[Json, Json] = {}
        for row in before:
            kept.setdefault(row[key], row["revision"])
        assert kept == latest, task.words


def test_days_of_the_week_are_those_of_the_calendar(tasks: list[Task]) -> None:
    found = list(decided(tasks, "on which days of the week"))
    assert found
    for task, _, call, _ in found:
        names = {dt.date.fromisoformat(str(day)).strftime("%A") for day in call.arguments["value"]}
        if len(names) == 1:
            assert names.pop() in task.words
        else:
            assert names == {"Saturday", "Sunday"}


def test_an_exception_concerns_the_rows_below_its_figure(tasks: list[Task]) -> None:
    found = list(decided(tasks, "to which"))
    assert found
    for _, decision, call, rehearsal in found:
        is_value, is_below = decision.look_ups
        rows_ = table_before(call, rehearsal)
        concerned = [
            row[str(call.arguments["field"])]
            for row in rows_
            if row[str(is_value.arguments["field"])] == is_value.arguments["value"]
            and row[str(is_below.arguments["field"])] < is_below.arguments["value"]
        ]
        assert concerned == call.arguments["value"]


@st.composite
def drawn_tables(draw: st.DrawFn) -> tuple[Table, list[Row], Random]:
    rng = Random(draw(st.integers(0, 10**6)))
    table = rng.choice(rng.choice(BUSINESSES).tables)
    return table, rows.draw_rows(table, rng, draw(st.integers(20, 60)), draw_period(rng)), rng


@given(drawn_tables())
def test_revisions_are_numbered_without_gaps_and_keep_what_is_fixed(drawn: tuple[Table, list[Row], Random]) -> None:
    table, clean, rng = drawn
    fixed = [table.measures[0].name]
    revised = rows.add_revisions(clean, table, "revision", rng, 0.2, fixed=fixed)
    numbers: dict[Json, list[int]] = {}
    for row in revised:
        numbers.setdefault(row[table.key], []).append(int(row["revision"]))
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())
    assert len(numbers) == len(clean)
    assert any(len(found) > 1 for found in numbers.values())
    originals = {row[table.key]: row[fixed[0]] for row in clean}
    assert all(row[fixed[0]] == originals[row[table.key]] for row in revised)
    assert [row["revision"] for row in revised[: rows.PREVIEWED]] == [1] * rows.PREVIEWED


@given(drawn_tables())
def test_a_total_is_the_sum_of_the_rows_above(drawn: tuple[Table, list[Row], Random]) -> None:
    table, clean, _ = drawn
    *others, total = rows.add_total(clean, table, "TOTAL")
    assert others == clean
    assert total[table.key] == "TOTAL"
    for measure in table.measures:
        assert total[measure.name] == pytest.approx(sum(row[measure.name] for row in clean))
    assert all(total[category.name] is None for category in table.categories)


@given(drawn_tables())
def test_strays_and_marks_leave_the_preview_clean(drawn: tuple[Table, list[Row], Random]) -> None:
    table, _, rng = drawn
    when = draw_period(rng)
    clean = rows.draw_rows(table, rng, 40, when)
    strays = rows.add_strays(clean, table.date, when, rng, 0.1)
    assert strays[: rows.PREVIEWED] == clean[: rows.PREVIEWED]
    assert any(str(row[table.date]) < when.first.isoformat() for row in strays)
    field = table.measures[0].name
    marked = rows.mark_missing(clean, field, -1, rng, 0.1)
    assert marked[: rows.PREVIEWED] == clean[: rows.PREVIEWED]
    assert Counter(row[field] == -1 for row in marked)[True] >= 2


@given(drawn_tables())
def test_states_are_usual_in_the_preview(drawn: tuple[Table, list[Row], Random]) -> None:
    _, clean, rng = drawn
    stated = rows.add_states(clean, "entry_state", ("booked", "void", "trial"), rng, 0.5)
    assert {row["entry_state"] for row in stated[: rows.PREVIEWED]} == {"booked"}
    assert {row["entry_state"] for row in stated} <= {"booked", "void", "trial"}
    assert [{name: cell for name, cell in row.items() if name != "entry_state"} for row in stated] == clean
