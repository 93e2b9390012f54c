"""The JSON document of a run, with what its tests record by pytest's `record_property`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ultra.collection.items import NOT_STARTED
from pytest_ultra.core.episode import Episode
from pytest_ultra.reporting.case_properties import PROPERTIES
from pytest_ultra.storage.json_document import write_document


class RunDocument:
    """Hook implementations of the first process that note what the tests of a case record."""

    def __init__(self) -> None:
        self._recorded: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the last value of each name; the reports of a test's phases repeat those of the phases before."""
        properties = dict(report.user_properties)
        case_id = properties.get("ultra_case_id")
        own = {name: value for name, value in properties.items() if name not in (*PROPERTIES, NOT_STARTED)}
        if case_id is not None and own:
            self._recorded.setdefault(str(case_id), {}).update({name: _plain(value) for name, value in own.items()})

    def write(self, path: Path, run: Mapping[str, Any], episodes: Iterable[Episode]) -> None:
        write_document(path, run, episodes, self._recorded)


def _plain(value: object) -> object:
    """Return a number or a boolean as it is, and anything else as text, as in JUnit's report."""
    return value if isinstance(value, bool | int | float) else str(value)
