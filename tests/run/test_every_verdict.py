"""Each row of the table of verdicts in whole runs: its answer comes once, with a perfect model behind the endpoint."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from pytest_ultra.core.verdict import Verdict
from pytest_ultra.providers.error_body import read_error
from pytest_ultra.providers.verdict_row import VerdictRow
from pytest_ultra.providers.verdict_table import VERDICTS
from tests.providers.error_examples import EXAMPLES, encode_example
from tests.run.plan_model import follow_plan
from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer

StartServer = Callable[[Script], ScriptedServer]
_NAMED_WAIT = re.compile(r"\b\d+s\b")


def model_of(row: VerdictRow) -> str:
    """Return the name of a model whose endpoint gives this row's answer."""
    return re.sub(r"\W+", "-", row.name).strip("-")


def rows_of(*verdicts: Verdict) -> list[VerdictRow]:
    return [row for row in VERDICTS if row.verdict in verdicts]


class OneAnswer:
    """Gives each model's row in place of its second reply, once."""

    def __init__(self, rows: Iterable[VerdictRow], *, inside_200: bool = False) -> None:
        self._answers = {model_of(row): EXAMPLES[row.name] for row in rows}
        self._inside_200 = inside_200
        self.seen = Counter[str]()

    def __call__(self, request: ReceivedRequest) -> tuple[int, str]:
        has_replied = any(message["role"] == "assistant" for message in request.body["messages"])
        if has_replied and not self.seen[request.model]:
            self.seen[request.model] += 1
            status, body = self._answers[request.model]
            if self._inside_200:
                message = read_error(encode_example(body)).message
                return 200, json.dumps({"error": {"code": status, "message": message, "metadata": {"raw": body}}})
            return status, _NAMED_WAIT.sub("1s", encode_example(body).decode())
        return 200, follow_plan(request.body)


def run_rows(project: Project, server: ScriptedServer, rows: Iterable[VerdictRow]) -> dict[str, tuple[str, str | None]]:
    """Run one case of each row's model; return its outcome and failure class by the row's name."""
    names = {f"{row.provider}/{model_of(row)}" if row.provider else model_of(row): row.name for row in rows}
    args = (
        f"--ultra-base-url={server.url}",
        f"--ultra-model={','.join(names)}",
        *ONE_CASE,
        "--ultra-tool-success-rate=1",
    )
    project.run(*NO_XDIST, *args)
    return {names[each["model"]]: (each["outcome"], each["failure_class"]) for each in project.episodes()}


UNCHANGEABLE = {"extra inputs", "strict tools", "unknown parameter", "unsupported parameter"}
"""Rejections that name nothing of our requests, or what no request can do without: they are errors of their cases."""


@pytest.mark.usefixtures("short_waits")
def test_a_wait_or_a_passing_error_costs_no_case(project: Project, start_server: StartServer) -> None:
    rows = rows_of(Verdict.WAIT, Verdict.RETRY)
    server = start_server(OneAnswer(rows))
    assert run_rows(project, server, rows) == {row.name: ("full", None) for row in rows}


@pytest.mark.parametrize("inside_200", [False, True], ids=["rejected", "inside a 200"])
def test_a_rejected_form_is_written_otherwise(project: Project, start_server: StartServer, *, inside_200: bool) -> None:
    rows = rows_of(Verdict.DIALECT)
    script = OneAnswer(rows, inside_200=inside_200)
    found = run_rows(project, start_server(script), rows)
    assert {name for name, (outcome, _) in found.items() if outcome == "full"} == {
        row.name for row in rows if row.name not in UNCHANGEABLE
    }
    assert {found[name] for name in UNCHANGEABLE} == {("error", "endpoint")}
    assert set(script.seen.values()) == {1}


def test_a_failure_of_the_models_own_is_scored(project: Project, start_server: StartServer) -> None:
    rows = rows_of(Verdict.MODEL_FAILURE)
    found = run_rows(project, start_server(OneAnswer(rows)), rows)
    assert found == {row.name: ("failed", str(row.end_reason)) for row in rows}


def test_what_ends_a_case_or_its_model_is_an_error_with_the_providers_words(
    project: Project, start_server: StartServer
) -> None:
    rows = rows_of(Verdict.CASE_ERROR, Verdict.MODEL_END)
    server = start_server(OneAnswer(rows))
    assert run_rows(project, server, rows) == {row.name: ("error", "endpoint") for row in rows}
    errors = {each["model"].rpartition("/")[2]: each["error"] for each in project.episodes()}
    for row in rows:
        status, body = EXAMPLES[row.name]
        message = read_error(encode_example(body)).message
        assert f"(status {status}: {message})" in errors[model_of(row)]
        assert row.advice in errors[model_of(row)]
