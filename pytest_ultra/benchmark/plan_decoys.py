"""Wrong values for the arguments of a plan, each from the distribution of the right ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pytest_ultra.benchmark.name_siblings import siblings
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call, referenced_step

_CHOICES: Mapping[str, Sequence[Sequence[str]]] = {
    "operator": (
        ("gt", "gte", "lt"),
        ("gte", "gt", "lte"),
        ("lt", "lte", "gt"),
        ("lte", "lt", "gte"),
        ("*", "/"),
        ("/", "*"),
    ),
    "order": (("ascending", "descending"), ("descending", "ascending")),
    "function": tuple(
        (one, *(other for other in ("sum", "mean", "min", "max") if other != one))
        for one in ("sum", "mean", "min", "max")
    ),
    "format": (("csv", "json"), ("json", "csv")),
    "method": (("run_length", "dedupe_lines"), ("dedupe_lines", "run_length")),
    "level": (("info", "warning"), ("warning", "info")),
}
"""For each argument with a list of values: a right value, then the wrong ones that plans have as right ones too."""

_COMPARISONS = ("gt", "gte", "lt", "lte")
_FACTORS = ((7, 10, 60, 100, 1000), (1.05, 1.1, 1.2, 1.25, 1.5))
"""Factors of plans: those of units, and those that raise a measure."""
_FIELD_ARGUMENTS = ("field", "group_by", "left_field", "value_field", "cost_field")
_MOST_NAMES = 6
_MOST_RECURRING = 12


class Option(msgspec.Struct, frozen=True):
    """A wrong value, and in one word how it is wrong."""

    value: Json
    way: str


def options(task: Task, call: Call, argument: str, rows: Sequence[Row]) -> list[Option]:
    """Return wrong values for an argument that its schema allows; `rows` is the table that the call works on."""
    value = call.arguments[argument]
    if referenced_step(value) is not None:
        return []
    found = dict.fromkeys(msgspec.json.encode(option) for option in _propose(task, call, argument, rows))
    decoded = (msgspec.json.decode(option, type=Option) for option in found)
    return [option for option in decoded if option.value != value]


def _propose(task: Task, call: Call, argument: str, rows: Sequence[Row]) -> Iterator[Option]:
    value = call.arguments[argument]
    if argument in _CHOICES:
        way = "boundary" if value in _COMPARISONS else "other_choice"
        yield from (Option(other, way) for right, *wrong in _CHOICES[argument] if right == value for other in wrong)
    elif argument in _FIELD_ARGUMENTS or (argument == "right" and isinstance(value, str)):
        yield from (Option(field, "sibling_field") for field in sibling_fields(rows, str(value)))
    elif argument == "value":
        yield from (Option(other, "sibling_value") for other in _sibling_cells(rows, call, value))
    elif argument == "mapping" and isinstance(value, dict):
        yield from (Option(mapping, "sibling_field") for mapping in _other_mappings(rows, value))
    elif argument == "routes" and isinstance(value, dict):
        yield from (Option(routes, "sibling_value") for routes in _other_routes(task, rows, call, value))
    elif isinstance(value, bool):
        yield Option(not value, "other_choice")
    elif isinstance(value, int | float):
        yield from (Option(number, "other_number") for number in _other_numbers(argument, value))
    elif isinstance(value, list):
        yield from (Option(names, "sibling_name") for names in _other_lists(task, value))
    elif isinstance(value, str):
        yield from (Option(name, "sibling_name") for name in sibling_names(task, value))


def sibling_fields(rows: Sequence[Row], field: str) -> list[str]:
    """Return the columns whose cells are like those of this one: numbers, or texts that recur as these do."""
    if not rows or field not in rows[0]:
        return []
    return [other for other in rows[0] if other != field and _sort_of(rows, other) == _sort_of(rows, field)]


def _sort_of(rows: Sequence[Row], field: str) -> str:
    cells = [row.get(field) for row in rows]
    if any(isinstance(cell, int | float) for cell in cells):
        return "number"
    distinct = {str(cell) for cell in cells}
    return "category" if len(distinct) < len(cells) else "key"


def _sibling_cells(rows: Sequence[Row], call: Call, value: Json) -> list[Json]:
    field = call.arguments.get("field")
    cells = [row.get(field) for row in rows if isinstance(field, str)]
    distinct = sorted({cell for cell in cells if isinstance(cell, type(value)) and cell not in {"", value}})
    if isinstance(value, str):
        return list(distinct[:_MOST_RECURRING])
    return sorted(distinct, key=lambda cell: abs(cell - value))[:4]


def _other_mappings(rows: Sequence[Row], mapping: dict[str, str]) -> Iterator[Json]:
    """Take another field in place of one, under a name that fits it; or name one for another system."""
    others = [field for field in (rows[0] if rows else ()) if field not in mapping]
    for field, name in mapping.items():
        if field in name:
            for other in others:
                yield {
                    (other if key == field else key): (name.replace(field, other) if key == field else new)
                    for key, new in mapping.items()
                }
        yield from ({**mapping, field: other} for other in siblings(name, ())[:2] if other not in mapping.values())


def _other_routes(task: Task, rows: Sequence[Row], call: Call, routes: dict[str, str]) -> Iterator[Json]:
    for value, url in routes.items():
        rest = {key: place for key, place in routes.items() if key != value}
        yield from ({**rest, other: url} for other in _sibling_cells(rows, call, value) if other not in routes)
        yield from ({**routes, value: other} for other in sibling_names(task, url)[:2])


_RANGES = {"periods": (2, 6), "rate_percent": (1, 15), "count": (1, 50)}


def _other_numbers(argument: str, value: float) -> list[float]:
    low, high = _RANGES.get(argument, (1, 10**9))
    if argument == "right":
        return [factor for group in _FACTORS if value in group for factor in group]
    near = [value + step for step in (1, -1, 2, -2)]
    if argument not in _RANGES and isinstance(value, int):
        near = [value * 4 // 3, value * 3 // 4, value + 10, value - 10]
    return [number for number in near if low <= number <= high]


def _other_lists(task: Task, value: list[Json]) -> Iterator[Json]:
    for place, item in enumerate(value):
        if isinstance(item, str):
            others = [name for name in sibling_names(task, item) if name not in value]
            yield from ([*value[:place], other, *value[place + 1 :]] for other in others[:1])


def sibling_names(task: Task, name: str) -> list[str]:
    """Return names that could stand where this one stands, those of things in the world first."""
    if _DATE.fullmatch(name):
        return _other_times(name)
    known = next((group for group in name_groups(task) if name in group), ())
    return siblings(name, known)[:_MOST_NAMES]


_DAYS, _HOURS = range(1, 29), range(6, 21)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def _other_times(at: str) -> list[str]:
    """Return the same hour on other days, and other hours of the day."""
    day, hour = int(at[8:10]), int(at[11:13])
    days = [f"{at[:8]}{other:02}{at[10:]}" for other in (day + 1, day - 1, day + 7) if other in _DAYS]
    return days + [f"{at[:11]}{other:02}{at[13:]}" for other in (hour + 1, hour - 1) if other in _HOURS]


def name_groups(task: Task) -> Sequence[Sequence[str]]:
    """Return groups of names that stand for things of one sort, such as all paths or all addresses."""
    world = task.world
    parts = (world.files, world.resources, world.sinks, world.credentials)
    more = (world.datastores, world.topics, world.cache, world.queues)
    return [list(part) for part in (*parts, *more)]
