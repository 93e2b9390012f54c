"""The results that a job can ask for, with how many calls each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from pytest_ultra.benchmark.generator.draft import Draft
from pytest_ultra.benchmark.generator.figure_results import (
    describe_field,
    forecast_field,
    group_rows,
    list_groups,
    list_top_groups,
    project_total,
    total_rows,
)
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.row_results import (
    choose_rows,
    derive_field,
    keep_fields,
    list_all,
    list_sorted,
    list_sorted_with_ties,
    list_top,
    list_top_with_ties,
    pack_list,
    rename_fields,
)


class Result(msgspec.Struct, frozen=True):
    """A way to make a result. `steps` is how many calls it takes; `is_value` if it can be given as an answer.

    With `has_ties`, a second field decides the order where the first one does not.
    """

    make: Callable[[Draft, Item], Item]
    steps: int
    is_value: bool = False
    has_ties: bool = False


def _then(*makers: Callable[[Draft, Item], Item]) -> Callable[[Draft, Item], Item]:
    def make(draft: Draft, item: Item) -> Item:
        for maker in makers:
            item = maker(draft, item)
        return item

    return make


RESULTS: Mapping[str, Result] = {
    "plain": Result(list_all, 0),
    "sorted": Result(list_sorted, 1),
    "fields": Result(keep_fields, 1),
    "renamed": Result(rename_fields, 1),
    "group": Result(group_rows, 1),
    "total": Result(total_rows, 1, is_value=True),
    "statistics": Result(describe_field, 1),
    "projection": Result(project_total, 1),
    "forecast": Result(forecast_field, 1),
    "choice": Result(choose_rows, 1),
    "derived": Result(derive_field, 1),
    "top": Result(list_top, 2),
    "group_sorted": Result(list_groups, 2),
    "sorted_ties": Result(list_sorted_with_ties, 2, has_ties=True),
    "sorted_fields": Result(_then(list_sorted, keep_fields), 2),
    "sorted_renamed": Result(_then(list_sorted, rename_fields), 2),
    "choice_fields": Result(_then(choose_rows, keep_fields), 2),
    "derived_sorted": Result(_then(derive_field, list_sorted), 2),
    "derived_fields": Result(_then(derive_field, keep_fields), 2),
    "packed": Result(_then(list_all, pack_list), 2),
    "top_fields": Result(_then(list_top, keep_fields), 3),
    "top_renamed": Result(_then(list_top, rename_fields), 3),
    "top_ties": Result(list_top_with_ties, 3, has_ties=True),
    "sorted_ties_fields": Result(_then(list_sorted_with_ties, keep_fields), 3, has_ties=True),
    "group_top": Result(list_top_groups, 3),
    "sorted_packed": Result(_then(list_sorted, pack_list), 3),
    "derived_top": Result(_then(derive_field, list_top), 3),
    "derived_top_fields": Result(_then(derive_field, list_top, keep_fields), 4),
    "choice_sorted_fields": Result(_then(choose_rows, list_sorted, keep_fields), 3),
}
