"""A model served by several endpoints: calls are spread, no episode is lost, and keys stay secret."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.run.project import NO_XDIST, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply

StartServer = Callable[[Script], ScriptedServer]
MODEL = ("--ultra-model=pooled", TEN_CASES)


def succeed(_request: ReceivedRequest) -> tuple[int, str]:
    return 200, text_reply("Done.")


def reject_key(request: ReceivedRequest) -> tuple[int, str]:
    return 401, json.dumps({"error": {"message": f"wrong key: {request.authorization}"}})


def configure_endpoints(project: Project, *endpoints: str) -> None:
    table = f'[tool.pytest_ultra.models."pooled"]\nendpoints = [{", ".join(endpoints)}]\n'
    (project.path / "pyproject.toml").write_text(table)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_A", "sk-aaaa-very-secret")
    monkeypatch.setenv("KEY_B", "sk-bbbb-very-secret")


def test_calls_are_spread_over_endpoints_and_keys(
    project: Project, start_server: StartServer, xdist_mode: tuple[str, ...]
) -> None:
    one, other = start_server(succeed), start_server(succeed)
    configure_endpoints(
        project,
        f'{{base_url = "{one.url}", key_env = "KEY_A"}}',
        f'{{base_url = "{one.url}", key_env = "KEY_B", name = "mini"}}',
        f'{{base_url = "{other.url}"}}',
    )
    project.run(*xdist_mode, *MODEL, "--ultra-max-in-flight=2").assert_outcomes(failed=10)
    assert len(one.requests) + len(other.requests) == 10
    used = {(request.authorization.removeprefix("Bearer ")[:7], request.model) for request in one.requests}
    assert used == {("sk-aaaa", "pooled"), ("sk-bbbb", "mini")}
    assert {request.authorization for request in other.requests} == {""}


def test_an_endpoint_that_rejects_its_key_loses_no_episode_and_reveals_no_key(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    one, other = start_server(reject_key), start_server(succeed)
    configure_endpoints(
        project,
        f'{{base_url = "{one.url}", key_env = "KEY_A"}}',
        f'{{base_url = "{other.url}", key_env = "KEY_B"}}',
    )
    result = project.run(*xdist_on_off, *MODEL, "-vv", "--showlocals")
    result.assert_outcomes(failed=10)
    assert len(other.requests) == 10
    attempts = [
        event
        for episode in project.journaled_episodes()
        for event in episode["transcript"]
        if event["type"] == "attempt"
    ]
    message = (
        f"model pooled was called at another endpoint, because one returned 401: {one.url} KEY_A: wrong key: Bearer ***"
    )
    assert result.stdout.str().splitlines().count(message) == 1
    [failed, *_] = [attempt for attempt in attempts if attempt["problem"]]
    assert failed["detail"] == f"{one.url} KEY_A: wrong key: Bearer ***"
    files = [path for path in project.path.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert [path for path in files if b"very-secret" in path.read_bytes()] == []
    assert "very-secret" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ('{key = "sk-aaaa-very-secret"}', "has no 'key'"),
        ('{key_env = "sk-aaaa-very-secret"}', "key_env is not the name of an environment variable"),
        ('{key_env = "KEY_C"}', "'KEY_C', which is not set"),
    ],
)
def test_an_invalid_endpoint_table_is_a_usage_error_that_shows_no_key(
    project: Project, endpoint: str, message: str
) -> None:
    configure_endpoints(project, endpoint)
    result = project.pytester.runpytest(*NO_XDIST, *MODEL)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert "very-secret" not in result.stderr.str()
    assert project.runs() == []
