"""JUnit's report, as pytest's own plugin collects it, and where it has the properties of a run's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from xml.etree.ElementTree import Element, SubElement

import pytest

from pytest_ultra.options.option_values import JUnitPlace
from pytest_ultra.reporting.case_properties import PROPERTIES


class _Reporter(Protocol):
    def to_xml(self) -> Element:
        """Return the element of a test: the same one each time, once the test has ended."""


class JUnitReport(Protocol):
    """The plugin's attributes that are used here."""

    family: str
    node_reporters_ordered: Sequence[_Reporter]

    def add_global_property(self, name: str, value: object) -> None: ...


def find_junit_report(config: pytest.Config) -> JUnitReport | None:
    """Return the report, None without one. pytest's fixture for properties of the suite would miss those of workers."""
    if not config.getoption("xmlpath", None):
        return None
    plugins = config.pluginmanager.get_plugins()
    return next((plugin for plugin in plugins if hasattr(plugin, "add_global_property")), None)


def place_properties(report: JUnitReport, place: JUnitPlace) -> None:
    """Move our properties of all tests to their place; pytest has put them into elements of their own."""
    if place is JUnitPlace.AUTO:
        place = JUnitPlace.OUTPUT if report.family == "xunit2" else JUnitPlace.TESTCASE
    if place is not JUnitPlace.TESTCASE:
        for reporter in report.node_reporters_ordered:
            _remove_properties(reporter.to_xml(), keep_in_output=place is JUnitPlace.OUTPUT)


def _remove_properties(test: Element, *, keep_in_output: bool) -> None:
    """Remove our properties from a test's element; keep them as lines of its output, `[[PROPERTY|NAME=VALUE]]`.

    Tools that read properties from there take such lines (https://github.com/testmoapp/junitxml#properties-output).
    """
    properties = test.find("properties")
    if properties is None:
        return
    ours = [each for each in properties if each.get("name") in PROPERTIES]
    for each in ours:
        properties.remove(each)
    if not len(properties):
        test.remove(properties)
    if ours and keep_in_output:
        output = test.find("system-out")
        output = SubElement(test, "system-out") if output is None else output
        lines = [f"[[PROPERTY|{each.get('name')}={each.get('value')}]]" for each in ours]
        output.text = "\n".join([*filter(None, [output.text]), *lines, ""])
