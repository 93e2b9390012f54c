"""Each run is in the store at its end, with and without xdist; a broken store does not fail the run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from tests.results_factory import DERIVED_FIELDS
from tests.run.project import NO_XDIST, TEN_CASES, Project


def query(project: Project, sql: str) -> list[Any]:
    with closing(sqlite3.connect(project.path / ".ultra" / "results.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


def test_every_episode_of_a_run_is_in_the_store_at_its_end(project: Project, xdist_mode: tuple[str, ...]) -> None:
    project.run(*xdist_mode, "--ultra-model=demo", TEN_CASES)
    (run,) = query(project, "SELECT * FROM runs")
    assert (run["run_id"], run["exit_status"], run["cut_off"], run["planned"]) == (project.runs()[0].name, 1, None, 10)
    assert run["ended_at"] > run["started_at"]
    episodes = {record.pop("nodeid"): record for record in query(project, "SELECT * FROM results")}
    documented = [
        {name: value for name, value in record.items() if name not in DERIVED_FIELDS} for record in project.episodes()
    ]
    assert episodes == {record.pop("nodeid"): {"run_id": run["run_id"]} | record for record in documented}


def test_two_runs_share_the_store_and_their_cases(project: Project) -> None:
    for _ in range(2):
        project.run(*NO_XDIST, "--ultra-model=demo", TEN_CASES)
    counts = "SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM cases) AS cases, count(*) AS n"
    assert query(project, f"{counts} FROM episodes") == [{"runs": 2, "cases": 10, "n": 20}]


def test_a_store_that_cannot_be_opened_is_reported_and_does_not_fail_the_run(
    project: Project, xdist_on_off: tuple[str, ...]
) -> None:
    (project.path / ".ultra" / "results.sqlite").mkdir(parents=True)
    result = project.run(*xdist_on_off, "--ultra-model=demo/perfect", TEN_CASES)
    result.assert_outcomes(passed=10)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        "the store '*results.sqlite' cannot be used: unable to open database file; the runs themselves are safe; *"
    )


def test_a_store_of_a_newer_schema_is_reported_and_left_unchanged(project: Project) -> None:
    path = project.path / ".ultra" / "results.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    result = project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES)
    assert result.ret == 0
    result.stdout.fnmatch_lines("the store * was written by a newer pytest-ultra (schema 99, *")
    assert path.read_bytes() == before


def test_a_run_without_selected_cases_leaves_no_store(project: Project) -> None:
    project.run(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES, "-k", "nothing")
    assert not (project.path / ".ultra" / "results.sqlite").exists()


def test_an_unexpected_error_of_the_store_does_not_change_the_result_of_the_run(project: Project) -> None:
    project.pytester.makeconftest("import sys; sys.modules['sqlalchemy'] = None")
    result = project.run_in_own_process(*NO_XDIST, "--ultra-model=demo/perfect", TEN_CASES)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        "the run could not be put into the store (*Error: * sqlalchemy *); `pytest-ultra store sync` tries again"
    )
