"""Reference workflows that are written as steps, as functions of a plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import write_path
from pytest_ultra.core.workflow import OutputReference, read_reference
from pytest_ultra.custom.recorded_output import Output
from pytest_ultra.custom.reference_recording import PlanRecorder
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.mcp_suites.suite_document import (
    StepTable,
    SuiteDocument,
    TaskTable,
    calls_of,
    read_answer_reference,
)


def make_reference(document: SuiteDocument, number: int, table: TaskTable) -> Callable[..., Any]:
    """Return a reference workflow as suites have it: a function that makes the calls on a plan."""

    def place(*keys: str | int) -> str:
        return document.find_line(("tasks", number, *keys))

    def reference(plan: PlanRecorder, **values: Any) -> Any:
        outputs: list[Output] = []

        def resolve(value: Json, where: str) -> Any:
            found = read_reference(value)
            return fill_in(value, values) if found is None else _follow(outputs, found, where)

        for _, keys, call in calls_of(table):
            given = {name: resolve(value, place(*keys, "arguments", name)) for name, value in call.arguments.items()}
            try:
                if isinstance(call, StepTable):
                    outputs.append(plan[call.tool](**given))
                else:
                    plan.fallback[call.tool](**given)
            except ConfigurationError as error:
                raise ConfigurationError(f"{place(*keys)}: {error}") from None
        answer = read_answer_reference(table.answer)
        if answer is None:
            return None
        return _follow(outputs, answer, place("answer"))

    return reference


def _follow(outputs: list[Output], reference: OutputReference, place: str) -> Any:
    value: Any = outputs[reference.step - 1]
    for part in reference.path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            whole = str(msgspec.json.encode(outputs[reference.step - 1].value).decode())
            raise ConfigurationError(
                f"{place}: the output of step {reference.step} has no {write_path(reference.path)}; it is {whole[:200]}"
            ) from None
    return value


_NAME = re.compile(r"\{(\w+)\}")


def fill_in(value: Json, values: Mapping[str, Any]) -> Json:
    """Return a value with those of the instance in place of their names in braces, alone or within a text."""
    if isinstance(value, dict):
        return {name: fill_in(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill_in(inner, values) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _NAME.fullmatch(value)
    if whole and whole[1] in values:
        return values[whole[1]]
    return _NAME.sub(lambda match: str(values.get(match[1], match[0])), value)
