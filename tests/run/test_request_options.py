"""`--ultra-request` and `--ultra-header` in whole runs over real HTTP: what is sent, stored, reused and reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.run.leaking_server import LEAKS, LeakingServer
from tests.run.project import NO_XDIST, ONE_CASE, TEN_CASES, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer, text_reply
from tests.run.test_secrets import LOUD, find_leaks, leaking_server, secret

__all__ = ["leaking_server"]

StartServer = Callable[[Script], ScriptedServer]


def answer(request: ReceivedRequest) -> tuple[int, str]:
    del request
    return 200, text_reply("Done.")


TABLE = """
[tool.pytest_ultra.models.own]
request = { max_tokens = 50, seed = 2 }
headers = { "x-team" = "OWN_TEAM" }
"""


@pytest.fixture(autouse=True)
def _teams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM", "platform")
    monkeypatch.setenv("OWN_TEAM", "owners")


def test_all_models_get_the_options_and_a_models_table_comes_between_ini_file_and_command_line(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(answer)
    project.pytester.makepyprojecttoml(
        TABLE
        + """
        [tool.pytest.ini_options]
        ultra_request = '''
            seed=1
            stop=["END"]
            user=me
        '''
        ultra_header = "x-team=TEAM"
        """
    )
    args = (*xdist_on_off, f"--ultra-base-url={server.url}", "--ultra-model=own,other", *ONE_CASE)
    project.run(*args).assert_outcomes(failed=2)
    assert {(r.model, r.body["seed"], r.body["max_tokens"], r.headers["x-team"]) for r in server.requests} == {
        ("own", 2, 50, "owners"),
        ("other", 1, 8192, "platform"),
    }
    assert all((r.body["stop"], r.body["user"]) == (["END"], "me") for r in server.requests)
    stored = {episode["model"]: json.loads(episode["request_parameters"]) for episode in project.episodes()}
    assert stored == {
        "own": {"max_tokens": 50, "seed": 2, "stop": ["END"]},
        "other": {"seed": 1, "stop": ["END"]},
    }
    described: dict[str, Any] = json.loads((project.runs()[-1] / "run.json").read_text())
    parameters = {model["name"]: model["parameters"]["request"] for model in described["models"]}
    assert parameters == {name: {**own, "user": "me"} for name, own in stored.items()}
    assert described["options"]["header"]["own"] == {"x-team": "OWN_TEAM"}

    project.run(*args, "--ultra-request=seed=3", "--ultra-header=x-team=TEAM").assert_outcomes(failed=2)
    assert {(r.model, r.body["seed"], r.headers["x-team"]) for r in server.requests[2:]} == {
        ("own", 3, "platform"),
        ("other", 3, "platform"),
    }


def test_other_parameters_are_another_case_and_neutral_ones_are_not(
    project: Project, start_server: StartServer
) -> None:
    server = start_server(answer)
    args = (*NO_XDIST, f"--ultra-base-url={server.url}", "--ultra-model=m", *ONE_CASE, "--ultra-cassette=auto")
    for parameter, asked in (
        ("seed=1", 1),
        ("seed=1", 1),
        ("seed=2", 2),
        ("max_completion_tokens=9", 3),
        ("max_tokens=9", 3),
    ):
        project.run(*args, f"--ultra-request={parameter}", "--ultra-request=user=me")
        assert len(server.requests) == asked, parameter
    project.run(*args, "--ultra-request=seed=1", "--ultra-request=user=you")
    assert len(server.requests) == 3
    project.run(*args)
    assert len(server.requests) == 4
    assert len({*project.path.glob("cassettes/m/**/*.json")}) == 4


def test_a_rejected_parameter_ends_the_model_and_the_message_names_the_option(
    project: Project, start_server: StartServer, xdist_on_off: tuple[str, ...]
) -> None:
    def reject(request: ReceivedRequest) -> tuple[int, str]:
        if "seed" in request.body:
            return 400, '{"error": {"message": "Unknown parameter: seed.", "param": "seed"}}'
        return 200, text_reply("Done.")

    server = start_server(reject)
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", "--ultra-concurrency=1", TEN_CASES)
    result = project.run(*xdist_on_off, *args, "--ultra-request=seed=7")
    result.assert_outcomes(errors=10)
    assert len(server.requests) == (2 if "-n2" in xdist_on_off else 1), "once in each process"
    assert all(request.body["seed"] == 7 for request in server.requests)
    message = (
        "The endpoint of model 'm' rejected the request (status 400: Unknown parameter: seed.): it names 'seed', which "
        "--ultra-request sets; give another value, or leave it out."
    )
    assert {episode["error"] for episode in project.episodes()} == {message}


def test_a_header_stays_secret_however_an_attempt_fails(
    project: Project, leaking_server: LeakingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [secret("authorization"), secret("team")]
    monkeypatch.setenv("GATEWAY", f"Bearer {secrets[0]}")
    monkeypatch.setenv("TEAM", secrets[1])
    models = ",".join(f"m-{leak}" for leak in LEAKS)
    headers = ("--ultra-header=Authorization=GATEWAY", "--ultra-header=x-team=TEAM")
    args = (f"--ultra-base-url={leaking_server.url}", f"--ultra-model={models}", "--ultra-request-timeout=1", *ONE_CASE)
    result = project.run("-n2", *args, *headers, *LOUD)
    assert result.stdout.str().count("***") > len(LEAKS)
    assert find_leaks(project, result, secrets) == []


BAD_OPTIONS = {
    "--ultra-request=seed": "ERROR: --ultra-request: 'seed' is not a parameter; give PARAM=VALUE with a JSON value*",
    "--ultra-request=model=x": "ERROR: --ultra-request: the parameter 'model' cannot be set; use --ultra-model",
    "--ultra-request=stop=[a": "ERROR: --ultra-request: 'stop=[[]a' begins like JSON, but is not valid JSON *",
    "--ultra-header=host=TEAM": "ERROR: --ultra-header: the header 'host' cannot be set; the run sets it itself",
    "--ultra-header=x-a=UNSET_1": "ERROR: *The header 'x-a' takes its value from the environment variable 'UNSET_1', *",
}


@pytest.mark.parametrize("option", BAD_OPTIONS)
def test_misuse_is_reported_before_any_request(
    project: Project, start_server: StartServer, option: str, xdist_on_off: tuple[str, ...]
) -> None:
    server = start_server(answer)
    result = project.run(*xdist_on_off, f"--ultra-base-url={server.url}", "--ultra-model=m", *ONE_CASE, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(BAD_OPTIONS[option])
    assert not server.requests


def test_a_malformed_proxy_is_reported_before_any_request(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "foo bar")
    result = project.run(*NO_XDIST, "--ultra-base-url=http://host/v1", "--ultra-model=m", *ONE_CASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("ERROR: *The proxy in http_proxy (or HTTP_PROXY) is not a valid address. *")
