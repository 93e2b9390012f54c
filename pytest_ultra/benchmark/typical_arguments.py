"""Arguments of a wrong tool, as a careless author would fill them in: from the input's columns and the task's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

import msgspec

from pytest_ultra.benchmark.likely_names import LikelyNames
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call


class Surroundings(msgspec.Struct, frozen=True):
    """What the arguments are made of: the call that is replaced, the table it works on, and the plan's calls."""

    call: Call
    rows: Sequence[Row]
    calls: Sequence[Call]
    names: LikelyNames

    @property
    def numbers(self) -> list[str]:
        return [field for field, cell in self._first.items() if isinstance(cell, int | float)]

    @property
    def categories(self) -> list[str]:
        texts = [field for field, cell in self._first.items() if isinstance(cell, str)]
        return [field for field in texts if len({str(row.get(field)) for row in self.rows}) < len(self.rows)]

    @property
    def keys(self) -> list[str]:
        categories = self.categories
        return [field for field, cell in self._first.items() if isinstance(cell, str) and field not in categories]

    @property
    def _first(self) -> Row:
        return self.rows[0] if self.rows else {}

    @property
    def text(self) -> str:
        """The literals of the plan, those of the replaced call first."""
        return " ".join(str(value) for call in (self.call, *self.calls) for value in call.arguments.values())

    @property
    def kept(self) -> dict[str, Json]:
        """The replaced call's own literals."""
        return self.call.literals


def fill(tool: str, around: Surroundings, chance: Random) -> dict[str, Json] | None:
    """Return the tool's arguments, its input aside; None if the plan has nothing to fill them with."""
    fill_in = _FILLERS.get(tool)
    try:
        return fill_in(around, chance) if fill_in else None
    except (IndexError, StopIteration):
        return None


_Filler = Callable[[Surroundings, Random], dict[str, Json]]


_LIMITS = ("gte", "gte", "gte", "gt", "lt", "lte")


def _filter(around: Surroundings, chance: Random) -> dict[str, Json]:
    field = chance.choice(around.numbers + around.categories)
    cells = sorted({row[field] for row in around.rows if row.get(field) not in ("", None)})
    if not isinstance(cells[0], str):
        return {"field": field, "operator": chance.choice(_LIMITS), "value": chance.choice(cells)}
    operator = chance.choice(("ne", "ne", "ne", "eq", "in"))
    some = chance.sample(cells, min(2, len(cells)))
    return {"field": field, "operator": operator, "value": [*some] if operator == "in" else some[0]}


def _transform(around: Surroundings, chance: Random) -> dict[str, Json]:
    if around.categories and chance.randint(1, 4) == 1:
        return {"operation": "normalize", "field": chance.choice(around.categories)}
    order = chance.choice(("ascending", "descending"))
    return {"operation": "sort", "field": chance.choice(around.numbers), "order": order}


def _validate(around: Surroundings, chance: Random) -> dict[str, Json]:
    if around.keys and chance.randint(0, 1):
        return {"field": around.keys[0], "rule": "unique"}
    return {"field": chance.choice(around.numbers + around.categories), "rule": "required"}


def _aggregate(around: Surroundings, chance: Random) -> dict[str, Json]:
    arguments = {"function": chance.choice(("sum", "mean", "min", "max")), "field": chance.choice(around.numbers)}
    if around.categories and chance.randint(0, 1):
        arguments["group_by"] = chance.choice(around.categories)
    return {**arguments}


def _calculate(around: Surroundings, chance: Random) -> dict[str, Json]:
    left, right = chance.choice(around.numbers), chance.choice((1.05, 1.1, 1.25, 1.5, 10, 60, 100, 1000))
    return {
        "left_field": left,
        "operator": chance.choice(("*", "/")),
        "right": right,
        "result_field": f"{chance.choice(('planned', 'raised'))}_{left}",
    }


def _map(around: Surroundings, chance: Random) -> dict[str, Json]:
    fields = list(around.rows[0])
    chosen = sorted(chance.sample(fields, min(3, len(fields))), key=fields.index)
    system = chance.choice(("ext", "crm", "erp"))
    return {"mapping": {field: f"{system}_{field}" for field in chosen}}


def _optimize(around: Surroundings, chance: Random) -> dict[str, Json]:
    if len(around.numbers) < 2:  # noqa: PLR2004 - a value and a cost
        raise IndexError
    value, cost = chance.sample(around.numbers, 2)
    total = sum(row[cost] for row in around.rows if isinstance(row.get(cost), int | float))
    return {"value_field": value, "cost_field": cost, "budget": int(total * chance.choice((0.3, 0.4, 0.5)))}


def _forecast(around: Surroundings, chance: Random) -> dict[str, Json]:
    return {"field": around.kept.get("field") or chance.choice(around.numbers), "periods": _periods(around, chance)}


def _periods(around: Surroundings, chance: Random) -> Json:
    return around.kept.get("periods") or chance.randint(2, 6)


_FILLERS: Mapping[str, _Filler] = {
    "data_processing_filter": _filter,
    "data_processing_transformer": _transform,
    "data_processing_validator": _validate,
    "data_processing_aggregator": _aggregate,
    "computation_calculator": _calculate,
    "computation_analyzer": lambda a, c: {"field": a.kept.get("field") or c.choice(a.numbers)},
    "computation_predictor": _forecast,
    "computation_simulator": lambda a, c: {
        "field": a.kept.get("field") or c.choice(a.numbers),
        "rate_percent": c.randint(1, 15),
        "periods": _periods(a, c),
    },
    "computation_optimizer": _optimize,
    "integration_mapper": _map,
    "file_operations_compressor": lambda a, c: {"method": c.choice(("run_length", "dedupe_lines"))},  # noqa: ARG005
    "file_operations_writer": lambda a, c: {"path": a.names.report(c)},
    "utility_notifier": lambda a, c: {"recipient": c.choice(a.names.mailboxes), "subject": a.names.subject(c)},
    "utility_cache": lambda a, c: (
        {"action": "put", "key": f"{a.names.stem('cache', c)}:{a.names.code(c)}"}
        if a.call.references
        else {"action": "get", "key": a.names.cache_key(a.text, c)}
    ),
    "integration_queue": lambda a, c: {"name": a.names.queue(c)},
    "integration_scheduler": lambda a, c: {
        "name": f"{a.names.stem('schedule', c)}-{a.names.code(c)}",
        "at": a.names.time(c),
    },
    "utility_tracker": lambda a, c: {"name": a.names.stem("tracker", c)},
    "utility_logger": lambda a, c: {
        "level": c.choice(("info", "warning")),
        "message": f"{a.names.stem('log', c)} {a.names.code(c)} ready",
    },
    "network_poster": lambda a, c: {"url": a.names.sink(c)},
    "integration_connector": lambda a, c: {"datastore": a.names.datastore(a.text, c)},
    "network_fetcher": lambda a, c: {"url": a.kept.get("url") or a.names.address(a.text, c)},
    "file_operations_reader": lambda a, c: {"path": a.kept.get("path") or a.names.path(a.text, c)},
}
