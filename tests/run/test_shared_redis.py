"""A budget that CI jobs share through `--ultra-redis URL#NAME`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer
from tests.run.project import TEN_CASES, Project


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
