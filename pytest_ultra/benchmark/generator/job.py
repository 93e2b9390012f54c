"""A job: data with their dirt, rules, a selection, results and deliveries, put together in the draft."""

from __future__ import annotations

from pytest_ultra.benchmark.generator.base_data import make_base
from pytest_ultra.benchmark.generator.business.records import Table
from pytest_ultra.benchmark.generator.conditions import hand_over_if, send_also_if
from pytest_ultra.benchmark.generator.deliveries import add_directory, can_route, draw_places, hand_over, route
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_choices import Job
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_results import RESULTS
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.levels import Condition, Naming
from pytest_ultra.benchmark.generator.setting import DICTIONARY
from pytest_ultra.benchmark.generator.shapes import ANSWER, ROUTE, Part, draw_shape, possible_results
from pytest_ultra.benchmark.generator.surveys import fill_survey
from pytest_ultra.benchmark.goal import unwrap
from pytest_ultra.core.axes import TaskType
from pytest_ultra.core.json_types import Json


def fill_draft(draft: Draft, task_type: TaskType) -> None:
    """Draw a job of this type into the draft; reject a draw that turns out badly."""
    is_short = task_type in (TaskType.SIMPLE_TASK, TaskType.BASIC_TASK)
    if draft.level.is_exact and is_short and draft.rng.random() < 0.25:
        fill_survey(draft, task_type)
        return
    tables = draft.setting.business.tables
    table = draft.pick([table for table in tables if table.parent] if draft.level.is_joined else tables)
    has_units = any(measure.other_unit for measure in table.measures)
    shape = draw_shape(draft.rng, draft.level, task_type, has_units=has_units)
    job = Job(draft, shape, table)
    if draft.level.naming is Naming.SEVERAL_LOOK_UPS:
        draft.setting.move_work()
    services = draft.setting.business.services
    draft.add_to_world(credentials=dict.fromkeys(services.values(), f"{draft.setting.business.host}-reporting"))
    if task_type is TaskType.API_INTEGRATION:
        others = [service for service in services.values() if service != services[table.name]]
        draft.setting.sink_service = draft.pick(others) if shape.has_second_session else services[table.name]
    if not draft.level.is_exact:
        draft.say(Kind.OPENING, _OPENINGS, occasion=draft.pick(draft.setting.business.occasions))
    base = make_base(job)
    for part in shape.parts:
        draft.text.begin_part()
        _make_part(draft, base, part, is_guarded=task_type is TaskType.API_INTEGRATION)
    _add_documents(job)


_OPENINGS = (
    "This is for {occasion}.",
    "We are getting ready for {occasion}.",
    "For {occasion}, the following is needed.",
    "Something is needed for {occasion}.",
)


def _make_part(draft: Draft, base: Item, part: Part, *, is_guarded: bool) -> None:
    item = _make_result(draft, base, part)
    if part.place == ROUTE and can_route(item):
        route(draft, item, draft.setting.sink_service if is_guarded else "")
        return
    if part.place == ANSWER:
        _answer(draft, item)
        return
    if part.place == "csv_file":
        item = draft.make(item.call("file_operations_converter", to="csv"), item)
    service = draft.setting.sink_service if is_guarded else ""
    count = {Condition.NONE: 1, Condition.STATED_FACT: 2, Condition.FIGURE: 2}.get(part.condition, 3)
    kind = "intake" if part.place == ROUTE else part.place
    places = draw_places(draft, kind, count, service=service)
    if part.condition is Condition.NONE:
        draft.say(Kind.DELIVERY, _DELIVERED[: 3 if draft.level.is_exact else 2], request=places[0].request)
        hand_over(draft, item, places[0])
    else:
        hand_over_if(draft, item, base, places, part.condition)
    if part.is_sent_too:
        other = draft.pick([other for other in ("mailbox", "queue") if other != part.place])
        send_also_if(draft, item, base, draw_places(draft, other, 1)[0])


def _make_result(draft: Draft, base: Item, part: Part) -> Item:
    """Make the result, or another one with as many steps if the data do not allow it."""
    names = [
        name for name in possible_results(part.place, draft.level) if RESULTS[name].steps == RESULTS[part.result].steps
    ]
    draft.rng.shuffle(names)
    for name in [part.result, *names]:
        made, kept = len(draft.milestones), list(draft.text.parts[-1])
        try:
            return RESULTS[name].make(draft, base)
        except RejectedError:
            if len(draft.milestones) > made:
                raise
            draft.text.parts[-1] = kept
    raise RejectedError("no result is possible")


_DELIVERED = ("{request}.", "Then {request}.", "Finally, {request}.")
"""The last one fits where the words follow the order of the work."""


def _answer(draft: Draft, item: Item) -> None:
    value = unwrap(item.value)
    if isinstance(value, list | dict):
        raise RejectedError("more than one value")
    draft.say(Kind.DELIVERY, _ANSWERED)
    draft.answer(item, value)


_ANSWERED = (
    "Answer with that figure, rounded to two decimals if it is not whole.",
    "Give that figure as your answer, to two decimals if it is not whole.",
)


def _add_documents(job: Job) -> None:
    """Add the data dictionary, and from `medium` on the directory."""
    draft = job.draft
    if draft.level.is_exact:
        return
    add_directory(draft)
    rows: list[Json] = []
    for table in [draft.setting.business.parent, *draft.setting.business.tables]:
        rows += _describe_fields(job, table)
    draft.add_to_world(topics={DICTIONARY: rows})


def _describe_fields(job: Job, table: Table) -> list[Json]:
    """Describe the fields of a table: the measures with their units; where there are notes, all fields with these."""
    stored = job.unit.name if job.unit is not None and job.shape.has("unit") else ""
    meanings = {measure.name: measure.phrase for measure in table.measures}
    units = {
        measure.name: measure.other_unit if table.name == job.table.name and measure.name == stored else measure.unit
        for measure in table.measures
    }
    if not job.draft.level.has_notes:
        return [{"table": table.name, "field": name, "meaning": meanings[name], "unit": units[name]} for name in units]
    meanings |= {category.name: category.phrase for category in table.categories}
    others = [table.key, *([table.parent] if table.parent else []), *(category.name for category in table.categories)]
    return [
        {
            "table": table.name,
            "field": name,
            "meaning": meanings.get(name, ""),
            "unit": units.get(name, ""),
            "note": job.notes.of_field(table, name),
        }
        for name in (*others, *units)
    ]
