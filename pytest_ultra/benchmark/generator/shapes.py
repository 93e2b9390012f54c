"""The shapes of each task type: the number of steps, and which sources, processing and deliveries they combine."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ultra.benchmark.generator import deliveries, processes, sources
from pytest_ultra.benchmark.generator.draft import Draft, Item, RejectedError
from pytest_ultra.core.axes import TaskType

Source = Callable[[Draft], Item]
Process = Callable[[Draft, Item], Item]

ONE_STEP_SOURCES: tuple[Source, ...] = (
    sources.web_table,
    sources.datastore_table,
    sources.cached_table,
    sources.reference_table,
    sources.file_listing,
    sources.latency_table,
)
TABLE_TO_TABLE: tuple[Process, ...] = (
    processes.keep_matching,
    processes.sort_rows,
    processes.add_column,
    processes.rename_fields,
    processes.choose_best,
)
TABLE_TO_RESULT: tuple[Process, ...] = (
    processes.aggregate,
    processes.analyze,
    processes.forecast,
    processes.simulate_growth,
    processes.compress,
)
STEPS = {
    TaskType.SIMPLE_TASK: (3, 3),  # with two steps, `sequence_disorder` could not damage two
    TaskType.BASIC_TASK: (3, 4),
    TaskType.DATA_PIPELINE: (3, 5),
    TaskType.API_INTEGRATION: (3, 5),
    TaskType.MULTI_STAGE_PIPELINE: (5, 8),
}
"""The minimum and the maximum number of steps of each task type."""


def fill_draft(draft: Draft, task_type: TaskType) -> None:
    """Draw a job of this type into the draft; reject a draw with too few or too many steps."""
    draft.rng.choice(_SHAPES[task_type])(draft)
    least, most = STEPS[task_type]
    if not least <= draft.steps <= most:
        raise RejectedError("too few or too many steps")


_SIMPLE: tuple[Callable[[Draft], None], ...] = (
    lambda draft: deliveries.write_file(draft, processes.convert(draft, sources.file_text(draft), "json"), "json"),
    lambda draft: _deliver(draft, processes.compress(draft, sources.address_report(draft))),
    lambda draft: _answer(draft, sources.file_table(draft)),
    lambda draft: _answer(draft, _transform(draft, _one_step_source(draft))),
    lambda draft: _deliver(draft, _process(draft, _one_step_source(draft))),
)
_BASIC: tuple[Callable[[Draft], None], ...] = (
    lambda draft: _deliver(draft, _process(draft, sources.file_table(draft))),
    lambda draft: _deliver(draft, processes.drop_incomplete(draft, _dirty_source(draft))),
    lambda draft: _answer(draft, _transform(draft, sources.file_table(draft))),
    lambda draft: _deliver(draft, _process(draft, _transform(draft, _one_step_source(draft)))),
)
_PIPELINE: tuple[Callable[[Draft], None], ...] = (
    lambda draft: _deliver(draft, _process(draft, _transform(draft, sources.file_table(draft)))),
    lambda draft: _deliver(draft, _process(draft, _transform(draft, _transform(draft, _one_step_source(draft))))),
    lambda draft: _deliver(draft, _process(draft, processes.drop_incomplete(draft, _dirty_source(draft)))),
    lambda draft: deliveries.write_file(
        draft, processes.convert(draft, _transform(draft, _one_step_source(draft)), "csv"), "csv"
    ),
)


def _integration(draft: Draft) -> None:
    item, service, session = sources.protected_table(draft, is_dirty=True)
    for process in draft.rng.choice(((), (_transform,), (_process,), (processes.drop_incomplete, _process))):
        item = process(draft, item)
    is_table = isinstance(item.value, list) and draft.rng.random() < 0.4
    (deliveries.route if is_table else deliveries.post)(draft, item, service, session)


def _multi_stage(draft: Draft) -> None:
    table = draft.rng.choice((sources.file_table, _one_step_source, _protected))(draft)
    first = _transform(draft, table)
    _deliver(draft, first)
    if draft.rng.random() < 0.3:
        deliveries.notify_if_many(draft, _refer_to(draft, first))
    base = first if draft.rng.random() < 0.6 else table
    second = _process(draft, _refer_to(draft, base))
    _deliver(draft, second)
    if draft.rng.random() < 0.4:
        _deliver(draft, _refer_to(draft, draft.rng.choice((first, second))))


def _refer_to(draft: Draft, item: Item) -> Item:
    """Add the sentence that names the input of the next operation."""
    draft.add_sentence(f"Now take {item.noun}.")
    return item


def _answer(draft: Draft, item: Item) -> None:
    deliveries.answer(draft, processes.aggregate(draft, item, grouped=False))


def _one_step_source(draft: Draft) -> Item:
    return draft.rng.choice(ONE_STEP_SOURCES)(draft)


def _dirty_source(draft: Draft) -> Item:
    tables = (sources.web_table, sources.datastore_table, sources.cached_table, sources.file_table)
    return draft.rng.choice(tables)(draft, is_dirty=True)


def _protected(draft: Draft) -> Item:
    return sources.protected_table(draft)[0]


def _transform(draft: Draft, item: Item) -> Item:
    return draft.rng.choice(TABLE_TO_TABLE)(draft, item)


def _process(draft: Draft, item: Item) -> Item:
    return draft.rng.choice(TABLE_TO_TABLE + TABLE_TO_RESULT)(draft, item)


def _deliver(draft: Draft, item: Item) -> None:
    draft.rng.choice(deliveries.ANY_ITEM)(draft, item)


_SHAPES: dict[TaskType, tuple[Callable[[Draft], None], ...]] = {
    TaskType.SIMPLE_TASK: _SIMPLE,
    TaskType.BASIC_TASK: _BASIC,
    TaskType.DATA_PIPELINE: _PIPELINE,
    TaskType.API_INTEGRATION: (_integration,),
    TaskType.MULTI_STAGE_PIPELINE: (_multi_stage,),
}
