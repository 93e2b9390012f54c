"""What can be known of the thirty tools without calling them, for the linter of plans and the flaw injectors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache, cached_property
from typing import Any

from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import Tool
from pytest_ultra.benchmark.tools.invoke import find_violation
from pytest_ultra.benchmark.tools.transformations import OPERATIONS
from pytest_ultra.core.output_path import Path
from pytest_ultra.core.workflow import Call
from pytest_ultra.flaws.tool_signature import DataKind, ToolSignature

_ANY = frozenset(DataKind)
_TABLE = frozenset({DataKind.TABLE})

_TAKES: Mapping[str, frozenset[DataKind]] = {
    "data_processing_parser": frozenset({DataKind.TEXT}),
    **dict.fromkeys(
        (
            "data_processing_transformer",
            "data_processing_validator",
            "data_processing_filter",
            "data_processing_aggregator",
            "computation_calculator",
            "computation_analyzer",
            "computation_predictor",
            "computation_simulator",
            "computation_optimizer",
            "integration_mapper",
            "network_router",
        ),
        _TABLE,
    ),
}
"""Tools that do not work on every output."""

_MAKES: Mapping[str, DataKind] = {
    "file_operations_reader": DataKind.TEXT,
    "file_operations_converter": DataKind.TEXT,
    "file_operations_compressor": DataKind.RECORD,
    "computation_analyzer": DataKind.RECORD,
    "network_validator": DataKind.RECORD,
    "network_fetcher": DataKind.UNKNOWN,
    "integration_connector": DataKind.UNKNOWN,
    **dict.fromkeys(
        (
            "file_operations_scanner",
            "data_processing_parser",
            "data_processing_transformer",
            "data_processing_validator",
            "data_processing_filter",
            "data_processing_aggregator",
            "computation_calculator",
            "computation_predictor",
            "computation_simulator",
            "computation_optimizer",
            "network_monitor",
            "integration_mapper",
            "utility_helper",
        ),
        DataKind.TABLE,
    ),
}

_ADDING = frozenset(
    {
        "network_poster",
        "network_router",
        "integration_queue",
        "utility_notifier",
        "utility_logger",
        "utility_tracker",
    }
)
"""Tools of which every further call has a further effect on the world."""
_REPLACING: Mapping[str, str] = {
    "file_operations_writer": "path",
    "integration_scheduler": "name",
    "utility_cache": "key",
}
"""Tools that replace what is at a place, and the argument that names it."""

_CHECKS = frozenset({"data_processing_validator", "data_processing_aggregator", "computation_analyzer"})
"""Tools whose results say something about the data that they are given."""

_FIELD_ARGUMENTS = ("field", "group_by", "left_field", "value_field", "cost_field")
_ROWS_STAY_AS_THEY_ARE = ("data_processing_validator", "data_processing_filter", "computation_optimizer")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file_operations_scanner": ("path", "size"),
    "network_monitor": ("url", "latency_ms", "status"),
}


class BenchmarkSignature:
    """See `flaws.tool_signature.ToolSignature`."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self.parameters: dict[str, Any] = tool.parameters
        self.category = tool.category
        self.takes: Collection[DataKind] = _TAKES.get(tool.name, _ANY)
        self.open_arguments: Collection[str] = ()

    @cached_property
    def handles(self) -> Collection[str]:
        """The arguments whose descriptions say so."""
        properties = self.parameters["properties"].items()
        return tuple(name for name, schema in properties if schema.get("description", "").startswith("Handle of "))

    def makes(self, call: Call) -> DataKind | None:
        if call.tool == "utility_cache":
            return DataKind.UNKNOWN if call.arguments.get("action") == "get" else None
        return _MAKES.get(call.tool)

    def unfit(self, argument: str, source: ToolSignature, path: Path) -> str | None:  # noqa: ARG002 - `takes` says it
        return None

    def has_effect(self, call: Call) -> bool:
        return call.tool in _ADDING or self.place(call) is not None

    def informs(self, call: Call) -> bool:
        return not self.has_effect(call) and (not call.references or call.tool in _CHECKS)

    def place(self, call: Call) -> str | None:
        argument = _REPLACING.get(call.tool)
        if argument is None or call.arguments.get("action") == "get":
            return None
        return str(call.arguments.get(argument))

    def fields(self, call: Call) -> Collection[str]:
        named = [call.arguments.get(name) for name in _FIELD_ARGUMENTS]
        right, mapping = call.arguments.get("right"), call.arguments.get("mapping")
        if call.tool == "computation_calculator":
            named.append(right)
        if isinstance(mapping, dict):
            named += mapping
        return [field for field in named if isinstance(field, str)]

    def columns(self, call: Call, before: Collection[str] | None) -> Collection[str] | None:
        arguments = call.arguments
        if call.tool in _COLUMNS:
            return _COLUMNS[call.tool]
        if call.tool == "integration_mapper" and isinstance(arguments.get("mapping"), dict):
            return _texts(arguments["mapping"].values())
        if call.tool == "data_processing_aggregator":
            group_by = arguments.get("group_by")
            return _texts((group_by, f"{arguments.get('function')}_{arguments.get('field')}"))
        if call.tool in ("computation_predictor", "computation_simulator"):
            return _texts(("period", arguments.get("field")))
        if before is not None and call.tool == "computation_calculator":
            return _texts((*before, arguments.get("result_field")))
        keeps_rows = call.tool in _ROWS_STAY_AS_THEY_ARE
        is_sorted = call.tool == "data_processing_transformer" and arguments.get("operation") == "sort"
        return before if keeps_rows or is_sorted else None

    def reads_as(self, call: Call) -> str | None:
        return str(call.arguments.get("format")) if call.tool == "data_processing_parser" else None

    def writes_as(self, call: Call) -> str | None:
        return str(call.arguments.get("to")) if call.tool == "file_operations_converter" else None

    def violation(self, call: Call) -> str | None:
        return find_violation(self._tool.name, call.arguments) or _conditional_violation(call)


def _conditional_violation(call: Call) -> str | None:
    """Return how the arguments break what the descriptions say of one another."""
    given = call.arguments.keys() - {"data", "operation"}
    if call.tool == "data_processing_transformer":
        _, needed, possible = OPERATIONS[call.arguments["operation"]]
        wrong = sorted((needed - given) | (given - needed - possible))
        return f"{wrong[0]} does not fit the operation" if wrong else None
    if call.tool == "utility_cache" and ("data" in call.arguments) != (call.arguments["action"] == "put"):
        return "data goes with the action put, and with no other"
    return None


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))


@cache
def signatures() -> Mapping[str, ToolSignature]:
    """Return the signatures of all tools by name."""
    return {name: BenchmarkSignature(tool) for name, tool in TOOLS.items()}


REPEATABLE = tuple(name for name in TOOLS if name not in _ADDING)
"""The tools that can be called twice without a second effect."""
