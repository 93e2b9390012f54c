"""Reference agents understand results however a framework shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ultra.benchmark.shown_results import read_result

HANDLE = {"handle": "data_1", "kind": "table", "rows": 3}
ERROR = {"error": "TIMEOUT", "transient": True, "message": "Try again."}
RECEIPT = {"result": {"sent": True}}
TEXT = {"result": "no JSON"}


@pytest.mark.parametrize("result", [HANDLE, ERROR, RECEIPT, TEXT])
@pytest.mark.parametrize(
    "show",
    [
        json.dumps,
        lambda result: result,
        lambda result: json.dumps(json.dumps(result)),
        lambda result: json.dumps({"result": json.dumps(result)}),
        lambda result: json.dumps({"output": json.dumps(result)}),
        lambda result: f"Observation:\n{json.dumps(result, indent=2)}\n",
    ],
)
def test_a_result_is_found_in_what_a_framework_shows(result: dict[str, Any], show: Any) -> None:
    assert read_result(show(result)) == result


@pytest.mark.parametrize(
    "content", ["", "1 validation error: field", "{not JSON}", "[1]", None, '{"other": 1}', '{"error": "x"}']
)
def test_other_words_are_an_error_that_is_not_transient(content: str | None) -> None:
    assert read_result(content) == {"error": "reworded", "transient": False, "message": str(content)}
