"""The reports of workers in the controller's memory: equal to what came, and each text there once."""

from __future__ import annotations

import copy
from typing import Any, Literal

import pytest

from pytest_ultra.distribution.report_memory import SharedReports

DATA: dict[str, Any] = {
    "nodeid": "pytest_ultra/suite/test_workflows.py::test_workflow[demo-cot-x]",
    "location": ("pytest_ultra/suite/test_workflows.py", 7, "test_workflow[demo-cot-x]"),
    "keywords": {"test_workflow[demo-cot-x]": 1, "ultra": 1},
    "outcome": "passed",
    "longrepr": None,
    "user_properties": [("ultra_model", "demo-1"), ("ultra_answers", 3), ("own", ["list"]), ["a", "pair"], "text"],
}


def receive(hooks: SharedReports, when: Literal["call", "teardown"]) -> pytest.TestReport:
    """Receive a report as pytest makes it from a worker's message, with texts of its own."""
    report = pytest.TestReport(**renewed(DATA), when=when)
    receiving = hooks.pytest_report_from_serializable()
    next(receiving)
    with pytest.raises(StopIteration) as ended:
        receiving.send(report)
    received: pytest.TestReport = ended.value.value
    return received


def renewed(value: Any) -> Any:
    """Return an equal value in which each text is another object."""
    match value:
        case str():
            return "".join([value[:1], value[1:]])
        case dict():
            return {renewed(key): renewed(entry) for key, entry in value.items()}
        case list() | tuple():
            return type(value)(map(renewed, value))
    return copy.copy(value)


def test_a_report_stays_as_it_was_and_shares_its_texts_with_others() -> None:
    hooks = SharedReports()
    call, teardown = receive(hooks, "call"), receive(hooks, "teardown")
    for report in (call, teardown):
        assert {name: getattr(report, name) for name in DATA} == DATA
        assert [type(entry) for entry in report.user_properties] == [type(entry) for entry in DATA["user_properties"]]
    assert call.nodeid is teardown.nodeid
    assert call.location[0] is teardown.location[0]
    assert all(one is other for one, other in zip(call.keywords, teardown.keywords, strict=True))
    assert call.user_properties[0] is teardown.user_properties[0]
