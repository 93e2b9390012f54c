"""How common calls are in sound plans, so that damage and oddities can be drawn from their distribution."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

_UNSEEN = 0.5
"""The count of a call that no counted plan has."""
_FACTOR = "right"
"""The argument of a calculation that is counted by its value where it is a number."""


def commonness(call: Call) -> float:
    """Return how often sound plans have calls of this tool with these arguments and choices, as a positive number."""
    return _COUNTS.get(pattern(call), _UNSEEN)


@cache
def tool_commonness(tool: str) -> float:
    """Return how often sound plans have calls of this tool, as a positive number."""
    return sum(count for name, count in _COUNTS.items() if name.startswith(f"{tool}(")) or _UNSEEN


def pattern(call: Call) -> str:
    """Return the tool with the names of the arguments, and the values of those of which the schema lists the values."""
    schemas = TOOLS[call.tool].parameters["properties"] if call.tool in TOOLS else {}

    def part(name: str, value: Json) -> str:
        is_choice = "enum" in schemas.get(name, {}) or (name == _FACTOR and isinstance(value, int | float))
        return f"{name}={value}" if is_choice else name

    return f"{call.tool}({', '.join(part(name, value) for name, value in sorted(call.arguments.items()))})"


_COUNTS: Mapping[str, int] = {
    "computation_analyzer(data, field)": 45,
    "computation_calculator(data, left_field, operator=*, result_field, right=1.05)": 19,
    "computation_calculator(data, left_field, operator=*, result_field, right=1.1)": 19,
    "computation_calculator(data, left_field, operator=*, result_field, right=1.2)": 10,
    "computation_calculator(data, left_field, operator=*, result_field, right=1.25)": 16,
    "computation_calculator(data, left_field, operator=*, result_field, right=1.5)": 22,
    "computation_calculator(data, left_field, operator=*, result_field, right=10)": 3,
    "computation_calculator(data, left_field, operator=*, result_field, right=100)": 2,
    "computation_calculator(data, left_field, operator=*, result_field, right=1000)": 21,
    "computation_calculator(data, left_field, operator=*, result_field, right=60)": 24,
    "computation_calculator(data, left_field, operator=*, result_field, right=7)": 10,
    "computation_calculator(data, left_field, operator=/, result_field, right=10)": 2,
    "computation_calculator(data, left_field, operator=/, result_field, right=100)": 49,
    "computation_calculator(data, left_field, operator=/, result_field, right=1000)": 20,
    "computation_calculator(data, left_field, operator=/, result_field, right=60)": 6,
    "computation_optimizer(budget, cost_field, data, value_field)": 44,
    "computation_predictor(data, field, periods)": 39,
    "computation_simulator(data, field, periods, rate_percent)": 32,
    "data_processing_aggregator(data, field, function=max)": 6,
    "data_processing_aggregator(data, field, function=max, group_by)": 12,
    "data_processing_aggregator(data, field, function=mean, group_by)": 38,
    "data_processing_aggregator(data, field, function=min)": 7,
    "data_processing_aggregator(data, field, function=min, group_by)": 1,
    "data_processing_aggregator(data, field, function=sum)": 79,
    "data_processing_aggregator(data, field, function=sum, group_by)": 19,
    "data_processing_filter(data, field, operator=between, value)": 56,
    "data_processing_filter(data, field, operator=eq, value)": 74,
    "data_processing_filter(data, field, operator=gt, value)": 20,
    "data_processing_filter(data, field, operator=gte, value)": 165,
    "data_processing_filter(data, field, operator=in, value)": 91,
    "data_processing_filter(data, field, operator=lt, value)": 17,
    "data_processing_filter(data, field, operator=lte, value)": 22,
    "data_processing_filter(data, field, operator=ne, value)": 381,
    "data_processing_filter(data, field, operator=not_in, value)": 35,
    "data_processing_parser(data, format=csv)": 55,
    "data_processing_parser(data, format=json)": 57,
    "data_processing_transformer(count, data, operation=limit)": 76,
    "data_processing_transformer(data, field, operation=normalize)": 114,
    "data_processing_transformer(data, field, operation=sort, order=ascending)": 143,
    "data_processing_transformer(data, field, operation=sort, order=descending)": 143,
    "data_processing_transformer(data, fields, operation=select)": 90,
    "data_processing_validator(data, field, rule=required)": 120,
    "data_processing_validator(data, field, rule=unique)": 131,
    "file_operations_compressor(data, method=dedupe_lines)": 7,
    "file_operations_compressor(data, method=run_length)": 20,
    "file_operations_converter(data, to=csv)": 65,
    "file_operations_reader(path)": 112,
    "file_operations_scanner(pattern)": 4,
    "file_operations_writer(data, path)": 98,
    "integration_authenticator(service)": 144,
    "integration_connector(datastore)": 97,
    "integration_mapper(data, mapping)": 74,
    "integration_queue(data, name)": 80,
    "integration_scheduler(at, data, name)": 67,
    "network_fetcher(url)": 237,
    "network_monitor(urls)": 9,
    "network_poster(data, url)": 162,
    "network_router(data, field, routes)": 46,
    "network_validator(url)": 4,
    "utility_cache(action=get, key)": 107,
    "utility_cache(action=put, data, key)": 65,
    "utility_helper(topic)": 30,
    "utility_logger(data, level=info, message)": 45,
    "utility_logger(data, level=warning, message)": 28,
    "utility_notifier(data, recipient, subject)": 80,
    "utility_tracker(data, name)": 69,
}
"""Calls in the optimal workflows of 600 tasks: 40 of each type at `easy`, `medium` and `hard`, seed 0.

`python benchmarks/usual_calls.py 40` counts them.
"""
