"""What CI jobs share through `--ultra-redis`: a budget that the URL names, and the tasks that they generate."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pytest_ultra.engine.redis_connection import connect
from tests.redis_server import RedisServer
from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def test_two_jobs_share_a_budget_and_the_password_is_in_no_file(
    project: Project, redis: RedisServer, xdist_on_off: tuple[str, ...]
) -> None:
    name = "".join(xdist_on_off).replace(":", "")
    url = redis.url.replace("redis://", "redis://default:pass-word-1@")
    job = ("--ultra-model=demo/perfect", TEN_CASES, "--ultra-max-requests=12", f"--ultra-redis={url}#{name}")
    first = project.run(*xdist_on_off, *job)
    spent = sum(episode["requests"] for episode in project.episodes())
    assert 0 < spent <= 12
    first.stdout.fnmatch_lines("*the budget of 12 requests (--ultra-max-requests) is spent*")

    project.run(*xdist_on_off, "--ultra-fresh", *job)
    assert sum(episode["requests"] for episode in project.episodes()) == 0
    assert dict(project.outcomes()) == {"skipped": 10}
    assert "pass-word-1" not in json.dumps([path.read_text() for path in project.runs()[-1].glob("*.json")])


def test_a_job_takes_what_another_has_generated_unless_it_is_to_generate_anew(
    project: Project, redis: RedisServer
) -> None:
    job = ("--ultra-model=demo/perfect", *ONE_CASE, f"--ultra-redis={redis.url}", "--ultra-seed=7")
    with connect(redis.url) as client:
        project.run("-n2", *job, "--ultra-dir=first").assert_outcomes(passed=1)
        project.run(*NO_XDIST, *job, "--ultra-dir=second").assert_outcomes(passed=1)
        before = set(client.keys("pytest-ultra:guidance:*"))
        project.run("-n0", *job, "--ultra-fresh").assert_outcomes(passed=1)
        (new,) = set(client.keys("pytest-ultra:guidance:*")) - before
    assert list(project.path.glob("first/guidance/*/*.json")), "a job keeps what it has generated"
    assert not list(project.path.glob("second/guidance/*/*.json"))
    assert project.runs()[-1].name in new, "what only this run may take"
