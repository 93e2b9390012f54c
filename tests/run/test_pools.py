"""A model that several endpoints serve, in whole runs: calls are spread, the sick lose no episode, keys stay secret."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.run.running import NO_XDIST, TEN, Project
from tests.run.scripted import Asked, Script, Scripted, says

Start = Callable[[Script], Scripted]
MODEL = ("--ultra-model=pooled", TEN)


def well(_asked: Asked) -> tuple[int, str]:
    return 200, says("Done.")


def turns_away(asked: Asked) -> tuple[int, str]:
    return 401, json.dumps({"error": {"message": f"wrong key: {asked.authorization}"}})


def serve(project: Project, *endpoints: str) -> None:
    table = f'[tool.pytest_ultra.models."pooled"]\nendpoints = [{", ".join(endpoints)}]\n'
    (project.path / "pyproject.toml").write_text(table)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_A", "sk-aaaa-very-secret")
    monkeypatch.setenv("KEY_B", "sk-bbbb-very-secret")


def test_calls_are_spread_over_endpoints_and_keys(project: Project, scripted: Start, way: tuple[str, ...]) -> None:
    one, other = scripted(well), scripted(well)
    serve(
        project,
        f'{{base_url = "{one.url}", key_env = "KEY_A"}}',
        f'{{base_url = "{one.url}", key_env = "KEY_B", name = "mini"}}',
        f'{{base_url = "{other.url}"}}',
    )
    project.run(*way, *MODEL, "--ultra-max-in-flight=2").assert_outcomes(failed=10)
    assert len(one.asked) + len(other.asked) == 10
    asked = {(asked.authorization.removeprefix("Bearer ")[:7], asked.model) for asked in one.asked}
    assert asked == {("sk-aaaa", "pooled"), ("sk-bbbb", "mini")}
    assert {asked.authorization for asked in other.asked} == {""}


def test_an_endpoint_that_turns_a_key_away_loses_no_episode_and_no_key(
    project: Project, scripted: Start, extreme: tuple[str, ...]
) -> None:
    one, other = scripted(turns_away), scripted(well)
    serve(
        project,
        f'{{base_url = "{one.url}", key_env = "KEY_A"}}',
        f'{{base_url = "{other.url}", key_env = "KEY_B"}}',
    )
    result = project.run(*extreme, *MODEL, "-vv", "--showlocals")
    result.assert_outcomes(failed=10)
    assert len(other.asked) == 10
    attempts = [event for life in project.lives() for event in life["transcript"] if event["type"] == "attempt"]
    said = (
        f"model pooled was called at another endpoint, because one returned 401: {one.url} KEY_A: wrong key: Bearer ***"
    )
    assert result.stdout.str().splitlines().count(said) == 1
    [failed, *_] = [attempt for attempt in attempts if attempt["problem"]]
    assert failed["detail"] == f"{one.url} KEY_A: wrong key: Bearer ***"
    files = [path for path in project.path.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert [path for path in files if b"very-secret" in path.read_bytes()] == []
    assert "very-secret" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ('{key = "sk-aaaa-very-secret"}', "has no 'key'"),
        ('{key_env = "sk-aaaa-very-secret"}', "key_env is not the name of an environment variable"),
        ('{key_env = "KEY_C"}', "'KEY_C', which is not set"),
    ],
)
def test_a_bad_table_is_a_usage_error_that_shows_no_key(project: Project, endpoint: str, said: str) -> None:
    serve(project, endpoint)
    result = project.pytester.runpytest(*NO_XDIST, *MODEL)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()
    assert "very-secret" not in result.stderr.str()
    assert project.runs() == []
