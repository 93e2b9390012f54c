"""`--ultra-api` from outside, with the SDKs installed: whole runs, and what is said of them."""

from __future__ import annotations

import pytest

from pytest_ultra.core.model_api import ModelApi
from tests.run.project import NO_XDIST, ONE_CASE, Project
from tests.sdk.protocol_server import protocol_server
from tests.sdk.test_sdk_episodes import PROTOCOLS

LABELS = {ModelApi.MESSAGES: "Messages by anthropic", ModelApi.RESPONSES: "Responses by openai"}
LABELS |= {ModelApi.GEMINI: "Gemini API by google-genai"}


@pytest.mark.parametrize(
    ("api", "mode"),
    [
        *(pytest.param(api, NO_XDIST, id=f"{api}-no-xdist") for api in PROTOCOLS),
        pytest.param(ModelApi.MESSAGES, ("-n2",), id=f"{ModelApi.MESSAGES}-n2"),
    ],
)
def test_a_run_asks_in_the_chosen_protocol_and_says_so(project: Project, api: ModelApi, mode: tuple[str, ...]) -> None:
    """Workers get the choice in one way, whatever it is."""
    with protocol_server(PROTOCOLS[api]()) as server:
        args = (f"--ultra-base-url={server.url}", "--ultra-model=local", f"--ultra-api={api}", *ONE_CASE)
        result = project.run(*mode, *args, "--ultra-tool-success-rate=1")
    result.assert_outcomes(passed=1)
    assert server.rejected == []
    result.stdout.fnmatch_lines([f"ultra: local: {LABELS[api]} *"])
    [model] = project.document()["run"]["models"]
    assert model["protocols"][0].startswith(LABELS[api])


@pytest.mark.parametrize(("provider", "label"), [("anthropic", "Messages"), ("google", "Gemini API")])
def test_auto_uses_the_installed_sdk_of_the_provider(
    project: Project, monkeypatch: pytest.MonkeyPatch, provider: str, label: str
) -> None:
    for name in ("ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "sk-test-key")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing leaves the machine
    result = project.run("-p", "no:xdist", f"--ultra-model={provider}/m", *ONE_CASE, "--ultra-run-timeout=3")
    result.stdout.fnmatch_lines([f"ultra: {provider}/m: {label} by *"])


@pytest.mark.parametrize("api", PROTOCOLS)
def test_parameters_headers_and_streams_of_the_options_reach_the_sdk(
    project: Project, monkeypatch: pytest.MonkeyPatch, api: ModelApi
) -> None:
    monkeypatch.setenv("TEAM", "red team")
    with protocol_server(PROTOCOLS[api]()) as server:
        args = (f"--ultra-base-url={server.url}", "--ultra-model=local", f"--ultra-api={api}", "--ultra-stream=on")
        asked = ("--ultra-request=max_tokens=777", "--ultra-request=top_p=0.5", "--ultra-header=x-team=TEAM")
        project.run("-p", "no:xdist", *args, *asked, *ONE_CASE, "--ultra-tool-success-rate=1").assert_outcomes(passed=1)
    assert server.rejected == []
    for request in server.requests:
        assert request.headers["x-team"] == "red team"
        assert request.body.get("stream") or "stream" in request.path
        assert "777" in str(request.body)
        assert "0.5" in str(request.body)
