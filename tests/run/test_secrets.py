"""No secret of the configuration appears in the files or the output of a run, however it fails."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pytest_ultra.providers.profiles import PROVIDERS
from tests.run.leaking_server import LEAKS, LeakingServer
from tests.run.project import ONE_CASE, Project

LOUD = (
    "-vv",
    "--tb=long",
    "--showlocals",
    "-rA",
    "--log-file=log.txt",
    "--log-level=DEBUG",
    "--junitxml=junit.xml",
    "-rA",
)
SPECIAL_CHARACTERS = 'Zq7"w/+&<=%2Fk\\9-'
"""Part of every secret here: characters that some encoding writes differently."""
TEST_FILES = {"pyproject.toml", "conftest.py", "test_own.py"}
"""Files that the tests write themselves, and that may contain secrets."""


def secret(name: str) -> str:
    return f"sk-{name}-{SPECIAL_CHARACTERS}-{name[::-1]}"


def forms(value: str) -> Iterator[str]:
    """Yield the encodings of a secret, and of the halves that truncation may leave."""
    for part in (value, value[: len(value) // 2], value[len(value) // 2 :]):
        yield from (part, json.dumps(part)[1:-1], quote(part), quote(part, safe=""), quote_plus(part))
    for before in range(3):
        encoded = base64.b64encode(b"." * before + value.encode()).decode()
        yield encoded[4:-4]


@pytest.fixture
def leaking_server() -> Iterator[LeakingServer]:
    server = LeakingServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def find_leaks(project: Project, result: pytest.RunResult, secrets: Iterable[str]) -> list[str]:
    """Return where secrets appear: in the files of the project, or in the output of the command."""
    files = (path for path in project.path.rglob("*") if path.is_file() and path.name not in TEST_FILES)
    places = {str(path.relative_to(project.path)): path.read_bytes() for path in files if not _is_bytecode(path)}
    places |= {"stdout": result.stdout.str().encode(), "stderr": result.stderr.str().encode()}
    wanted = {form.encode() for value in secrets for form in forms(value)}
    return [f"{place}: {form.decode()}" for place, content in places.items() for form in wanted if form in content]


def _is_bytecode(path: Path) -> bool:
    return path.suffix == ".pyc"


def set_variables(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> list[str]:
    for name, value in variables.items():
        patch.setenv(name, value)
    return list(variables.values())


KEYS = {name: secret(name.lower()) for provider in PROVIDERS.values() for name in provider.key_variables}
PREFIXES = [name for name, provider in PROVIDERS.items() if provider.key_variables]


def test_the_search_finds_leaks(project: Project) -> None:
    """Proves that the tests below can fail."""
    (project.path / "a.txt").write_text(json.dumps(secret("a")))
    (project.path / "b.txt").write_text(base64.b64encode(f"user:{secret('b')}".encode()).decode())
    result = pytest.RunResult(0, [quote(secret("c"))], [secret("d")[:14]], 0.0)
    found = find_leaks(project, result, map(secret, "abcd"))
    assert {line.partition(":")[0] for line in found} == {"a.txt", "b.txt", "stdout", "stderr"}


def test_keys_of_all_providers_stay_secret_however_an_attempt_fails(
    project: Project, leaking_server: LeakingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [*set_variables(monkeypatch, KEYS), secret("query")]
    leaks = [(prefix, LEAKS[(3 * n + k) % len(LEAKS)]) for n, prefix in enumerate(PREFIXES) for k in range(4)]
    models = ",".join(f"{prefix}/{prefix}-{leak}" for prefix, leak in leaks)
    address = f"--ultra-base-url={leaking_server.url}?api_key={quote(secret('query'))}"
    result = project.run_in_own_process(
        "-n2", f"--ultra-model={models}", address, *ONE_CASE, "--ultra-request-timeout=1", *LOUD
    )
    assert {leak for _, leak in leaks} == {*LEAKS}
    assert len(project.episodes()) == len(leaks)
    assert result.stdout.str().count("***") > len(leaks)
    assert find_leaks(project, result, secrets) == []


POOL = """
    [tool.pytest_ultra.models."{model}"]
    endpoints = [
        {{base_url = "{url}?v=1&token={token}", key_env = "FIRST", name = "first-{leak}"}},
        {{base_url = "{url}?token={token}", key_env = "SECOND", name = "second-{leak}"}},
        {{base_url = "{url}", key_env = "FIRST", name = "third-{leak}"}},
    ]
