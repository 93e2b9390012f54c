"""No secret that the configuration knows is in anything that a run writes or says, however it fails."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pytest_ultra.providers.profiles import PROVIDERS
from tests.run.running import Project
from tests.run.secret_server import WAYS, Telltale

ONE = ("--ultra-task-type=simple_task", "--ultra-prompt-type=optimal")
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
SIGNS = 'Zq7"w/+&<=%2Fk\\9-'
"""What all secrets here hold: whatever one encoding or the other writes differently."""
OURS = {"pyproject.toml", "conftest.py", "test_own.py"}
"""The test's own files, which may hold what they are to be asked for."""


def secret(name: str) -> str:
    return f"sk-{name}-{SIGNS}-{name[::-1]}"


def forms(value: str) -> Iterator[str]:
    """Yield what a secret may look like, and the halves that a cut may leave of it."""
    for part in (value, value[: len(value) // 2], value[len(value) // 2 :]):
        yield from (part, json.dumps(part)[1:-1], quote(part), quote(part, safe=""), quote_plus(part))
    for before in range(3):
        encoded = base64.b64encode(b"." * before + value.encode()).decode()
        yield encoded[4:-4]


@pytest.fixture
def telltale() -> Iterator[Telltale]:
    server = Telltale()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def find(project: Project, result: pytest.RunResult, secrets: Iterable[str]) -> list[str]:
    """Return where a secret is found: the files below the project, and what the command said."""
    files = (path for path in project.path.rglob("*") if path.is_file() and path.name not in OURS)
    places = {str(path.relative_to(project.path)): path.read_bytes() for path in files if not _is_module(path)}
    places |= {"stdout": result.stdout.str().encode(), "stderr": result.stderr.str().encode()}
    wanted = {form.encode() for value in secrets for form in forms(value)}
    return [f"{place}: {form.decode()}" for place, content in places.items() for form in wanted if form in content]


def _is_module(path: Path) -> bool:
    return path.suffix == ".pyc"


def set_all(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> list[str]:
    for name, value in variables.items():
        patch.setenv(name, value)
    return list(variables.values())


KEYS = {name: secret(name.lower()) for provider in PROVIDERS.values() for name in provider.key_variables}
PREFIXES = [name for name, provider in PROVIDERS.items() if provider.key_variables]


def test_a_scan_finds_what_is_there(project: Project) -> None:
    """So that the tests below can fail."""
    (project.path / "a.txt").write_text(json.dumps(secret("a")))
    (project.path / "b.txt").write_text(base64.b64encode(f"user:{secret('b')}".encode()).decode())
    result = pytest.RunResult(0, [quote(secret("c"))], [secret("d")[:14]], 0.0)
    found = find(project, result, map(secret, "abcd"))
    assert {line.partition(":")[0] for line in found} == {"a.txt", "b.txt", "stdout", "stderr"}


def test_the_keys_of_all_providers_are_told_by_nobody_however_an_attempt_fails(
    project: Project, telltale: Telltale, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [*set_all(monkeypatch, KEYS), secret("query")]
    ways = [(prefix, WAYS[(3 * n + k) % len(WAYS)]) for n, prefix in enumerate(PREFIXES) for k in range(4)]
    models = ",".join(f"{prefix}/{prefix}-{way}" for prefix, way in ways)
    address = f"--ultra-base-url={telltale.url}?api_key={quote(secret('query'))}"
    result = project.run("-n2", f"--ultra-model={models}", address, *ONE, "--ultra-request-timeout=2", *LOUD)
    assert {way for _, way in ways} == {*WAYS}
    assert len(project.episodes()) == len(ways)
    assert result.stdout.str().count("***") > len(ways)
    assert find(project, result, secrets) == []


POOL = """
    [tool.pytest_ultra.models."{model}"]
    endpoints = [
        {{base_url = "{url}?v=1&token={token}", key_env = "FIRST", name = "first-{way}"}},
        {{base_url = "{url}?token={token}", key_env = "SECOND", name = "second-{way}"}},
        {{base_url = "{url}", key_env = "FIRST", name = "third-{way}"}},
    ]
"""


def test_the_keys_of_a_pool_are_told_by_nobody_and_are_on_no_cassette(
    project: Project, telltale: Telltale, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = set_all(monkeypatch, {"FIRST": secret("first"), "SECOND": secret("second")})
    token = quote(secret("token"), safe="")
    pools = [POOL.format(model=f"m-{way}", url=telltale.url, token=token, way=way) for way in WAYS]
    project.pytester.makepyprojecttoml("".join(pools))
    models = ",".join(f"m-{way}" for way in WAYS)
    args = (f"--ultra-model={models}", *ONE, "--ultra-repeats=3", "--ultra-request-timeout=2", *LOUD)
    result = project.run("-p", "no:xdist", "--ultra-cassette=record", *args)
    assert len(list(project.path.glob("cassettes/m-text/**/*.json"))) == 3
    assert {*telltale.asked} >= {f"{name}-text" for name in ("first", "second", "third")}
    assert find(project, result, [*secrets, secret("token")]) == []

    replay = project.run("-n2", "--ultra-cassette=replay", *args)
    assert find(project, replay, [*secrets, secret("token")]) == []


@pytest.mark.parametrize("is_refused", [False, True], ids=["answers", "is gone"])
def test_the_password_of_a_proxy_is_told_by_nobody(
    project: Project, telltale: Telltale, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    port = 9 if is_refused else telltale.server_port
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{quote(secret('proxy'), safe='')}@127.0.0.1:{port}")
    (key,) = set_all(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    models = ",".join(f"m-{way}" for way in WAYS)
    address = "--ultra-base-url=http://nowhere.invalid/v1"
    result = project.run(f"--ultra-model={models}", address, *ONE, "--ultra-request-timeout=2", *LOUD)
    assert (not telltale.asked) == is_refused
    assert find(project, result, [key, secret("proxy")]) == []


OWN_ENDPOINT = """
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
            return Reply(f"I was told {key}.")

        async def aclose(self):
            raise RuntimeError(f"No way out with {self.key}.")

    def pytest_ultra_endpoint(config, settings):
        return Agent()
"""

OWN_TEST = """
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


def test_what_own_code_gives_away_is_blotted_out_of_reports(
    project: Project, monkeypatch: pytest.MonkeyPatch, extreme: tuple[str, ...]
) -> None:
    (key,) = set_all(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    project.pytester.makeconftest(OWN_ENDPOINT)
    project.pytester.makepyfile(test_own=OWN_TEST)
    result = project.run(*extreme, "--ultra-model=mine", *ONE, "--ultra-repeats=3", *LOUD, "--full-trace")
    assert result.stdout.str().count("***") > 10
    assert "The key '***' is wrong." in result.stdout.str()
    assert find(project, result, [key]) == []


BROKEN_HOOKS = {
    "planner": "def pytest_ultra_workflow(task):\n    raise RuntimeError(dict(__import__('os').environ))",
    "endpoint": "def pytest_ultra_endpoint():\n    raise RuntimeError(dict(__import__('os').environ))",
}


@pytest.mark.parametrize("hook", BROKEN_HOOKS)
def test_a_broken_hook_gives_nothing_away(project: Project, monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    (key,) = set_all(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    project.pytester.makeconftest(BROKEN_HOOKS[hook])
    result = project.run("--ultra-model=m", "--ultra-base-url=http://127.0.0.1:9/v1", *ONE, *LOUD, "--full-trace")
    assert "RuntimeError" in result.stdout.str()
    assert find(project, result, [key]) == []


CRASH = """
    import os

    def test_mine(ultra_episode):
        if not os.path.exists("mark"):
            open("mark", "x")
            os.abort()
"""


def test_a_worker_that_crashes_and_a_stall_give_nothing_away(
    project: Project, telltale: Telltale, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = set_all(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    project.pytester.makepyfile(test_own=CRASH)
    model = ("--ultra-model=m-hang", f"--ultra-base-url={telltale.url}", "--ultra-request-timeout=2")
    result = project.run("-n2", *model, *ONE, "--ultra-repeats=2", *LOUD)
    output = result.stdout.str() + result.stderr.str()
    assert "replacing crashed worker" in output
    assert "nothing answered or finished for 1 s" in output
    assert find(project, result, [key]) == []


def test_plans_and_collections_give_nothing_away(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = set_all(monkeypatch, {"OPENAI_API_KEY": secret("openai")})
    address = f"--ultra-base-url=http://127.0.0.1:9/v1?key={quote(secret('query'))}"
    for what in ("--collect-only", "--ultra-plan"):
        result = project.run(what, "--ultra-model=m", address, *ONE, "-vv")
        assert result.ret == 0
        assert find(project, result, [key, secret("query")]) == []


MISUSES = {
    "no URL": ("--ultra-base-url=ftp://user:{}@host/v1", {}),
    "no port": ("--ultra-base-url=http://user:{}@host:x/v1", {}),
    "a password": ("--ultra-base-url=http://user:{}@host/v1", {}),
    "a variable": ("-q", {"OPENAI_BASE_URL": "ftp://user:{}@host/v1?key={}"}),
    "a proxy": ("--ultra-base-url=http://host/v1", {"ALL_PROXY": "socks5://user:{}@host"}),
    "a key": ("-q", {"OPENAI_API_KEY": "{}\nmore"}),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_told_without_what_it_holds(project: Project, monkeypatch: pytest.MonkeyPatch, misuse: str) -> None:
    argument, variables = MISUSES[misuse]
    value = "".join(char if char.isalnum() else "-" for char in secret("misuse"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-unused")
    set_all(monkeypatch, {name: text.replace("{}", value) for name, text in variables.items()})
    result = project.run("--ultra-model=m", argument.replace("{}", value), *ONE, "-vv", "--full-trace")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert find(project, result, [value]) == []
