"""Arguments of a wrong tool, as a careless author would fill them in: from the input's columns and the task's names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

import msgspec

from pytest_ultra.benchmark.name_siblings import NAME_PARTS
from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call, referenced_step

_TEAMS, _DOCUMENTS, _INTAKES, _PERIODS = NAME_PARTS[:4]
_SUBJECT = re.compile(r"[a-z]+(?:_[a-z]+)*_w\d\d")


class Surroundings(msgspec.Struct, frozen=True):
    """What the arguments are made of: the call that is replaced, the table it works on, and the plan's calls."""

    call: Call
    rows: Sequence[Row]
    calls: Sequence[Call]
    names: Mapping[str, Sequence[str]]

    @property
    def numbers(self) -> list[str]:
        return [field for field, cell in self._first.items() if isinstance(cell, int | float)]

    @property
    def categories(self) -> list[str]:
        texts = [field for field, cell in self._first.items() if isinstance(cell, str)]
        return [field for field in texts if len({str(row.get(field)) for row in self.rows}) < len(self.rows)]

    @property
    def _first(self) -> Row:
        return self.rows[0] if self.rows else {}

    @property
    def subject(self) -> str:
        """The data's name in the plan, such as `orders_w12`."""
        for call in (self.call, *self.calls):
            for value in call.arguments.values():
                if isinstance(value, str) and (match := _SUBJECT.search(value)):
                    return match[0]
        return ""

    @property
    def kept(self) -> dict[str, Json]:
        """The replaced call's own literals."""
        return {name: value for name, value in self.call.arguments.items() if referenced_step(value) is None}


def fill(tool: str, around: Surroundings, chance: Random) -> dict[str, Json] | None:
    """Return the tool's arguments, its input aside; None if the plan has nothing to fill them with."""
    fill_in = _FILLERS.get(tool)
    try:
        return fill_in(around, chance) if fill_in else None
    except (IndexError, StopIteration):
        return None


_Filler = Callable[[Surroundings, Random], dict[str, Json]]


def _filter(around: Surroundings, chance: Random) -> dict[str, Json]:
    field = chance.choice(around.numbers + around.categories)
    cells = sorted({row[field] for row in around.rows if row.get(field) not in ("", None)})
    operator = "eq" if isinstance(cells[0], str) else chance.choice(("gt", "lt"))
    return {"field": field, "operator": operator, "value": chance.choice(cells)}


def _sort(around: Surroundings, chance: Random) -> dict[str, Json]:
    order = chance.choice(("ascending", "descending"))
    return {"operation": "sort", "field": chance.choice(around.numbers), "order": order}


def _aggregate(around: Surroundings, chance: Random) -> dict[str, Json]:
    arguments = {"function": chance.choice(("sum", "mean", "min", "max")), "field": chance.choice(around.numbers)}
    if around.categories and chance.randint(0, 1):
        arguments["group_by"] = chance.choice(around.categories)
    return {**arguments}


def _calculate(around: Surroundings, chance: Random) -> dict[str, Json]:
    left, right = chance.choice(around.numbers), chance.randint(2, 9)
    return {
        "left_field": left,
        "operator": chance.choice(("*", "+", "-")),
        "right": right,
        "result_field": f"{left}_adjusted",
    }


def _map(around: Surroundings, chance: Random) -> dict[str, Json]:
    fields = list(around.rows[0])
    chosen = sorted(chance.sample(fields, min(3, len(fields))), key=fields.index)
    return {"mapping": {field: f"{chance.choice(('ext', 'crm', 'erp'))}_{field}" for field in chosen}}


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


def _name(around: Surroundings, chance: Random) -> str:  # noqa: ARG001 - one signature for all
    return f"{chance.choice(_DOCUMENTS)}_{chance.randint(10, 99)}"


def _team(around: Surroundings, chance: Random) -> str:
    texts = " ".join(str(value) for value in around.kept.values())
    return next((team for team in _TEAMS if team in texts), chance.choice(_TEAMS))


def _time(chance: Random) -> str:
    return f"2027-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T{chance.randint(6, 20):02}:00"


def _known(around: Surroundings, group: str, made_up: str, chance: Random) -> str:
    """Return a name of the group that belongs to the plan's subject; a made-up one if there is none."""
    known = [name for name in around.names.get(group, ()) if name == made_up]
    if not around.subject:
        raise IndexError
    return chance.choice(known) if known else made_up


_FILLERS: Mapping[str, _Filler] = {
    "data_processing_filter": _filter,
    "data_processing_transformer": _sort,
    "data_processing_validator": lambda a, c: {"field": c.choice(a.categories), "rule": "required"},
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
    "file_operations_writer": lambda a, c: {"path": f"reports/{_name(a, c)}.json"},
    "utility_notifier": lambda a, c: {
        "recipient": f"{_team(a, c)}@example.com",
        "subject": _name(a, c).replace("_", " ").capitalize(),
    },
    "utility_cache": lambda a, c: (
        {"action": "put", "key": f"{_team(a, c)}:{_name(a, c)}"}
        if a.call.references
        else {"action": "get", "key": _known(a, "cache", f"{a.subject}:latest", c)}
    ),
    "integration_queue": lambda a, c: {"name": f"{_team(a, c)}-{c.choice(_INTAKES)}"},
    "integration_scheduler": lambda a, c: {"name": f"{_team(a, c)}_{_name(a, c)}", "at": _time(c)},
    "utility_tracker": lambda a, c: {"name": f"{_team(a, c)}-{c.choice(_PERIODS)}"},
    "utility_logger": lambda a, c: {
        "level": c.choice(("info", "warning")),
        "message": f"{_name(a, c).replace('_', ' ')} ready",
    },
    "network_poster": lambda a, c: {"url": f"https://{_team(a, c)}.example/intake/{c.randint(100, 999)}"},
    "integration_connector": lambda a, c: {"datastore": _known(a, "datastores", f"{a.subject}_db", c)},
    "network_fetcher": lambda a, c: {
        "url": a.kept.get("url") or _known(a, "resources", f"https://{c.choice(NAME_PARTS[4])}.example/{a.subject}", c)
    },
    "network_validator": lambda a, c: (
        {"url": a.kept["url"]}
        if "url" in a.kept
        else {"url": _known(a, "resources", f"https://{c.choice(NAME_PARTS[4])}.example/{a.subject}", c)}
    ),
    "file_operations_reader": lambda a, c: {"path": _known(a, "files", f"data/{a.subject}.csv", c)},
    "utility_helper": lambda a, c: {
        "topic": _known(a, "topics", f"{a.subject.rpartition('_')[0].replace('_', ' ')} reference", c)
    },
}