"""


def test_keys_of_an_endpoint_pool_stay_secret_and_out_of_cassettes(
    project: Project, leaking_server: LeakingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = set_variables(monkeypatch, {"FIRST": secret("first"), "SECOND": secret("second")})
    token = quote(secret("token"), safe="")
    pools = [POOL.format(model=f"m-{leak}", url=leaking_server.url, token=token, leak=leak) for leak in LEAKS]
    project.pytester.makepyprojecttoml("".join(pools))
    models = ",".join(f"m-{leak}" for leak in LEAKS)
    args = (f"--ultra-model={models}", *ONE_CASE, "--ultra-repeats=3", "--ultra-request-timeout=1", *LOUD)
    result = project.run_in_own_process("-p", "no:xdist", "--ultra-cassette=record", *args)
    assert len(list(project.path.glob("cassettes/m-text/**/*.json"))) == 3
    assert {*leaking_server.request_counts} >= {f"{name}-text" for name in ("first", "second", "third")}
    assert find_leaks(project, result, [*secrets, secret("token")]) == []

    replay = project.run_in_own_process("-p", "no:xdist", "--ultra-cassette=replay", *args)
    assert find_leaks(project, replay, [*secrets, secret("token")]) == []


@pytest.mark.parametrize("is_unreachable", [False, True], ids=["reachable", "unreachable"])
def test_the_password_of_a_proxy_stays_secret(
    project: Project, leaking_server: LeakingServer, monkeypatch: pytest.MonkeyPatch, *, is_unreachable: bool
) -> None:
    port = 9 if is_unreachable else leaking_server.server_port
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{quote(secret('proxy'), safe='')}@127.0.0.1:{port}")
    (key,) = set_variables(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    models = "m-text" if is_unreachable else ",".join(f"m-{leak}" for leak in LEAKS)
    address = "--ultra-base-url=http://nowhere.invalid/v1"
    result = project.run_in_own_process(
        f"--ultra-model={models}", address, *ONE_CASE, "--ultra-request-timeout=1", *LOUD
    )
    assert (not leaking_server.request_counts) == is_unreachable
    assert find_leaks(project, result, [key, secret("proxy")]) == []


USER_ENDPOINT = """
    import os

    class Agent:
        key = os.environ["OPENAI_API_KEY"]

        async def attempt(self, request):
            key = self.key
            if request.case.repeat == 0:
                raise RuntimeError(f"The key {key!r} is wrong.")
            from pytest_ultra.core.transcript import Reply
            from pytest_ultra.errors import AttemptFailedError, AttemptProblem
            if request.case.repeat == 1:
                raise AttemptFailedError(AttemptProblem.STATUS, f"not {key}", status=401)
            return Reply(f"My key is {key}.")

        async def aclose(self):
            raise RuntimeError(f"Cannot close with {self.key}.")

    def pytest_ultra_endpoint(config, settings):
        return Agent()
"""

USER_TEST = """
    import logging, os, sys

    def test_mine(ultra_episode):
        key = os.environ["OPENAI_API_KEY"]
        print("stdout", key)
        print("stderr", key, file=sys.stderr)
        assert ultra_episode.passed, f"it said {ultra_episode.transcript[0]} to {key}"

    def test_other():
        environ = dict(os.environ)
        raise ValueError(environ["OPENAI_API_KEY"])
"""


def test_secrets_leaked_by_user_code_are_redacted_in_reports(
    project: Project, monkeypatch: pytest.MonkeyPatch, xdist_on_off: tuple[str, ...]
) -> None:
    (key,) = set_variables(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    project.pytester.makeconftest(USER_ENDPOINT)
    project.pytester.makepyfile(test_own=USER_TEST)
    result = project.run_in_own_process(
        *xdist_on_off, "--ultra-model=mine", *ONE_CASE, "--ultra-repeats=3", *LOUD, "--full-trace"
    )
    assert result.stdout.str().count("***") > 10
    assert "The key '***' is wrong." in result.stdout.str()
    assert find_leaks(project, result, [key]) == []


BROKEN_HOOKS = {
    "planner": "def pytest_ultra_workflow(task):\n    raise RuntimeError(dict(__import__('os').environ))",
    "endpoint": "def pytest_ultra_endpoint():\n    raise RuntimeError(dict(__import__('os').environ))",
}


@pytest.mark.parametrize("hook", BROKEN_HOOKS)
def test_a_broken_hook_leaks_no_secret(project: Project, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    (key,) = set_variables(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    project.pytester.makeconftest(BROKEN_HOOKS[hook])
    result = project.run_in_own_process(
        "--ultra-model=m", "--ultra-base-url=http://127.0.0.1:9/v1", *ONE_CASE, *LOUD, "--full-trace"
    )
    assert "RuntimeError" in result.stdout.str()
    assert find_leaks(project, result, [key]) == []


CRASH = """
    import os

    def test_mine(ultra_episode):
        if not os.path.exists("mark"):
            open("mark", "x")
            os.abort()
"""


def test_a_crashed_worker_and_a_stall_leak_no_secret(
    project: Project, leaking_server: LeakingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = set_variables(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    project.pytester.makepyfile(test_own=CRASH)
    model = ("--ultra-model=m-hang", f"--ultra-base-url={leaking_server.url}", "--ultra-request-timeout=2")
    result = project.run_in_own_process("-n2", *model, *ONE_CASE, "--ultra-repeats=2", *LOUD)
    output = result.stdout.str() + result.stderr.str()
    assert "replacing crashed worker" in output
    assert "nothing answered or finished for 1 s" in output
    assert find_leaks(project, result, [key]) == []


def test_plan_and_collect_only_leak_no_secret(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = set_variables(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    address = f"--ultra-base-url=http://127.0.0.1:9/v1?key={quote(secret('query'))}"
    for option in ("--collect-only", "--ultra-plan"):
        result = project.run_in_own_process(option, "--ultra-model=m", address, *ONE_CASE, "-vv")
        assert result.ret == 0
        assert find_leaks(project, result, [key, secret("query")]) == []


USAGE_ERRORS = {
    "no URL": ("--ultra-base-url=ftp://user:{}@host/v1", {}),
    "no port": ("--ultra-base-url=http://user:{}@host:x/v1", {}),
    "a password": ("--ultra-base-url=http://user:{}@host/v1", {}),
    "no scheme": ("--ultra-base-url=user:{}@host/v1", {}),
    "a variable without a scheme": ("-q", {"OPENAI_BASE_URL": "user:{}@host/v1"}),
    "a variable": ("-q", {"OPENAI_BASE_URL": "ftp://user:{}@host/v1?key={}"}),
    "a proxy": ("--ultra-base-url=http://host/v1", {"ALL_PROXY": "socks5://user:{}@host"}),
    "a key": ("-q", {"OPENAI_API_KEY": "{}\nmore"}),
}


@pytest.mark.parametrize("mistake", USAGE_ERRORS)
def test_a_usage_error_does_not_show_its_secret_value(
    project: Project, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    argument, variables = USAGE_ERRORS[mistake]
    value = "".join(char if char.isalnum() else "-" for char in secret("misuse"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    set_variables(monkeypatch, {name: text.replace("{}", value) for name, text in variables.items()})
    result = project.run("--ultra-model=m", argument.replace("{}", value), *ONE_CASE, "-vv", "--full-trace")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert find_leaks(project, result, [value]) == []
